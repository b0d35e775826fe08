"""IDX files of ten images: every truncation and every flipped bit is caught, or changes nothing."""

from __future__ import annotations

import gzip
import random
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fuzzing.damage import flipped_bits, mutants, truncations
from fuzzing.watch import Limits, campaign

from mlpkit import DataError
from mlpkit_plugins.formats.idx import LARGEST_DEFLATE_RATIO, read_idx

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

IMAGES = np.random.default_rng(0).integers(0, 256, (10, 28, 28)).astype(np.uint8)
RAW = struct.pack(">4I", 0x803, *IMAGES.shape) + IMAGES.tobytes()
PACKED = gzip.compress(RAW, mtime=0)
HEADER_BITS = 8 * 16
LIMITS = Limits(memory=1_000_000 + LARGEST_DEFLATE_RATIO * len(PACKED))
"""A header may declare as much as the file could hold; that is set aside, and never filled."""
LENGTHS = pytest.mark.parametrize(
    "every", [pytest.param(37, id="short"), pytest.param(1, id="long", marks=pytest.mark.fuzz)]
)


def expect_byte(error: DataError) -> None:
    """Only of damage that zlib finds, the byte is unknown."""
    assert error.byte is not None or ": the compressed content " in str(error), str(error)


def read(path: Path) -> NDArray[np.uint8]:
    """Read images, and see that an error says at which byte."""
    try:
        return read_idx(path, 3)
    except DataError as error:
        expect_byte(error)
        raise


def same(found: NDArray[np.uint8]) -> bool:
    return np.array_equal(found, IMAGES)


@LENGTHS
def test_every_truncation(tmp_path: Path, every: int) -> None:
    cut = list(truncations(RAW))[::every]
    assert campaign(read, cut, tmp_path / "x", limits=LIMITS).refused == len(cut)


@LENGTHS
def test_every_truncation_of_a_compressed_file(tmp_path: Path, every: int) -> None:
    cut = list(truncations(PACKED))[::every]
    assert campaign(read, cut, tmp_path / "x.gz", limits=LIMITS).refused == len(cut)


def test_every_flipped_bit_of_the_header(tmp_path: Path) -> None:
    flipped = list(flipped_bits(RAW))[:HEADER_BITS]
    assert campaign(read, flipped, tmp_path / "x", limits=LIMITS).refused == HEADER_BITS


@LENGTHS
def test_every_flipped_bit_of_a_compressed_file(tmp_path: Path, every: int) -> None:
    report = campaign(read, list(flipped_bits(PACKED))[::every], tmp_path / "x.gz", may_accept=same, limits=LIMITS)
    # Nothing guards the six bytes of time stamp, compression level and operating system, the flag that says that
    # it is text, the three reserved ones, and up to seven bits between the beginning of a block and its bytes.
    assert report.accepted <= 8 * 6 + 1 + 3 + 7


@pytest.mark.parametrize(
    "count", [pytest.param(100, id="short"), pytest.param(10_000, id="long", marks=pytest.mark.fuzz)]
)
def test_mutants_of_a_compressed_file(tmp_path: Path, count: int) -> None:
    print("seed 8")  # noqa: T201 - to repeat a failure
    campaign(read, mutants(PACKED, random.Random(8), count), tmp_path / "x.gz", may_accept=same, limits=LIMITS)
