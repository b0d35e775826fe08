"""IDX files: what is written comes back, and nothing damaged gets through."""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlpkit import DataError
from mlpkit_plugins.formats.idx import idx_error, idx_header, read_idx, read_idx_and_checksum, read_idx_shape

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

TEN_IMAGES = np.random.default_rng(0).integers(0, 256, (10, 3, 4)).astype(np.uint8)

on_files = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def idx(values: NDArray[Any]) -> bytes:
    return struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()


def error_of(path: Path, rank: int = 3) -> str:
    with pytest.raises(DataError) as caught:
        read_idx(path, rank)
    return str(caught.value).replace(str(path.parent), "FOLDER")


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@on_files
@given(values=arrays.arrays(np.uint8, arrays.array_shapes(min_dims=1, max_dims=4, max_side=6)), packed=st.booleans())
def test_what_is_written_is_read(tmp_path: Path, values: NDArray[np.uint8], packed: bool) -> None:
    content = idx(values)
    path = write(tmp_path / "x.gz", gzip.compress(content)) if packed else write(tmp_path / "x", content)
    found = read_idx(path, values.ndim)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, values)
    assert read_idx_shape(path, values.ndim) == values.shape
    assert idx_header(values.shape) + values.tobytes() == content


def test_a_checksum_is_that_of_the_content(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(0, 256, (3, 1024, 1000)).astype(np.uint8)  # some steps long
    content = idx(values)
    for path in (write(tmp_path / "x", content), write(tmp_path / "x.gz", gzip.compress(content, 1))):
        found, checksum = read_idx_and_checksum(path, 3)
        np.testing.assert_array_equal(found, values)
        assert checksum == hashlib.sha256(content).hexdigest()


def test_a_damaged_file_has_no_checksum(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the content is too short"):
        read_idx_and_checksum(write(tmp_path / "x", idx(TEN_IMAGES)[:-1]), 3)


def test_the_array_can_be_written_to(tmp_path: Path) -> None:
    read_idx(write(tmp_path / "x", idx(TEN_IMAGES)), 3)[0] = 1


def test_reads_more_than_one_step_at_a_time(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(0, 256, (3, 1024, 1000)).astype(np.uint8)
    for path in (write(tmp_path / "x", idx(values)), write(tmp_path / "x.gz", gzip.compress(idx(values), 1))):
        np.testing.assert_array_equal(read_idx(path, 3), values)


def test_every_truncation_is_an_error(tmp_path: Path) -> None:
    content = idx(TEN_IMAGES)
    for length in range(len(content)):
        path = write(tmp_path / "x", content[:length])
        with pytest.raises(DataError, match=r"ends|is too short") as caught:
            read_idx(path, 3)
        assert caught.value.byte == length
        with pytest.raises(DataError):
            read_idx_shape(path, 3)


def test_every_truncation_before_compression_is_an_error(tmp_path: Path) -> None:
    content = idx(TEN_IMAGES)
    for length in range(len(content)):
        with pytest.raises(DataError, match=r"ends|is too short") as caught:
            read_idx(write(tmp_path / "x.gz", gzip.compress(content[:length])), 3)
        assert caught.value.byte == length


def test_every_truncation_of_a_compressed_file_is_an_error(tmp_path: Path) -> None:
    packed = gzip.compress(idx(TEN_IMAGES))
    for length in range(len(packed)):
        with pytest.raises(DataError):
            read_idx(write(tmp_path / "x.gz", packed[:length]), 3)


def test_a_flipped_bit_of_a_compressed_file_never_changes_the_array(tmp_path: Path) -> None:
    packed = gzip.compress(idx(TEN_IMAGES))
    errors = 0
    for bit in range(8 * len(packed)):
        damaged = bytearray(packed)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            found = read_idx(write(tmp_path / "x.gz", bytes(damaged)), 3)
        except DataError:
            errors += 1
        else:  # a bit of the time stamp, say, or one that happens to mean the same
            np.testing.assert_array_equal(found, TEN_IMAGES)
    assert errors > 8 * (len(packed) - 12)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"\x00\x00\x08\x01" + bytes(12),
            "FOLDER/x, byte 3: the magic number is 0x00000801; expected 0x00000803, "
            "which stands for bytes in 3 dimensions",
        ),
        (
            b"\x00\x00\x0d\x03" + bytes(12),
            "FOLDER/x, byte 2: the magic number is 0x00000d03; expected 0x00000803, "
            "which stands for bytes in 3 dimensions",
        ),
        (
            b"\x89PNG",
            "FOLDER/x, byte 0: the magic number is 0x89504e47; expected 0x00000803, "
            "which stands for bytes in 3 dimensions",
        ),
        (b"", "FOLDER/x, byte 0: the content ends within the header; expected a header of 16 bytes"),
        (idx(TEN_IMAGES)[:15], "FOLDER/x, byte 15: the content ends within the header; expected a header of 16 bytes"),
        (
            struct.pack(">4I", 0x803, 10, 0, 4),
            "FOLDER/x, byte 8: dimension 2 of 3 has length 0; expected at least 1",
        ),
        (
            idx(TEN_IMAGES)[:-1],
            "FOLDER/x, byte 135: the content is too short; the header declares 10 x 3 x 4 elements, 136 bytes in all",
        ),
        (
            idx(TEN_IMAGES) + b"!",
            "FOLDER/x, byte 136: the content is too long; the header declares 10 x 3 x 4 elements, 136 bytes in all",
        ),
        (
            struct.pack(">4I", 0x803, 4_000_000_000, 28, 28),
            "FOLDER/x, byte 16: the content is too short; "
            "the header declares 4000000000 x 28 x 28 elements, 3,136,000,000,016 bytes in all",
        ),
    ],
)
def test_a_wrong_file_is_explained(tmp_path: Path, content: bytes, message: str) -> None:
    assert error_of(write(tmp_path / "x", content)) == message
    packed = error_of(write(tmp_path / "x.gz", gzip.compress(content)))
    if "4000000000" not in message:  # refused for another reason: see below
        assert packed == message.replace("/x", "/x.gz") + " (counted in the decompressed content)"


def test_a_labels_file_has_one_dimension(tmp_path: Path) -> None:
    assert error_of(write(tmp_path / "x", idx(TEN_IMAGES)), rank=1) == (
        "FOLDER/x, byte 3: the magic number is 0x00000803; expected 0x00000801, which stands for bytes in 1 dimension"
    )


def test_more_than_compression_can_hold_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.gz", gzip.compress(struct.pack(">4I", 0x803, 4_000_000_000, 28, 28), mtime=0))
    message = (
        f"FOLDER/x.gz, byte 4: the header declares 4000000000 x 28 x 28 elements, 3,136,000,000,016 bytes in all, "
        f"more than {path.stat().st_size} compressed bytes can hold (counted in the decompressed content)"
    )
    assert error_of(path) == message
    with pytest.raises(DataError, match="compressed bytes can hold"):
        read_idx_shape(path, 3)


def test_a_compressed_file_holds_at_most_1032_times_its_bytes(tmp_path: Path) -> None:
    def declaring(labels: int) -> Path:
        return write(tmp_path / "X.GZ", gzip.compress(struct.pack(">2I", 0x801, labels), compresslevel=0, mtime=0))

    most = 1032 * declaring(1).stat().st_size - 8
    assert read_idx_shape(declaring(most), 1) == (most,)
    with pytest.raises(DataError, match=f"declares {most + 1} elements, .*more than .* compressed bytes can hold"):
        read_idx_shape(declaring(most + 1), 1)


@pytest.mark.parametrize(("name", "note"), [("x", ""), ("x.gz", " (counted in the decompressed content)")])
def test_an_array_that_does_not_fit_into_memory_is_an_error_of_the_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, note: str
) -> None:
    def empty(shape: tuple[int, ...], dtype: type) -> Any:
        raise MemoryError

    content = idx(TEN_IMAGES) if name == "x" else gzip.compress(idx(TEN_IMAGES))
    path = write(tmp_path / name, content)
    monkeypatch.setattr(np, "empty", empty)
    assert error_of(path) == (
        f"FOLDER/{name}, byte 4: the header declares 10 x 3 x 4 elements, 136 bytes in all, "
        f"more than fits into memory{note}"
    )


def test_the_densest_compression_is_accepted(tmp_path: Path) -> None:
    values = np.zeros((100, 1000, 100), np.uint8)
    packed = gzip.compress(idx(values), 9)
    assert values.size > 1000 * len(packed)
    np.testing.assert_array_equal(read_idx(write(tmp_path / "x.gz", packed), 3), values)


def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    import tracemalloc

    bomb = gzip.compress(idx(TEN_IMAGES) + bytes(200_000_000), 1)
    path = write(tmp_path / "x.gz", bomb)
    tracemalloc.start()
    try:
        message = error_of(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert message == (
        "FOLDER/x.gz, byte 136: the content is too long; the header declares 10 x 3 x 4 elements, "
        "136 bytes in all (counted in the decompressed content)"
    )
    assert peak < 20_000_000


def test_gzip_damage_is_explained(tmp_path: Path) -> None:
    packed = gzip.compress(idx(TEN_IMAGES))
    path = tmp_path / "x.gz"
    for content in (packed[:50], packed + packed[:7]):
        write(path, content)
        assert error_of(path) == "FOLDER/x.gz: the compressed content ends too early; the file is incomplete"
    for content in (
        packed[:-8] + bytes(8),
        packed[:-4] + bytes(4),
        packed[:10] + b"\xff" * 40,
        packed[:2] + b"\x09" + packed[3:],
        packed + b"more",
        idx(TEN_IMAGES),
    ):
        write(path, content)
        message = error_of(path)
        assert message.startswith("FOLDER/x.gz: the compressed content is damaged: ")
        assert message.endswith("; restore the file from a copy")


def test_a_gzip_file_of_several_members_is_one_content(tmp_path: Path) -> None:
    content = idx(TEN_IMAGES)
    path = write(tmp_path / "x.gz", gzip.compress(content[:20]) + gzip.compress(content[20:]))
    np.testing.assert_array_equal(read_idx(path, 3), TEN_IMAGES)


def test_a_header_is_read_from_the_first_bytes_alone(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (1000, 28, 28)).astype(np.uint8)
    packed = gzip.compress(idx(values), 1)
    path = write(tmp_path / "x.gz", packed[:300_000] + b"\xff" * (len(packed) - 300_000))
    assert read_idx_shape(path, 3) == (1000, 28, 28)
    with pytest.raises(DataError):
        read_idx(path, 3)


def test_what_is_not_a_file_is_an_error(tmp_path: Path) -> None:
    assert error_of(tmp_path / "x") == "FOLDER/x: no such file"
    (tmp_path / "y").mkdir()
    assert error_of(tmp_path / "y") == "FOLDER/y: is a folder; expected an IDX file"
    os.mkfifo(tmp_path / "z")
    assert error_of(tmp_path / "z") == "FOLDER/z: is not a regular file; expected an IDX file"
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert error_of(tmp_path / "loop").startswith("FOLDER/loop: can't be read: ")


def test_a_byte_of_a_compressed_file_is_one_of_its_content(tmp_path: Path) -> None:
    assert str(idx_error(tmp_path / "x", "wrong", byte=3)) == f"{tmp_path}/x, byte 3: wrong"
    assert str(idx_error(tmp_path / "x.gz", "wrong", byte=3)) == (
        f"{tmp_path}/x.gz, byte 3: wrong (counted in the decompressed content)"
    )
