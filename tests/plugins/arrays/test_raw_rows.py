"""Rows that look raw where standardized ones are expected, and the blocks in which rows are read."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import RawArray
from mlpkit_plugins.arrays.raw_rows import check_finite, raw_array, raw_by_range, row_blocks

MEANS, STDS = np.array([50.0, -30.0]), np.array([2.0, 4.0])
"""So numbers from 42 to 58 and from -46 to -14 may be raw; standardized ones reach from -8 to 8."""


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([[50, -30]], (0, 0, 50)),
        ([[58, -14], [1, 1]], (0, 0, 58)),
        ([[1, 1], [42, -46]], (1, 0, 42)),
        ([[58.1, -30]], None),
        ([[50, -13.9]], None),
        ([[41.9, -30]], None),
        ([[50, -30], [1, -1], [0, 2]], None),
        ([[8.1, 8.1]], None),
    ],
)
def test_half_of_the_rows_must_be_as_raw_ones_and_far_from_standardized_ones(rows, found):
    assert raw_by_range(np.array(rows, np.float32), MEANS, STDS) == found


@pytest.mark.parametrize(("number", "looks_raw"), [(7.9, False), (8.1, True), (14, True), (14.1, False)])
def test_numbers_near_the_mean_are_told_apart_by_eight_deviations(number, looks_raw):
    assert (raw_by_range(np.array([[number]]), np.array([10.0]), np.array([1.0])) is not None) == looks_raw
    assert (raw_by_range(np.array([[-number]]), np.array([-10.0]), np.array([1.0])) is not None) == looks_raw


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ([5.1, 150], (0, 0, 5.1)),
        ([4.9, 150], (0, 1, 150)),
        ([10, 200], (0, 0, 10)),
        ([10.1, 150], None),
        ([0, 100], (0, 1, 100)),
        ([-0.1, 150], None),
        ([4, 5], None),
    ],
)
def test_the_ranges_of_training_are_widened_by_half_their_width(row, found):
    extents = np.array([[0.0, 10], [100, 200]])
    assert raw_by_range(np.array([row]), np.array([5.0, 150]), np.array([2.0, 20]), extents) == found


@pytest.mark.parametrize(("raw", "found"), [(500, (0, 0, 50)), (499, None)])
def test_the_first_thousand_rows_decide(raw, found):
    rows = np.ones((2000, 1, 2))
    rows[:raw] = rows[1000:] = [50, -30]
    assert raw_by_range(rows, MEANS, STDS) == found


@pytest.mark.parametrize(
    ("rows", "largest"),
    [
        ([2.5, -7.5, 3], 7.5),
        ([2.5, 7.5, -3], 7.5),
        ([[-1.5, -2], [-0.5, -1]], 2),
        (np.array([1, -2], np.int16), 2**15 - 1),
        ([True, False], 1),
    ],
)
def test_no_number_is_beyond_the_bound(rows, largest, monkeypatch):
    monkeypatch.setattr("mlpkit_plugins.arrays.raw_rows._VALUES_TOGETHER", 2)
    assert check_finite(np.array(rows), "x") == largest


def test_blocks_hold_as_many_rows_as_fit_and_at_least_one(monkeypatch):
    monkeypatch.setattr("mlpkit_plugins.arrays.raw_rows._VALUES_TOGETHER", 9)
    rows = np.arange(20).reshape(5, 2, 2)
    assert [(begin, part.tolist()) for begin, part in row_blocks(rows)] == [
        (begin, rows[begin : begin + 2].tolist()) for begin in (0, 2, 4)
    ]
    assert [begin for begin, _ in row_blocks(np.zeros((3, 10)))] == [0, 1, 2]


def test_an_array_in_several_files_is_described_as_one():
    files = [np.array([[3, -2]], np.int8), np.array([[1.5, 7]]), np.array([[0, 4]], np.int8)]
    assert raw_array("x", "input", files) == RawArray("x", "input", "int8, float64", (2,), -2.0, 7.0)
