"""C99 as text: names, literals, comments, and the functions that a file needs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mlpkit_plugins.exporters.c.syntax import (
    Names,
    array_definition,
    comment,
    declaration,
    identifier,
    literal,
    needed,
    pieces,
    type_of,
    words,
    wrapped,
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a", "a"),
        ("Affine1.W", "Affine1_W"),
        ("größe (cm)", "gr_e_cm"),
        ("2nd", "_2nd"),
        ("__", "x"),
        ("", "x"),
        ("日本", "x"),
        ("a" * 61, "a" * 60),
        ("a" * 59 + "-b", "a" * 59 + "_"),
    ],
)
def test_any_text_becomes_a_name(text, name):
    assert identifier(text) == name


def test_names_are_new_and_no_keywords_or_macros():
    names = Names(["taken"])
    given = ["a", "a", "A.", "a", "int", "in", "taken", "NULL", "NULL", "INT64_MIN", "Aa", "PRIs", "work"]
    assert [names.new(text) for text in given] == [
        *("a", "a_2", "A_", "a_3", "int_", "in_", "taken_2", "NULL_", "NULL__2", "INT64_MIN_", "Aa", "PRIs_", "work_"),
    ]


NUMBERS = [
    (np.float32(0), "0.0f"),
    (np.float32(-0.0), "-0.0f"),
    (np.float32(-999.875), "-999.875f"),
    (np.float32(999.9375), "0x1.f3f8p+9f"),
    (np.float32(1000), "0x1.f4p+9f"),
    (np.float32(1024), "0x1p+10f"),
    (np.float32(0.125), "0.125f"),
    (np.float32(0.0625), "0x1p-4f"),
    (np.float32(0.1), "0x1.99999ap-4f"),
    (np.float32(1e-45), "0x1p-149f"),
    (np.float64(2.5), "2.5"),
    (np.float64(-0.1), "-0x1.999999999999ap-4"),
    (np.float32(np.nan), "NAN"),
    (np.float32(np.inf), "INFINITY"),
    (np.float32(-np.inf), "-INFINITY"),
    (np.float64(-np.inf), "(double)-INFINITY"),
    (np.float64(np.nan), "(double)NAN"),
    (np.int64(-(2**63)), "INT64_MIN"),
    (np.int64(2**63 - 1), "9223372036854775807"),
    (np.uint8(255), "255"),
    (np.True_, "1"),
]


@pytest.mark.parametrize(("value", "text"), NUMBERS, ids=str)
def test_a_number_is_written_exactly(value, text):
    assert literal(value) == text
    digits = text.removesuffix("f").replace("(double)", "")
    if isinstance(value, np.floating) and math.isfinite(value):
        exact = float.fromhex(digits) if "x" in digits else float(digits)
        assert (exact, math.copysign(1, exact)) == (value, np.copysign(1, value))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", '""'),
        ("a b~", '"a b~"'),
        ('"\\?', r'"\"\\\?"'),
        ("\0\n\x1f\x7f", r'"\000\012\037\177"'),
        ("ü", r'"\303\274"'),
        ("ü".encode(), r'"\303\274"'),
    ],
)
def test_a_text_is_written_in_ascii(text, written):
    assert literal(text) == written


@pytest.mark.parametrize(
    ("dtype", "name", "of_one", "of_three"),
    [
        ("float32", "float", "float x;", "float x[3];"),
        ("int8", "int8_t", "int8_t x;", "int8_t x[3];"),
        ("bool", "uint8_t", "uint8_t x;", "uint8_t x[3];"),
        ("U5", "const char *", "const char *x;", "const char *x[3];"),
        ("O", "const char *", "const char *x;", "const char *x[3];"),
    ],
)
def test_a_variable_is_declared_with_its_type(dtype, name, of_one, of_three):
    assert type_of(np.dtype(dtype)) == name
    assert [declaration(np.dtype(dtype), "x"), declaration(np.dtype(dtype), "x", 3)] == [of_one, of_three]


def test_an_array_is_defined_with_its_elements():
    numbers, texts = np.array([[1.5, -2]], np.float32), np.array(["a", 'b"'])
    assert array_definition("w", numbers) == "static const float w[2] = {\n    1.5f, -2.0f\n};"
    assert array_definition("t", texts) == 'static const char *const t[2] = {\n    "a", "b\\""\n};'


@pytest.mark.parametrize(
    ("depth", "before", "length", "lines"), [(1, 22, 5, 1), (1, 22, 6, 2), (3, 20, 7, 1), (3, 20, 8, 2)]
)
def test_a_line_of_elements_has_at_most_120_characters_with_its_comma(depth, before, length, lines):
    some, last, margin = ", ".join(["123"] * before), length * "9", depth * "    "
    end = f"{margin}{some}, {last},\n{margin}5" if lines == 1 else f"{margin}{some},\n{margin}{last}, 5"
    assert wrapped([*["123"] * before, last, "5"], depth) == end
    assert len(f"{margin}{some}, {last},") == 119 + lines


def test_a_comment_of_several_lines_can_not_end_early():
    assert comment("a */ b /* c") == "/* a * / b / * c */"
    assert comment("a\n\nb") == "/* a\n *\n * b */"


def test_names_in_comments_and_members_are_not_words():
    text = "/* dense */ int x = in->least + a.b;\n/* two\nlines */ y1(2e3f);"
    assert words(text) == {"int", "x", "in", "a", "y1", "e3f"}


def test_a_file_has_the_functions_that_it_needs_and_those_need_in_their_order():
    assert needed("x = 1;") == []
    found = needed("softmax(x, y, 3); differs(x, y, 3);")
    order = list(dict.fromkeys(piece.strip() for piece in pieces().values()))
    assert found == sorted(found, key=order.index)
    text = "\n".join(found)
    for name in ("softmax", "differs", "mlpkit_expf"):
        assert pieces()[name].strip() in found, name
    assert not (words(text) & pieces().keys()) - {name for name, piece in pieces().items() if piece.strip() in found}
    assert pieces()["dense"].strip() not in found
