"""Texts of data in messages, and which of them are numbers."""

from __future__ import annotations

import pytest

from mlpkit_plugins.formats.texts import first_of, remedy_for_no_names, shown_text, shown_texts, writes_number


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a b", "'a b'"),
        ("it's", '"it\'s"'),
        ("x" * 40, f"'{'x' * 40}'"),
        ("x" * 41, f"'{'x' * 40}...'"),
        ("a\t\0", r"'a\t\x00'"),
        ("gr\udcf6\udc80\udcff", r"'gr\xf6\x80\xff'"),
        ("\ud800", r"'\ud800'"),
    ],
)
def test_a_text_is_shown_in_quotes_short_and_with_wrong_bytes_as_escapes(text, shown):
    assert shown_text(text) == shown


@pytest.mark.parametrize(("count", "end"), [(0, ""), (1, ""), (10, ""), (11, " and 1 more"), (1213, " and 1,203 more")])
def test_of_many_items_ten_are_listed_and_the_rest_counted(count, end):
    items = [f"c{i}" for i in range(count)]
    assert first_of(items) == ", ".join(items[:10]) + end
    assert shown_texts(items) == ", ".join(f"'{item}'" for item in items[:10]) + end


@pytest.mark.parametrize(
    ("text", "is_number"),
    [("1", True), (" -2.5e3 ", True), ("inf", True), ("NaN", True), ("1_0", True), ("", False), ("1,5", False)],
)
def test_a_text_is_a_number_if_python_reads_it_as_one(text, is_number):
    assert writes_number(text) is is_number


def test_names_with_a_number_among_them_may_be_data():
    assert remedy_for_no_names(["a", "2.5"], 3) == "set header to the names of the columns, if row 3 holds data"
    assert remedy_for_no_names(["a", "b2"], 3) == ""
