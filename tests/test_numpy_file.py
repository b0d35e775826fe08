"""Arrays of the user's in .npy and .npz files: which one is read, and what is said of a file that holds none."""

from __future__ import annotations

import errno
import io
import os
import warnings
import zipfile

import numpy as np
import pytest

from mlpkit.errors import DataError
from mlpkit.numpy_file import read_numpy_file

WIDE, TALL = np.arange(6, dtype=np.int16).reshape(2, 3), np.arange(8.0).reshape(4, 2)


def bytes_of(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def archive(path, members):
    """Write an .npz file of members, whose names may be equal."""
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(path, "w") as file:
        for name, content in members:
            file.writestr(name, content)
    return path


def refusal(path, **options):
    with pytest.raises(DataError) as caught:
        read_numpy_file(path, **options)
    return str(caught.value).removeprefix(str(path))


def test_an_array_is_what_was_saved(tmp_path):
    for name, array in (("wide.npy", WIDE), ("columns.npy", np.asfortranarray(TALL)), ("one.npy", np.float32(0.5))):
        np.save(tmp_path / name, array)
        found = read_numpy_file(tmp_path / name)
        assert (found.dtype, found.shape, found.tolist()) == (array.dtype, array.shape, array.tolist())


@pytest.mark.parametrize(
    ("arrays", "wanted", "expected"),
    [
        ({"x": WIDE, "y": TALL}, "x", WIDE),
        ({"x": WIDE, "y": TALL}, "y", TALL),
        ({"y": TALL}, "x", TALL),
        ({"x": WIDE}, "x", WIDE),
    ],
)
def test_the_array_of_the_name_is_read_or_the_only_one(tmp_path, arrays, wanted, expected):
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", **arrays)
        found = read_numpy_file(tmp_path / "a.npz", wanted)
        assert (found.dtype, found.tolist()) == (expected.dtype, expected.tolist())


def test_an_archive_without_the_array_names_those_that_it_holds(tmp_path):
    np.savez(tmp_path / "two.npz", a=WIDE, b=TALL)
    assert refusal(tmp_path / "two.npz", array="t") == ": holds 2 arrays (a, b); expected one, or one called 't'"
    many = archive(tmp_path / "many.npz", [(f"a{i}.npy", b"") for i in range(11)])
    assert ": holds 11 arrays (a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, ...); expected one" in refusal(many)
    ten = archive(tmp_path / "ten.npz", [(f"a{i}\n.npy", b"") for i in range(10)])
    assert r": holds 10 arrays (a0\n, " in refusal(ten)
    assert r"a9\n); expected one, or one called 'x'" in refusal(ten)
    assert refusal(archive(tmp_path / "none.npz", [])) == ": holds 0 arrays (); expected one, or one called 'x'"
    twice = archive(tmp_path / "twice.npz", [("x.npy", bytes_of(WIDE)), ("x.npy", bytes_of(TALL))])
    assert refusal(twice) == ": holds two arrays with the same name; expected different names"


def test_an_array_in_an_archive_is_named_with_its_mistake(tmp_path):
    path = archive(tmp_path / "a.npz", [("x.npy", bytes_of(WIDE)[:-1]), ("y.npy", b"")])
    assert refusal(path) == (", array 'x', byte 0: the header declares int16 of shape (2, 3), 12 bytes; 11 follow")
    assert refusal(path, array="y") == ", array 'y', byte 0: the file is empty; expected an .npy file"


def test_a_file_that_is_not_an_array_is_refused_with_the_reason(tmp_path):
    (tmp_path / "empty.npy").touch()
    (tmp_path / "empty.npz").touch()
    (tmp_path / "folder.npy").mkdir()
    (tmp_path / "text.npz").write_text("a,b\n")
    os.mkfifo(tmp_path / "pipe.npz")
    (tmp_path / "loop.npy").symlink_to("loop.npy")
    for name, reason in {
        "a.csv": ": unknown file type '.csv'; expected .npy or .npz",
        "a": ": unknown file type ''; expected .npy or .npz",
        "none.npy": ": no such file",
        "folder.npy": ": is a folder; expected an array",
        "pipe.npz": ": is not a regular file; expected an array",
        "empty.npy": ": can't be read as a NumPy file: the file is empty",
        "empty.npz": ": can't be read as a NumPy file: the file is empty",
        "text.npz": ": can't be read as a NumPy file: File is not a zip file",
        "loop.npy": f": can't be read as a NumPy file: {os.strerror(errno.ELOOP)}",
    }.items():
        assert refusal(tmp_path / name) == reason


def test_a_damaged_array_of_an_archive_is_not_read(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=TALL)
    content = bytearray(path.read_bytes())
    content[content.index(TALL.tobytes()) + 5] ^= 1
    path.write_bytes(content)
    assert refusal(path).startswith(": can't be read as a NumPy file: Bad CRC-32")


@pytest.mark.parametrize(
    ("array", "holds"),
    [
        (np.zeros(3, np.complex64), "complex64; expected numbers of up to 64 bits"),
        (np.zeros(3, "datetime64[s]"), "datetime64[s]; expected numbers of up to 64 bits"),
        (np.array([None]), "Python objects, which can run code; expected numbers of up to 64 bits"),
        (
            np.array(["a", "bc"]),
            "<U2; expected numbers of up to 64 bits; if they name classes, np.unique(t, return_inverse=True)[1] gives "
            "their numbers",
        ),
        (np.array([b"a"]), "|S1; expected numbers of up to 64 bits; if they name classes, np.unique("),
    ],
)
def test_only_numbers_are_read(tmp_path, array, holds):
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    assert refusal(tmp_path / "a.npy").startswith(f", byte 8: holds {holds}")


@pytest.mark.parametrize(("shape", "right"), [((1,) * 32, True), ((0,), False), ((3, 0), False), ((), True)])
def test_each_dimension_holds_something(tmp_path, shape, right):
    np.save(tmp_path / "a.npy", np.ones(shape))
    if right:
        assert read_numpy_file(tmp_path / "a.npy").shape == shape
    else:
        assert refusal(tmp_path / "a.npy") == (
            f", byte 8: has the shape {shape}; expected up to 32 dimensions, with at least one value in each"
        )


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize == 8, reason="long numbers have 64 bits here")
def test_longer_numbers_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(3, np.longdouble))
    expected = f", byte 8: holds {np.dtype(np.longdouble)}; expected numbers of up to 64 bits"
    assert refusal(tmp_path / "a.npy") == expected
