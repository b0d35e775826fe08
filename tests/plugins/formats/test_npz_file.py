"""Arrays in .npz archives: stored or compressed, and archives that are something else."""

from __future__ import annotations

import re
import zipfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from mlpkit import DataError
from mlpkit_plugins.formats.npz_file import check_checksum, npz_array, npz_shapes
from mlpkit_plugins.formats.rows_on_disk import RowsOnDisk

X, T = np.arange(24.0).reshape(4, 3, 2), np.array([3, 1, 4, 1], np.int16)


@pytest.fixture
def opened(tmp_path):
    """Return a function that writes an archive of named contents, and opens it."""
    with ExitStack() as files:

        def write(members, compression=zipfile.ZIP_STORED):
            with zipfile.ZipFile(tmp_path / "a.npz", "w", compression) as archive:
                for name, content in members:
                    with archive.open(name, "w") as member:
                        np.save(member, content) if isinstance(content, np.ndarray) else member.write(content)
            return files.enter_context((tmp_path / "a.npz").open("rb"))

        yield write


BOTH = [("x.npy", X), ("deep/t.npy", T)]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_arrays_stay_in_the_file_if_they_are_not_compressed(opened, compression):
    file = opened(BOTH, compression)
    for name, array in (("x", X), ("deep/t", T)):
        found = npz_array(file, name, "a.npz")
        assert isinstance(found, RowsOnDisk) == (compression == zipfile.ZIP_STORED)
        assert (found.shape, found.dtype) == (array.shape, array.dtype)
        assert found[1:3].tolist() == array[1:3].tolist()
        check_checksum(file, name, "a.npz")


def test_shapes_are_known_of_arrays_of_numbers(opened):
    members = [*BOTH, ("names.npy", np.array(["a"])), ("notes.txt", b"none")]
    shapes = {"x": (4, 3, 2), "deep/t": (4,), "names": None, "notes.txt": None}
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert npz_shapes(opened(members, compression), "a.npz") == shapes


def spoiled(file):
    """Change a number of the last array of an archive."""
    content = bytearray(file.read())
    content[content.rindex(T.tobytes()) + 2] ^= 1
    Path(file.name).write_bytes(content)
    return file


def test_a_wrong_checksum_is_found_when_it_is_checked(opened):
    file = spoiled(opened(BOTH))
    assert npz_array(file, "deep/t", "a.npz")[:].tolist() == [3, 0, 4, 1]
    check_checksum(file, "x", "a.npz")
    with pytest.raises(DataError, match=r"^a\.npz: can't be read as an \.npz file: Bad CRC-32 for file 'deep/t\.npy'$"):
        check_checksum(file, "deep/t", "a.npz")


MISTAKES = {
    "another name": (BOTH, "y", "there is no array 'y'; it has x, deep/t; name one of these"),
    "a mistyped name": ([("inputs.npy", X)], "input", "there is no array 'input'; did you mean 'inputs'?"),
    "many names": (
        [(f"a{i}.npy", T) for i in range(12)],
        "other",
        "there is no array 'other'; it has a0, a1, a2, a3, a4, a5, a6, a7, a8, a9 and 2 more; name one of these",
    ),
    "no array": ([], "x", "there is no array 'x'; it has none; name one of these"),
    "two of a name": ([("x.npy", X), ("x", b"2")], "x", "there are 2 arrays 'x'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_an_array_that_is_not_there_once_is_an_error(opened, mistake):
    members, name, message = MISTAKES[mistake]
    for use in (npz_array, check_checksum):
        with pytest.raises(DataError, match=f"^a\\.npz: {re.escape(message)}$"):
            use(opened(members), name, "a.npz")


def test_an_encrypted_array_is_not_read_as_numbers(opened):
    file = opened([("x.npy", X)])
    content = bytearray(file.read())
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # of the array, and in the list of all
        content[content.index(header) + flags] |= 1
    Path(file.name).write_bytes(content)
    with pytest.raises(DataError, match=r"^a\.npz: can't be read as an \.npz file: .* is encrypted, "):
        npz_array(file, "x", "a.npz")


def test_an_array_of_texts_is_named(opened):
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with pytest.raises(DataError, match=r"^a\.npz, array 'names', byte \d+: holds <U1; expected numbers"):
            npz_array(opened([("names.npy", np.array(["a"]))], compression), "names", "a.npz")


def test_another_format_is_named_with_the_data_set_for_it(tmp_path):
    np.save(tmp_path / "x.npy", X)
    (tmp_path / "a.txt").write_text("an array")
    for name, message in (
        ("x.npy", "is an .npy file, of one array; read it with the data set npy"),
        ("a.txt", "can't be read as an .npz file: File is not a zip file"),
    ):
        for use in (npz_shapes, lambda file, name: npz_array(file, "x", name)):
            with (
                (tmp_path / name).open("rb") as file,
                pytest.raises(DataError, match=f"^{name}: {re.escape(message)}$"),
            ):
                use(file, name)
