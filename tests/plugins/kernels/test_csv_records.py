"""Records of CSV: fields are those of Python's csv, and wrong arrays are refused."""

from __future__ import annotations

import csv
import io
import sys
import threading
from math import isnan, nan

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from requirements import require_module

from mlpkit_plugins.kernels import with_numpy

compiled = require_module("kernels", "mlpkit_plugins.kernels.compiled", "there was no compiler")

SYNTAX = (b",", b'"', b".", b"#", b"\0\2NA", 100)
texts = st.lists(st.sampled_from([*'12.5,e-" \n#a', "\r\n", '"a"', ",,", "NA"]), max_size=60).map("".join)


def arrays(rows, columns, width=None):
    """Return the arrays of a call that reads all fields of its records."""
    places = np.arange(columns if width is None else width, dtype=np.int32)
    fields, numbers = np.zeros((rows, columns, 2), np.int32), np.zeros((rows, columns))
    return [places, np.zeros(rows, np.int64), fields, numbers, np.ones(columns, np.bool_)]


@settings(deadline=None, max_examples=300)
@given(texts=texts, copies=st.sampled_from([1, 40]))  # longer data end where a sanitizer sees what is read beyond
def test_fields_are_those_of_csv(texts, copies):
    data = f"{texts}\n".encode() * copies
    places, rows, fields, numbers, are_numbers = arrays(100, 3)
    records, kept, end, _ = compiled.read_csv_records(data, 0, SYNTAX, places, rows, fields, numbers, are_numbers)
    reader = csv.reader(io.StringIO(data[:end].decode(), newline=""), strict=True, skipinitialspace=True)
    expected = list(reader)
    assert len(expected) == records
    assert rows[:kept].tolist() == [
        index for index, record in enumerate(expected) if len(record) == 3 and not record[0].startswith("#")
    ]
    for row, places_of_row, found in zip(rows.tolist(), fields.tolist(), numbers.tolist(), strict=True):
        if kept == 0:
            break
        kept -= 1
        for (begin, length), number, text in zip(places_of_row, found, expected[row], strict=True):
            written = data[begin : begin + (~length if length < 0 else length)].decode()
            assert (written.replace('""', '"') if length < 0 else written) == text
            if are_numbers.all():
                assert number == float(text) if text.strip(" ") not in ("", "NA") else np.isnan(number)


@pytest.mark.parametrize(
    ("text", "is_number"),
    [(text, True) for text in ("", "  ", "NA", " NA ", " 2 ", '"2"', '" 2 "', '"  "')]
    + [(text, False) for text in ("N", "NAN", "2 3", '"2""3"', "x", " x ")],
)
def test_a_column_of_numbers_has_numbers_and_missing_values(text, is_number):
    places, rows, fields, numbers, are_numbers = arrays(2, 2)
    data = f"1,{text}\n4,5\n".encode()
    assert compiled.read_csv_records(data, 0, SYNTAX, places, rows, fields, numbers, are_numbers)[:2] == (2, 2)
    assert are_numbers.tolist() == [True, is_number]
    if is_number:
        np.testing.assert_equal(numbers, [[1, 2 if "2" in text else np.nan], [4, 5]])


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1e3", 1000),
        ("-2.5E-1", -0.25),
        ("+.5e+1", 5),
        ("1e", nan),
        ("1e+", nan),
        ("1ee1", nan),
        (f"0.{61 * '1'}", 1 / 9),
        (f"0.{62 * '1'}", nan),
    ],
)
def test_numbers_are_read_without_python(text, number):
    places, rows, fields, numbers, are_numbers = arrays(1, 2)
    data = f"{text},4\n".encode()
    assert compiled.read_csv_records(data, 0, SYNTAX, places, rows, fields, numbers, are_numbers)[:2] == (1, 1)
    assert are_numbers.tolist() == [not isnan(number), True]
    np.testing.assert_array_equal(numbers[:, are_numbers], np.array([[number, 4]])[:, are_numbers])


@pytest.mark.parametrize(("missing", "is_number"), [(b"\0\2NA", True), (b"\2NA", False)])
def test_an_empty_field_is_a_missing_value_only_if_it_is_listed(missing, is_number):
    places, rows, fields, numbers, are_numbers = arrays(2, 2)
    syntax = (*SYNTAX[:4], missing, *SYNTAX[5:])
    compiled.read_csv_records(b"1,\n2,3\n", 0, syntax, places, rows, fields, numbers, are_numbers)
    assert are_numbers.tolist() == [True, is_number]


@pytest.mark.parametrize(
    ("data", "records", "end"),
    [
        (b"1,2\r", 0, 0),
        (b"1,2\r\n", 1, 5),
        (b"1,2\r3,4\n", 2, 8),
        (b"1,2\n3,4", 1, 4),
        (b'1,2\n3,"4\n', 1, 4),
        (b'1,2\n3,"4"', 1, 4),
    ],
)
def test_a_record_whose_end_is_missing_is_left_for_later(data, records, end):
    assert compiled.read_csv_records(data, 0, SYNTAX, *arrays(4, 2)) == (records, records, end, False)


LONGEST = 100 * "x"


@pytest.mark.parametrize(
    ("data", "columns", "kept", "is_stuck"),
    [
        (f"{LONGEST},1\n", 2, 1, False),
        (f"{LONGEST}x,1\n", 2, 0, True),
        (f'"{LONGEST}",1\n', 2, 1, False),
        (f'"{LONGEST}x",1\n', 2, 0, True),
        (f"1,{100 * '1'}\n", 2, 1, False),
        (f"1,{101 * '1'}\n", 2, 0, True),
        ('1,"a""', 2, 0, False),
        ('1,"a"b\n', 2, 0, True),
        ('1,"a" \n', 2, 0, True),
        ("1\n", 2, 0, True),
        ("1,2,3\n", 2, 0, True),
        ("#\n#1\n#,1,2\n1,#\n", 2, 1, False),
        ("\r\n \n \t\n1,2\n", 2, 1, False),
        (",\n", 2, 1, False),
        ('""\n', 2, 0, False),
        ("!\n~\n", 1, 2, False),
        ("\n1\n", 1, 1, False),
        ('""\n', 1, 0, True),
        ('" "\n', 1, 0, True),
        (" \n", 1, 0, True),
        ("\x01\n", 1, 0, True),
        ("\x7f\n", 1, 0, True),
        ("1,2\n" * 4, 2, 4, False),
        ("1,2\n" * 5, 2, 4, False),
    ],
)
def test_records_are_kept_left_out_or_left_to_python(data, columns, kept, is_stuck):
    found = compiled.read_csv_records(data.encode("latin-1"), 0, SYNTAX, *arrays(4, columns))
    assert found[1::2] == (kept, is_stuck)


def test_without_a_width_records_have_any_number_of_fields():
    assert compiled.read_csv_records(b"1\n1,2\n1,2,3\n\n", 0, SYNTAX, *arrays(4, 0)) == (4, 3, 13, False)


@pytest.mark.parametrize(("comment", "kept"), [(b"", 3), (b"#", 2), (b"##", 2), (b"# ", 3)])
def test_a_comment_begins_with_the_whole_prefix(comment, kept):
    syntax = (*SYNTAX[:3], comment, *SYNTAX[4:])
    assert compiled.read_csv_records(b"##,2\n1,2\n3,4\n", 0, syntax, *arrays(4, 2))[1] == kept


def test_other_threads_run_while_records_are_read():
    data, call = b"1.5,-2\n" * 100_000, arrays(100_000, 2)
    may_run, has_run = threading.Event(), threading.Event()
    other = threading.Thread(target=lambda: (may_run.wait(), has_run.set()))
    interval = sys.getswitchinterval()
    sys.setswitchinterval(60)  # so another thread runs only if this one lets it
    try:
        other.start()
        may_run.set()
        for _ in range(500):
            if not has_run.is_set():
                compiled.read_csv_records(data, 0, SYNTAX, *call)
        assert has_run.is_set()
    finally:
        sys.setswitchinterval(interval)
        other.join()


EVERY_FIELD = [(begin, length) for length in range(-11, 11) for begin in range(31)]


@settings(deadline=None)
@example(begins=EVERY_FIELD, place=1)
@example(begins=[(40, 0), (0, 0)], place=0)
@given(
    begins=st.lists(st.tuples(st.integers(0, 30), st.integers(-11, 10)), min_size=1, max_size=200),
    place=st.integers(0, 1),
)
def test_distinct_fields_have_the_numbers_that_numpy_gives(begins, place):
    data = b"aabaabbbabababaabbaaabbabbababaabbbaabab"
    fields = np.zeros((len(begins), 2, 2), np.int32)
    fields[:, place] = begins
    found = []
    for library in (compiled, with_numpy):
        codes, firsts = np.empty((2, len(begins)), np.int32)
        count = library.distinct_fields(data, fields, place, codes, firsts)
        found.append((codes.tolist(), firsts[:count].tolist()))
    assert found[0] == found[1]


@pytest.mark.parametrize("position", range(5))
@pytest.mark.parametrize(
    "change", [lambda a: a.astype(np.int16), lambda a: a[..., None], lambda a: np.repeat(a, 2, 0)[::2]]
)
def test_wrong_arrays_of_records_are_refused(position, change):
    call = arrays(4, 2)
    call[position] = change(call[position])
    with pytest.raises(ValueError, match="an array has another dtype or shape, or gaps"):
        compiled.read_csv_records(b"1,2\n3,4\n", 0, SYNTAX, *call)


def test_no_data_are_left_behind_the_last_record():
    assert compiled.read_csv_records(b"1,2\n3,4\n", 8, SYNTAX, *arrays(4, 2)) == (0, 0, 8, False)


@pytest.mark.parametrize(("begin", "width"), [(-1, 2), (9, 2), (0, 3)])
def test_what_lies_outside_the_arrays_is_refused(begin, width):
    with pytest.raises(ValueError, match="data or columns don't fit the arrays"):
        compiled.read_csv_records(b"1,2\n3,4\n", begin, SYNTAX, *arrays(4, 2, width))


@pytest.mark.parametrize("field", [(-1, 1), (0, 9), (9, 0), (8, 1), (0, -10)])
def test_fields_outside_the_data_are_refused(field):
    fields = np.array([[[0, 1]], [field]], np.int32)
    with pytest.raises(ValueError, match="a field lies outside the data"):
        compiled.distinct_fields(b"1,2\n3,4\n", fields, 0, np.empty(2, np.int32), np.empty(2, np.int32))


@pytest.mark.parametrize(("rows", "place"), [(slice(1, None), -1), (slice(2), 1)])
def test_a_place_outside_the_fields_is_refused(rows, place):
    fields = np.zeros((3, 1, 2), np.int32)[rows]
    with pytest.raises(ValueError, match="a field lies outside the data"):
        compiled.distinct_fields(b"1,2\n", fields, place, np.empty(2, np.int32), np.empty(2, np.int32))


@pytest.mark.parametrize("position", range(3))
@pytest.mark.parametrize(
    "change",
    [lambda a: a.astype(np.int16), lambda a: a[..., None], lambda a: np.repeat(a, 2, 0)[::2], np.ndarray.tolist],
)
def test_wrong_arrays_of_fields_are_refused(position, change):
    call = [np.zeros((2, 1, 2), np.int32), np.empty(2, np.int32), np.empty(2, np.int32)]
    call[position] = change(call[position])
    with pytest.raises(ValueError, match="an array has another dtype or shape, or gaps"):
        compiled.distinct_fields(b"1,2\n", call[0], 0, *call[1:])
