"""How the numbers of a table are written, found out from them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit import DataError
from mlpkit_plugins.tables.column_guess import RowSample
from mlpkit_plugins.tables.csv_reading import FORMATS, number_format
from mlpkit_plugins.tables.text_numbers import NumberFormat, numbers_of


def guessed(*columns, between_commas=True):
    """Return how the numbers of some columns seem to be written."""
    rows = range(2, 2 + len(columns[0]))
    named = {f"x{number}": list(column) for number, column in enumerate(columns)}
    sample = RowSample("t.csv", rows, named, {}, 0, len(rows))
    return number_format(sample, {""}, between_commas=between_commas)


def written_as(value, written):
    """Return a number with two decimals, in some way to write it."""
    return f"{value:,.2f}".replace(",", "T").replace(".", written.decimal).replace("T", written.thousands)


@given(st.sampled_from(FORMATS), st.lists(st.floats(-1e9, 1e9), min_size=1))
def test_any_way_is_found_and_read(written, values):
    values = [1234.5, 0.25, *values]
    texts = [written_as(value, written) for value in values]
    found = guessed(texts)
    assert found == written
    np.testing.assert_allclose(numbers_of(texts, (), found), values, rtol=1e-15, atol=0.005001)


@pytest.mark.parametrize(
    ("columns", "between_commas", "expected"),
    [
        ([["1", "2.5", "1e-3"]], True, NumberFormat()),
        ([["0.967", "1.234"]], True, NumberFormat()),
        ([["1,234", "5,678"]], True, NumberFormat(".", ",")),
        ([["1,234", "5,678"]], False, NumberFormat(",")),
        ([["1,234", "5678"]], True, NumberFormat(",")),  # thousands would be apart in both
        ([["0,967", "1,234"]], True, NumberFormat(",")),
        ([["1.234", "5.678"]], True, NumberFormat()),
        ([["1.234", "5.678"], ["0,5", "1,5"]], False, NumberFormat(",", ".")),
        ([["1,234", "?"], ["0.5", "1.5"]], False, NumberFormat(".", ",")),
        ([["1 234", "12"], ["0,5", "1,5"]], False, NumberFormat(",", " ")),
        ([["192.168.100.1", "10.0.0.1"], ["0.5", "1.5"]], True, NumberFormat()),
        ([["06 1234", "07 5678"], ["0.5", "1.5"]], True, NumberFormat()),
        ([["1,234", "2,345.5"], ["1 234", "2 345"]], True, NumberFormat(".", ",")),  # both can't be read
        ([["a,b", "c,d"]], True, NumberFormat()),
        ([[""] * 2], True, NumberFormat()),
    ],
)
def test_what_commas_and_points_mean(columns, between_commas, expected):
    assert guessed(*columns, between_commas=between_commas) == expected


def test_symbols_beside_numbers_with_spaces():
    assert guessed(["1 234,50 €", "12,00 €"]) == NumberFormat(",", " ", ("€",))


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            [["0.5", "1.5", "2,5"]],
            "row 4, column 'x0': '2,5' has a decimal comma, but '0.5' in row 2 has a point",
        ),
        (
            [["0,5", "1,5", "2.5", "7"]],
            "row 4, column 'x0': '2.5' has a decimal point, but '0,5' in row 2 has a comma",
        ),
        (
            [["7", "1.5"], ["8", "0,5"]],
            "row 3, column 'x1': '0,5' has a decimal comma, but '1.5' in row 3 of 'x0' has a point",
        ),
        (
            [["7", "1.5", "2"], ["8", "0,5", "0,25"]],
            "row 3, column 'x0': '1.5' has a decimal point, but '0,25' in row 4 of 'x1' has a comma",
        ),
        (
            [["$0.5", "$1.5"], ["0,5 kg", "1,5 kg"]],
            "row 2, column 'x1': '0,5 kg' has a decimal comma, but '$0.5' in row 2 of 'x0' has a point",
        ),
    ],
)
def test_the_rarer_of_two_decimal_signs_is_named(columns, expected):
    with pytest.raises(DataError) as caught:
        guessed(*columns)
    assert str(caught.value) == f"t.csv, {expected}; write all numbers of the file in one way"


@pytest.mark.parametrize(("others", "found"), [(1, NumberFormat(",")), (2, NumberFormat())])
def test_nine_of_ten_different_texts_that_are_numbers_tell_how_they_are_written(others, found):
    texts = [f"{i},5" for i in range(1, 10)]
    assert guessed([*texts, *["?", "N/A"] * 3, *texts[:2] * 9, *"xy"[:others]]) == found


@pytest.mark.parametrize(
    ("texts", "symbols"),
    [
        (["EUR 5", "EUR 6.5"], ("EUR",)),
        (["USD5", "USD6"], ("USD",)),
        (["US$5", "US$6"], ("US$",)),
        (["5kg", "6 kg"], ("kg",)),
        (["PAL0708", "PAL0809"], ()),
        (["$5", "$6", "7", "8 kg"], ()),
        (["$5", "$6", "$7", "8 kg", "9"], ("$",)),
        (["N1A2", "N3A4"], ()),
    ],
)
def test_symbols(texts, symbols):
    assert guessed(texts).symbols == symbols
