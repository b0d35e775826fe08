"""Arrays that stay in their files: the rows that NumPy gives, and an error once the file is no longer the same."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from mlpkit import DataError, read_npy_header
from mlpkit_plugins.formats import rows_on_disk
from mlpkit_plugins.formats.rows_on_disk import RowsOnDisk

CHANGED = r"^x.npy: the file was overwritten or truncated while it was in use; train on a copy that doesn't change$"


def opened(path):
    with path.open("rb") as file:
        return RowsOnDisk(file, read_npy_header(file, "x.npy", path.stat().st_size), "x.npy")


@pytest.fixture
def row_by_row(monkeypatch):
    """Take every array for one that is too large to be copied."""
    monkeypatch.setattr(rows_on_disk, "LARGEST_COPY", 0)


@pytest.fixture
def path(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(120.0).reshape(40, 3))
    return tmp_path / "x.npy"


@given(st.data())
@pytest.mark.parametrize("largest_copy", [0, 1 << 28])
def test_the_rows_are_those_of_numpy(tmp_path_factory, largest_copy, data):
    shape = data.draw(array_shapes(max_dims=4, max_side=6))
    dtype = data.draw(st.sampled_from(["u1", "<i2", ">i4", "<f8", ">f4", "?"]))
    x = np.arange(np.prod(shape)).astype(dtype).reshape(shape)
    path = tmp_path_factory.getbasetemp() / "rows.npy"
    np.save(path, np.asarray(x, order=data.draw(st.sampled_from("CF"))))
    indices = np.array(data.draw(st.lists(st.integers(0, shape[0] - 1))), np.int64)
    chosen = slice(data.draw(st.integers(0, 7)), data.draw(st.integers(0, 7)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows_on_disk, "LARGEST_COPY", largest_copy)
        rows = opened(path)
    assert (rows.shape, rows.dtype) == (x.shape, x.dtype)
    np.testing.assert_array_equal(rows[indices], x[indices])
    np.testing.assert_array_equal(rows[chosen], x[chosen])


@pytest.mark.parametrize("index", [-1, 40])
def test_a_row_that_is_not_there_is_an_error(path, row_by_row, index):
    rows = opened(path)
    with pytest.raises(IndexError, match=r"^rows are numbered from 0 to 39$"):
        rows[np.array([3, index])]


CHANGES = {
    "cut": lambda path: os.truncate(path, 200),
    "emptied": lambda path: os.truncate(path, 0),
    "made longer": lambda path: os.truncate(path, 10_000),
    "overwritten by other numbers": lambda path: (np.save(path, np.zeros((40, 3))), os.utime(path, (1e9, 1e9))),
}
ROWS = {"in any order": np.array([39, 3]), "in order": slice(30, 40)}


@pytest.mark.parametrize(("largest", "is_copied"), [(960, True), (959, False)])
def test_an_array_of_up_to_the_largest_size_is_copied(path, monkeypatch, largest, is_copied):
    monkeypatch.setattr(rows_on_disk, "LARGEST_COPY", largest)
    rows = opened(path)
    assert rows[:2].tolist() == [[0, 1, 2], [3, 4, 5]]
    os.utime(path, (1e9, 1e9))
    if is_copied:
        assert rows[np.array([39])].tolist() == [[117, 118, 119]]
    else:
        with pytest.raises(DataError, match=CHANGED):
            rows[:2]


@pytest.mark.parametrize(
    ("error", "reason"), [(OSError(5, "Input/output error"), "Input/output error"), (OSError("odd"), "odd")]
)
@pytest.mark.parametrize("chosen", ROWS.values(), ids=ROWS)
def test_a_file_that_can_not_be_read_is_an_error_with_the_reason(path, row_by_row, monkeypatch, chosen, error, reason):
    def fail(*_):
        raise error

    monkeypatch.setattr(rows_on_disk, "read_at", fail)
    monkeypatch.setattr(rows_on_disk, "read_rows", fail)
    with pytest.raises(DataError, match=f"^x.npy: can't be read: {reason}$"):
        opened(path)[chosen]


def test_no_rows_are_an_empty_array(path, row_by_row):
    rows = opened(path)
    for none in (np.array([], np.int64), slice(3, 3), slice(7, 2)):
        assert (rows[none].shape, rows[none].dtype) == ((0, 3), np.float64)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("chosen", ROWS.values(), ids=ROWS)
def test_a_file_that_was_changed_is_an_error(path, row_by_row, change, chosen):
    rows = opened(path)
    rows[chosen]
    change(path)
    with pytest.raises(DataError, match=CHANGED):
        rows[chosen]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_copy_is_taken_of_the_file_as_it_was_opened_and_stays(path, change):
    before, after = opened(path), opened(path)
    expected = np.array(before[:])
    change(path)
    np.testing.assert_array_equal(before[:], expected)
    with pytest.raises(DataError, match=CHANGED):
        after[:]


def test_a_file_that_another_replaces_stays_open(path, row_by_row):
    rows = opened(path)
    np.save(path.with_name("y.npy"), np.zeros((40, 3)))
    path.with_name("y.npy").replace(path)
    assert rows[np.array([39])].tolist() == [[117.0, 118.0, 119.0]]


def test_rows_are_read_one_by_one_where_there_is_no_memory_for_all(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", np.arange(12.0).reshape(4, 3))
    rows, wholly, tries = opened(tmp_path / "x.npy"), np.empty, []

    def empty(shape, dtype):
        if shape == (4, 3):
            tries.append(shape)
            raise MemoryError
        return wholly(shape, dtype)

    monkeypatch.setattr(rows_on_disk.np, "empty", empty)
    assert rows[np.array([2])].tolist() == [[6.0, 7.0, 8.0]]
    assert rows[1:3].tolist() == [[3.0, 4.0, 5.0], [6.0, 7.0, 8.0]]
    assert len(tries) == 1, "a copy is tried once"
    np.save(tmp_path / "x.npy", np.arange(12.0).reshape(3, 4).T)
    with pytest.raises(DataError, match=r"^x.npy: is in Fortran order, and larger than memory; save np"):
        opened(tmp_path / "x.npy")[:2]


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux lists open files")
def test_the_file_is_closed_with_the_array(path):
    before = open_files()
    rows = opened(path)
    assert open_files() == before + 1
    del rows
    assert open_files() == before
