"""The categories of columns: which there are, in which order, and the codes of texts."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit_plugins.tables.categories import (
    Codebook,
    NoCharactersError,
    are_finite_numbers,
    categories_of,
    in_order,
    translations,
)


@pytest.mark.parametrize(
    ("codes", "rare", "expected"),
    [
        ([0, 0, 0, 1, 1, 2, -1], 1, (("a", "b", "other"), False, False)),
        ([0, 0, 0, 1, 1, 2, -1], 2, (("a", "b", "other"), True, False)),
        ([0, 0, 0, 1, 1, 3, 3], 2, (("a", "b", "c"), False, False)),
        ([0, 0, 0, 1, 1, 3], 3, (("b", "other"), True, False)),
        ([0, 0, 0, 2, 2, 2, 3], 2, (("b", "other"), True, False)),
        ([0, 0, 0], 3, (("b",), False, True)),
        ([0, 0, 0], 4, (("other",), True, True)),
        ([0, 0, -1], 1, (("b",), False, False)),
        ([-1, -1], 1, ((), False, False)),
    ],
)
def test_categories_of_fewer_rows_are_other(codes, rare, expected):
    assert categories_of(("b", "a", "other", "c"), np.array(codes, np.int32), rare) == expected


@pytest.mark.parametrize(
    ("texts", "ordered"),
    [
        ({"10", "9", "2.0", "2", "-1e1"}, ("-1e1", "2", "2.0", "9", "10")),
        ({"10", "9", "b"}, ("10", "9", "b")),
        ({"10", "9", "inf"}, ("10", "9", "inf")),
        ({"10", "9", "nan"}, ("10", "9", "nan")),
        ({"B", "a", "ä"}, ("B", "a", "ä")),
        (set(), ()),
    ],
)
def test_numbers_come_in_their_order_and_texts_by_the_alphabet(texts, ordered):
    assert in_order(texts) == ordered
    assert are_finite_numbers(texts) == all(text.strip("-.e0123456789") == "" for text in texts)


def test_codes_of_files_become_positions_of_categories():
    known = [("x", ("a", "b", "other")), ("y", ("p",))]
    found = translations(known, {"x"}, [["b", "zz", "a"], ["q", "p"], ["not asked for"]])
    assert [each.tolist() for each in found] == [[1, 2, 0, -1], [-2, 0, -1]]


def test_a_codebook_gives_equal_texts_one_code_whatever_blanks_are_around_them():
    book = Codebook({"", "NA"})
    assert book.codes([" a", "b", "a ", " NA ", "", "b", "\t", "na"]).tolist() == [0, 1, 0, -1, -1, 1, -1, 2]
    assert book.codes(["c", "a"]).tolist() == [3, 0]
    assert book.texts == ["a", "b", "na", "c"]


@pytest.mark.parametrize("text", ["x\udc80", "\ud83d"])
def test_an_error_about_a_text_without_characters_has_its_place(text):
    book = Codebook()
    assert book.codes(["a\u200b", "tab\tulator", "\u2028"]).tolist() == [0, 1, 2]
    with pytest.raises(NoCharactersError) as caught:
        book.codes(["b", "a\u200b", "b", text, "c", text])
    assert caught.value.index == 3
