"""Fields that are found byte by byte are those that Python's csv finds, their numbers those of float()."""

from __future__ import annotations

import csv
import gzip
import random
from contextlib import ExitStack
from fractions import Fraction
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requirements import requires

from mlpkit import DataError, ParameterError
from mlpkit_plugins.datasets.csv import Csv
from mlpkit_plugins.formats import csv_fields, csv_file
from mlpkit_plugins.kernels import COMPILED, read_csv_records, with_numpy
from mlpkit_plugins.tables.categories import Codebook
from mlpkit_plugins.tables.source import Columns

FORMS_OF_NUMBERS = (
    (
        "0",
        "-0",
        "+0",
        "007",
        "1.",
        ".5",
        "-.5",
        "+1.5e3",
        "1E5",
        "1e+05",
        "1e-5",
        "1,5",
        "$5",
        "1'000",
        "1_000",
        "0x10",
    ),
    ("1_000", "0x10", "1e", "1e+", ".", "-", "+", "+-1", "1.2.3", "1e5.0", "\u0663", "\uff11\uff12"),
    ("inf", "-Infinity", "nan", "NaN", "NA", "null", "yes", "True", "abc"),
    ("1e308", "1e309", "1e-324", "5e-324", "2.2250738585072014e-308", "1e22", "1e23", "1e-22", "1e-23", "8.5e27"),
    ("9007199254740993", "9007199254740992.5", "18446744073709551615", "18446744073709551616", "1e99999999999"),
    ("1e4294967297", "1e-4294967297", "1e18446744073709551617", "1e100001", "0e4294967297"),  # 1 in 32 or 64 bits
    ("9999999999999999999e-27", "1e-99999999999", "0.00000000000000000000000012345", "0.1" + 52 * "0" + "1", 400 * "9"),
)
FORMS_OF_FIELDS = (
    ("", " ", "  ", "\t", " 1", "1 ", "\t1", "1\t", "\u00a01", "\x1f1", "a b", "\u00e9", "\ufeff", "\x00", "#", "#1"),
    ('"', '""', '"1"', ' "1"', '"1" ', '"1"2', '"a""b"', '"a,b"', '"a\nb"', '"\r\n"', '"\r"', 'a"b', 'a""b', '"#"'),
)
fields = st.one_of(
    st.sampled_from(["1", "-2.5", "3e2", "NA", ""]),
    st.sampled_from(sum(FORMS_OF_NUMBERS, ())),
    st.sampled_from(sum(FORMS_OF_FIELDS, ())),
    st.floats().map(repr),
    st.from_regex(r"[+-]?[0-9]{0,25}[.]?[0-9]{0,25}(e[+-]?[0-9]{1,2})?", fullmatch=True),
    st.text('0123456789+-.eE, "\r\n\t;#_aé', max_size=8),
)
ends = st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\n \n", "\r\r\n"])


@st.composite
def contents(draw, delimiter):
    """Draw a file with the columns a to d, in which most records have four fields, quoted or not as chance has it."""
    lines = [delimiter.join("abcd"), draw(ends)]
    for _ in range(draw(st.integers(0, 12))):
        width = draw(st.sampled_from([4] * 12 + [0, 1, 3, 5]))
        lines += [delimiter.join(draw(st.lists(fields, min_size=width, max_size=width))), draw(ends)]
    return draw(st.sampled_from(["", "\ufeff"])) + "".join(lines[:-1]) + draw(ends | st.just(""))


def chunks_of(path, columns, **options):
    """Return all that a table reads of a file, or what it says about a mistake."""
    found = []
    try:
        books = [Codebook(Csv.missing_texts) for _ in columns.all_categories]
        source = Csv(file=str(path), target="d", **options).source(path, "file")
        for rows, numbers, codes, keys, weights in source.chunks(columns, books):
            if len(rows):  # a block may be empty
                found.append(
                    [None if part is None else part.tobytes() for part in (rows, numbers, codes, keys, weights)]
                )
        return found, [book.texts for book in books]
    except (DataError, ParameterError) as error:
        return found, str(error)


def both_ways(path, columns, *, block=1024, step=csv_fields.STEP, together=csv_fields.BLOCKS_TOGETHER, **options):
    """Return what is read field by field, in blocks of rows, and what Python's csv reads."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(csv_fields, "BLOCKS_TOGETHER", together))
        stack.enter_context(patch.object(csv_file, "ROWS_TOGETHER", block))
        stack.enter_context(patch.object(csv_fields, "STEP", step))
        ours = chunks_of(path, columns, **options)
        stack.enter_context(patch.object(csv_fields, "read_csv_records", with_numpy.read_csv_records))
        return ours, chunks_of(path, columns, **options)


COLUMNS = [
    Columns(("a", "b"), ("c", "a"), (), "d", key="b"),
    Columns(("c",), ("d",), weight="a"),
    Columns(("b", "a", "d"), ()),
    Columns((), ("d", "a")),
]
WAYS = [
    {},
    {"delimiter": ";", "decimal": ","},
    {"delimiter": "\t", "quote": "'", "encoding": "latin-1"},
    {"delimiter": " ", "comment": "#"},
    {"comment": "#", "encoding": "cp1252", "missing_texts": ("", "NA", "1", "nan", "a b", " x", "é")},
    {"thousands": "'", "symbols": ("$",)},
    {"skip_rows": 1, "header": tuple("abcd")},
]


@settings(deadline=None, max_examples=50)
@given(data=st.data(), way=st.sampled_from(WAYS), columns=st.sampled_from(COLUMNS))
def test_fields_are_those_that_csv_reads(tmp_path_factory, data, way, columns):
    content = data.draw(contents(way.get("delimiter", ",")))
    path = tmp_path_factory.getbasetemp() / "a.csv"
    if "encoding" in way:
        path.write_bytes(content.removeprefix("\ufeff").encode(way["encoding"], "replace"))
    else:
        path.write_bytes(content.encode("utf-8", "surrogatepass"))
    block, step, together = (data.draw(st.integers(1, most)) for most in (5, 40, 4))
    ours, theirs = both_ways(path, columns, block=block, step=step, together=together, **way)
    assert ours == theirs


@pytest.mark.parametrize("text", sum(FORMS_OF_NUMBERS, ()), ids=lambda text: text[:30])
def test_a_form_of_a_number_is_read_as_python_reads_it(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(f"a,b,c,d\n1,{text},x,y\n2,3,x,y\n", "utf-8")
    ours, theirs = both_ways(path, Columns(("a", "b"), ("c",), (), "d"))
    assert ours == theirs


CLEAN = {
    "plain": "1,2.5,x,yes\n-3e2,4,y,no\n" * 2000,
    "quoted": '"1", 2.5,"x ""y"", z",yes\n-3e2," 4","two\nlines",no\n' * 2000,
    "missing": "1,,x,yes\n\nNA,4, NA ,no\n  \n" * 2000,
    "one of a few": "".join(f"{i},{i / 7},text {i},no\r\n" for i in range(5000)),
}


@requires("kernels", COMPILED, "NumPy finds no fields")
@pytest.mark.parametrize("name", CLEAN)
@pytest.mark.parametrize("compressed", [False, True])
def test_what_is_right_is_read_field_by_field(tmp_path, name, compressed):
    content = f"a,b,c,d\n{CLEAN[name]}".encode()
    (path := tmp_path / "a.csv").write_bytes(gzip.compress(content) if compressed else content)
    with patch.object(csv_file.CsvFile, "_text_blocks", side_effect=AssertionError("csv reads the file")):
        ours = chunks_of(path, COLUMNS[0])
    assert ours == both_ways(path, COLUMNS[0])[1]


@requires("kernels", COMPILED, "NumPy finds no fields")
@pytest.mark.parametrize(("length", "rows", "most"), [(3000, 40, 24_500), (1, 1000, 2500)])
def test_few_bytes_are_held_at_a_time(tmp_path, monkeypatch, length, rows, most):
    sizes = []

    def recording(data, begin, *others):
        sizes.append(len(data) - begin)
        return read_csv_records(data, begin, *others)

    monkeypatch.setattr(csv_fields, "read_csv_records", recording)
    monkeypatch.setattr(csv_fields, "STEP", 1000)
    monkeypatch.setattr(csv_fields, "BYTES_TOGETHER", 10_000)
    monkeypatch.setattr(csv_file, "ROWS_TOGETHER", 4)
    (path := tmp_path / "a.csv").write_text("a,b,c,d\n" + rows * f"1,2,{length * 'x'},y\n")
    assert len(chunks_of(path, COLUMNS[0])[0]) == rows // 4
    assert max(sizes) < most


def test_a_small_file_is_read_in_little_room(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_fields, "LARGEST_ROOM", 0)
    (path := tmp_path / "a.csv").write_text("a,b,c,d\n1,2,x,y\n\n")
    ours, theirs = both_ways(path, COLUMNS[0], block=1)
    assert ours == theirs


def beside_midpoints(draw):
    """Return decimal numbers of 19 digits just below and just above the middle of two neighbouring float64."""
    for exponent in range(-27, 28):
        for _ in range(12):
            middle = Fraction((1 << 53) + 2 * draw.getrandbits(52) + 1) / Fraction(10) ** exponent
            middle *= Fraction(2) ** (
                62 - int(middle).bit_length() if middle >= 1 else 62 + int(1 / middle).bit_length()
            )
            yield from (f"{int(middle)}e{exponent}", f"{int(middle) + 1}e{exponent}")


def test_numbers_have_the_bits_of_float(tmp_path):
    draw = random.Random(0)
    texts = [f"{draw.getrandbits(draw.randint(1, 68))}e{draw.randint(-32, 32)}" for _ in range(2000)]
    middles = [(1 << 53) + 2 * draw.getrandbits(52) + 1 for _ in range(200)]  # of two neighbouring float64
    texts += [f"{number}{end}e{draw.randint(-9, 9)}" for number in middles for end in ("", ".5", ".50")]
    texts += beside_midpoints(draw)
    (path := tmp_path / "a.csv").write_text("a,b,c,d\n" + "".join(f"{text},-{text},x,y\n" for text in texts))
    found, _ = chunks_of(path, Columns(("a", "b"), ()))
    numbers = np.concatenate([np.frombuffer(chunk[1]) for chunk in found]).reshape(-1, 2)
    expected = np.array([[float(text), float(f"-{text}")] for text in texts])
    np.testing.assert_array_equal(numbers.view(np.uint64), expected.view(np.uint64))


@pytest.mark.parametrize("comment", ["", "#"])
@pytest.mark.parametrize(
    "content",
    [
        "1\n2\n",
        "1\n  \n2\n",
        '1\n""\n2\n',
        '1\n""\n\n2\n',
        "1\n\n2\n",
        "1\n\f\n\n2\n",
        "1\n\u00a0\n\n2\n",
        '1\n"\u3000"\n\n2\n',
    ],
)
def test_empty_records_of_one_column_are_left_out_where_csv_does(tmp_path, content, comment):
    (path := tmp_path / "a.csv").write_text(f"d\n{content}", encoding="utf-8")
    ours, theirs = both_ways(path, Columns((), ("d",)), comment=comment)
    assert ours == theirs


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_byte_order_mark_is_skipped_only_at_the_beginning_of_the_file(tmp_path, encoding):
    last = csv.field_size_limit() // 2 * "\u00e9" + "e"  # of more bytes than csv's limit of characters
    (path := tmp_path / "a.csv").write_text(f"\ufeffa,d\nx,1\n\ufeffx,{last}\n", encoding="utf-8")
    ours, theirs = both_ways(path, Columns((), ("a", "d")), block=1, encoding=encoding)
    assert ours == theirs
    assert ours[1] == [["x", "\ufeffx"], ["1", last]]


ODD = {
    "a sign as delimiter": ({"delimiter": "-"}, "a-b-c-d\n1e-5-2-x-y\n"),
    "a letter as delimiter": ({"delimiter": "e"}, "aebeced\n1e5e2exey\n"),
    "the decimal sign as delimiter": ({"decimal": ","}, "a,b,c,d\n1,5,2,x,y\n"),
    "a delimiter of two bytes": ({"delimiter": "\u00a7"}, "a\u00a7b\u00a7c\u00a7d\n1\u00a75\u00a7x\u00a7y\n"),
    "a comment of two bytes": ({"comment": "\u00e9", "encoding": "latin-1"}, "a,b,c,d\n\u00e9,5,x,y\n1,5,x,y\n"),
    "a quote in a comment": ({"comment": '"#'}, 'a,b,c,d\n"""#1",5,x,y\n1,5,x,y\n'),
    "two bytes per character": ({"encoding": "utf-16"}, "a,b,c,d\n1,5,x,y\n"),
    "characters of Windows": ({"encoding": "cp1252"}, "a,b,c,d\n1,5,\u20ac,\u201c\n"),
    "a byte order mark in a field": ({"encoding": "utf-8-sig"}, "a,b,c,d\n1,5,x,\ufeffy\n"),
    "a byte order mark before data": ({"header": tuple("abcd")}, "\ufeff1,5,x,y\n"),
    "two quotes that mean two": ({}, 'a,b,c,d\n1,5,"x""y",y\n1,5,x""y,y\n'),
    "a wrong byte": ({}, 'a,b,c,d\n1,5,"x""y",y\n1,5,\udcff,y\n'),
    "a missing text of two bytes": (
        {"encoding": "cp1252", "missing_texts": ["\u00e9"]},
        "a,b,c,d\n\u00c3\u00a9,5,x,y\n",
    ),
    "a missing text with a tab": ({"missing_texts": ["\tn"]}, "a,b,c,d\n\tn ,5,x,y\n"),
    "a long missing text": ({"missing_texts": [256 * "n"]}, f"a,b,c,d\n{256 * 'n'},5,x,y\n"),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_dialect_is_read_as_csv_reads_it(tmp_path, name):
    way, content = ODD[name]
    (path := tmp_path / "a.csv").write_bytes(content.encode(way.get("encoding", "utf-8"), "surrogateescape"))
    ours, theirs = both_ways(path, Columns(("a", "b"), ("c", "d")), **way)
    assert ours == theirs


def test_the_bytes_of_a_byte_order_mark_are_characters_in_another_encoding(tmp_path):
    (path := tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfx,1\n")
    found = chunks_of(path, Columns((), ("a", "d")), encoding="latin-1", header=("a", "d"))
    assert found[1] == [["\u00ef\u00bb\u00bfx"], ["1"]]


def test_blocks_are_full_even_if_the_bytes_at_hand_end_with_a_row(tmp_path):
    (path := tmp_path / "a.csv").write_text("a,b,c,d\n" + 40 * "1,2,x,y\n")
    ours, theirs = both_ways(path, COLUMNS[0], block=5, step=8)
    assert ours == theirs


def test_some_rows_of_one_block_are_read_as_texts(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_file, "ROWS_TOGETHER", 2)
    (path := tmp_path / "a.csv").write_text("a,d\n" + "".join(f"{i},y{i}\n" for i in range(9)))
    found = Csv(file=str(path), target="d").source(path, "file").rows(["d", "a"], np.array([5, 6]))
    assert found == {"d": ["y3", "y4"], "a": ["3", "4"]}


MISTAKES = {
    "an open quote": '1,2,3,4\n1,2,3,"4\n5,6,7,8\n',
    "an open quote, far": '1,2,3,4\n1,2,3,"4\n' + "5,6,7,8\n" * 40_000,
    "a long field": f"1,2,{200_000 * 'x'},4\n",
    "a long field in quotes": f'1,2,"{200_000 * "x"}",4\n',
    "a long number": f"1e{200_000 * '0'}1,2,3,4\n",
    "a text after a quote": '1,2,"3"4,5\n',
    "too many fields": "1,2,3,4\n" * 3000 + "1,2,3,4,5\n",
    "too few fields, after a wrong number": "1,2,3,4\n" * 3000 + "1,x,3,4\n1,2,3\n",
    "a wrong number": "1,2,3,4\n" * 3000 + "1,x,3,4\n",
    "no characters": "1,2,3,4\n" * 3000 + "1,2,\udcff,4\n",
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_found_as_csv_finds_them(tmp_path, name, monkeypatch):
    monkeypatch.setattr(csv_file, "_STEP", 1000)  # csv reads on from a place that is some steps away
    (path := tmp_path / "a.csv").write_bytes(f"a,b,c,d\n{MISTAKES[name]}".encode("utf-8", "surrogateescape"))
    ours, theirs = both_ways(path, COLUMNS[0])
    assert ours == theirs
    assert isinstance(ours[1], str)
