"""What the kernels in NumPy do by themselves: rounding to bfloat16, reading in pieces, and numbering fields."""

from __future__ import annotations

from threading import Thread

import numpy as np
import pytest

from mlpkit_plugins.files.regular_file import read_at
from mlpkit_plugins.kernels import with_numpy as kernels

THIRD, ROUNDED = np.float32(1 / 3), np.float32(0.333984375)
"""A number, and the nearest of those with eight significant bits."""


def found(dtype=np.float32):
    """Return the product of a third and 1, without and with a row of zeros."""
    a, b, out = np.full((1, 1), THIRD, dtype), np.ones((1, 1), dtype), np.empty((1, 1), dtype)
    alone = kernels.product(a, b, out).item()
    assert kernels.product_plus_row(a, b, np.zeros(1, dtype), out).item() == alone
    return alone


@pytest.fixture(autouse=True)
def as_before():
    """Make sure that a test leaves no mode behind."""
    before = vars(kernels._MODE).copy()
    yield
    vars(kernels._MODE).update({"bfloat16": 0, "row_order": 0, **before})


def test_calls_are_counted_and_row_order_wins():
    steps = [
        (None, THIRD),
        (kernels.begin_bfloat16, ROUNDED),
        (kernels.begin_bfloat16, ROUNDED),
        (kernels.end_bfloat16, ROUNDED),
        (kernels.begin_row_order, THIRD),
        (kernels.begin_row_order, THIRD),
        (kernels.end_row_order, THIRD),
        (kernels.end_row_order, ROUNDED),
        (kernels.end_bfloat16, THIRD),
        (kernels.begin_row_order, THIRD),
        (kernels.begin_bfloat16, THIRD),
        (kernels.end_row_order, ROUNDED),
        (kernels.end_bfloat16, THIRD),
    ]
    for change, expected in steps:
        if change is not None:
            change()
        assert found() == expected


def test_float64_vectors_and_other_threads_are_not_rounded():
    kernels.begin_bfloat16()
    assert found() == ROUNDED
    assert found(np.float64) == THIRD
    assert kernels.product(np.full(1, THIRD), np.ones((1, 1), np.float32), np.empty(1, np.float32))[0] == THIRD
    elsewhere = []
    thread = Thread(target=lambda: elsewhere.append(found()))
    thread.start()
    thread.join()
    assert elsewhere == [THIRD]


def test_both_factors_are_rounded():
    kernels.begin_bfloat16()
    one, third = np.ones((1, 1), np.float32), np.full((1, 1), THIRD)
    for factors in ((one, third), (third, one)):
        assert kernels.product(*factors, np.empty((1, 1), np.float32)).item() == ROUNDED
    assert kernels.product(third, third, np.empty((1, 1), np.float32)).item() == ROUNDED * ROUNDED


@pytest.mark.parametrize("most", [1, 5, 7, 1000])
def test_rows_are_read_whole_however_few_bytes_come_at_a_time(tmp_path, monkeypatch, most):
    rows = np.arange(24, dtype=np.int16).reshape(6, 4)
    (tmp_path / "rows").write_bytes(b"abc" + rows.tobytes())
    monkeypatch.setattr(kernels, "read_at", lambda file, place, target: read_at(file, place, target[:most]))
    with (tmp_path / "rows").open("rb") as file:
        out = np.zeros((3, 2, 2), np.int16)
        assert kernels.read_rows(file.fileno(), 3, np.array([5, 0, 2]), out)
        np.testing.assert_array_equal(out.reshape(3, 4), rows[[5, 0, 2]])
        assert not kernels.read_rows(file.fileno(), 4, np.array([0, 5]), np.zeros((2, 4), np.int16))
        assert not kernels.read_rows(file.fileno(), 3, np.array([6]), np.zeros((1, 4), np.int16))


def test_records_of_a_csv_file_are_left_to_python():
    syntax, places = (b",", b'"', b".", b"", b"", 99), np.array([0, -1], np.int32)
    room = np.full(1, -1), np.full((1, 1, 2), -1, np.int32), np.full((1, 1), 7.5), np.ones(1, bool)
    assert kernels.read_csv_records(b"a,b\n1,2\n", 4, syntax, places, *room) == (0, 0, 4, True)
    assert [array.tolist() for array in room] == [[-1], [[[-1, -1]]], [[7.5]], [True]]


def test_fields_are_numbered_in_order_and_quotes_make_a_difference():
    data = b',x,,ab,"a""b",ab,a""b,c'
    places = [(0, 0), (1, 1), (3, 0), (4, 2), (8, ~4), (14, 2), (17, 4), (22, 1), (4, 2)]
    fields = np.array(places, np.int32).reshape(9, 1, 2)
    fields = np.concatenate([np.zeros_like(fields), fields], axis=1)
    codes, firsts = np.full(9, -1, np.int32), np.full(9, -1, np.int32)
    assert kernels.distinct_fields(data, fields, 1, codes, firsts) == 6
    assert codes.tolist() == [0, 1, 0, 2, 3, 2, 4, 5, 2]
    assert firsts.tolist() == [0, 1, 3, 4, 6, 7, -1, -1, -1]
    assert data[8:12] == data[17:21] == b'a""b'
