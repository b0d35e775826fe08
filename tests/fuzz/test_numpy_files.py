"""Arrays of the user's: damage is caught as far as the format can tell, and nothing in a file is ever run."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fuzzing.damage import flipped_bits, mutants, truncations
from fuzzing.watch import Limits, campaign

from mlpkit.numpy_file import read_numpy_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

ROWS = np.random.default_rng(0).normal(size=(10, 20)).astype(np.float32)
LIMITS = Limits(memory=4_000_000)
counts = pytest.mark.parametrize(
    "count", [pytest.param(150, id="short"), pytest.param(10_000, id="long", marks=pytest.mark.fuzz)]
)


def written(save: Callable[[io.BytesIO, NDArray[np.float32]], None]) -> bytes:
    file = io.BytesIO()
    save(file, ROWS)
    return file.getvalue()


NPY = written(np.save)
NPZ = written(np.savez)
PACKED = written(np.savez_compressed)


def test_whole_files_are_read(tmp_path: Path) -> None:
    for name, content in (("x.npy", NPY), ("x.npz", NPZ), ("packed.npz", PACKED)):
        (tmp_path / name).write_bytes(content)
        np.testing.assert_array_equal(read_numpy_file(tmp_path / name), ROWS)


@pytest.mark.parametrize(("name", "content"), [("x.npy", NPY), ("x.npz", NPZ), ("packed.npz", PACKED)])
def test_every_truncation(tmp_path: Path, name: str, content: bytes) -> None:
    assert campaign(read_numpy_file, truncations(content), tmp_path / name, limits=LIMITS).refused == len(content)


def test_a_flipped_bit_of_a_plain_file_changes_one_number_at_most(tmp_path: Path) -> None:
    def nearly_the_same(found: NDArray[np.float32]) -> bool:
        if found.size != ROWS.size:
            return False
        if found.dtype != ROWS.dtype or found.shape != ROWS.shape:  # a digit of the header, still consistent
            return found.nbytes == ROWS.nbytes
        return bool(np.not_equal(found, ROWS).sum() <= 1 or np.array_equal(found.reshape(20, 10).T, ROWS))

    header = list(flipped_bits(NPY))
    campaign(read_numpy_file, header[: 8 * 128] + header[8 * 128 :: 7], tmp_path / "x.npy", may_accept=nearly_the_same)


@pytest.mark.parametrize("step", [pytest.param(11, id="short"), pytest.param(3, id="long", marks=pytest.mark.fuzz)])
@pytest.mark.parametrize("content", [NPZ, PACKED])
def test_a_flipped_bit_of_an_archive_changes_nothing(tmp_path: Path, content: bytes, step: int) -> None:
    def same(found: NDArray[np.float32]) -> bool:
        return np.array_equal(found, ROWS)

    campaign(read_numpy_file, list(flipped_bits(content))[::step], tmp_path / "x.npz", may_accept=same, limits=LIMITS)


@counts
@pytest.mark.parametrize(("name", "content"), [("x.npy", NPY), ("x.npz", NPZ), ("packed.npz", PACKED)])
def test_mutants(tmp_path: Path, name: str, content: bytes, count: int) -> None:
    print("seed 9")  # noqa: T201 - to repeat a failure

    def numbers(found: NDArray[np.float32]) -> bool:
        return found.dtype.kind in "biuf" and found.nbytes <= 2 * ROWS.nbytes

    changed = mutants(content, random.Random(9), count)
    campaign(read_numpy_file, changed, tmp_path / name, may_accept=numbers, limits=LIMITS)
