"""Wrong data files made by hand: each is refused, and the message says which file, where, and what was expected."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fuzzing.watch import Limits, campaign
from PIL import Image

from mlpkit import DataError
from mlpkit.numpy_file import read_numpy_file
from mlpkit_plugins.datasets.mnist import Mnist
from mlpkit_plugins.formats.idx import read_idx
from mlpkit_plugins.formats.image import read_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

IMAGES = np.random.default_rng(0).integers(0, 256, (10, 28, 28)).astype(np.uint8)
LABELS = np.arange(10, dtype=np.uint8)
LIMITS = Limits(memory=30_000_000)


def idx(values: np.ndarray, **header: Any) -> bytes:
    """Return an IDX file, some of its header changed."""
    shape = header.get("shape", values.shape)
    magic = header.get("magic", bytes((0, 0, 8, values.ndim)))
    return bytes(magic) + struct.pack(f">{len(shape)}I", *shape) + values.tobytes()


def npy(values: np.ndarray, **header: Any) -> bytes:
    """Return an .npy file, some of its header changed."""
    said = {"descr": values.dtype.str, "fortran_order": False, "shape": values.shape} | header
    text = header.get("text", repr(said)).encode()
    version = bytes(header.get("version", (1, 0)))
    length = header.get("length", len(text))
    return b"\x93NUMPY" + version + struct.pack("<H", length) + text + values.tobytes()


def npz(*members: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED, **lies: int) -> bytes:
    """Return an archive; lies are what its directory says of the members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
        for info in archive.infolist():
            for field, value in lies.items():
                setattr(info, field, value)
    return file.getvalue()


def png(width: int, height: int, data: bytes, *, depth: int = 8, colour: int = 0) -> bytes:
    """Return a PNG file with that header and those compressed pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def picture(kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(IMAGES[0]).save(file, kind)
    return file.getvalue()


class Bomb:
    """An object that runs code when it is unpickled."""

    def __reduce__(self) -> Any:
        return os.system, ("touch /tmp/mlpkit-was-here",)


PACKED = gzip.compress(idx(IMAGES), mtime=0)
ROWS = np.ones((3, 4), np.float32)
PICTURE = picture("PNG")

IDX = {
    "no bytes": (b"", 0, "ends within the header"),
    "text": (b"label,pixel1,pixel2\n7,0,0\n" * 100, 0, "the magic number is 0x6c616265"),
    "a PNG": (PICTURE, 0, "the magic number is 0x89504e47"),
    "labels": (idx(LABELS), 3, "expected 0x00000803, which stands for bytes in 3 dimensions"),
    "floats": (idx(IMAGES, magic=(0, 0, 13, 3)), 2, "the magic number is 0x00000d03"),
    "a byte order of its own": (idx(IMAGES, magic=(3, 8, 0, 0)), 0, "the magic number is 0x03080000"),
    "four dimensions": (idx(IMAGES[None]), 3, "the magic number is 0x00000804"),
    "no images": (idx(IMAGES[:0]), 4, "dimension 1 of 3 has length 0"),
    "no columns": (idx(IMAGES, shape=(10, 28, 0)), 12, "dimension 3 of 3 has length 0"),
    "one image more": (idx(IMAGES, shape=(11, 28, 28)), 7856, "is too short"),
    "one image less": (idx(IMAGES, shape=(9, 28, 28)), 7072, "is too long"),
    "four thousand million images": (idx(IMAGES, shape=(2**32 - 1, 28, 28)), 7856, "is too short"),
    "sizes beyond any memory": (idx(IMAGES, shape=(2**32 - 1,) * 3), 7856, "is too short"),
    "sizes in another byte order": (idx(IMAGES, shape=(10 << 24, 28 << 24, 28 << 24)), 7856, "is too short"),
    "a byte at the end": (idx(IMAGES) + b"\n", 7856, "is too long"),
    "a header alone": (idx(IMAGES)[:16], 16, "is too short"),
    "compressed under a plain name": (PACKED, 0, "the magic number is 0x1f8b"),
}
COMPRESSED = {
    "not compressed": (idx(IMAGES), None, "Not a gzipped file"),
    "no bytes": (b"", 0, "the content ends within the header"),
    "a gzip header alone": (PACKED[:10], None, "the file is incomplete"),
    "no checksum": (PACKED[:-8], None, "the file is incomplete"),
    "a wrong checksum": (PACKED[:-8] + bytes(4) + PACKED[-4:], None, "the compressed content is damaged: CRC"),
    "a wrong length": (PACKED[:-4] + bytes(4), None, "the compressed content is damaged: Incorrect length"),
    "another method": (PACKED[:2] + b"\x07" + PACKED[3:], None, "Unknown compression method"),
    "text after its end": (PACKED + b"more", None, "the compressed content is damaged: Not a gzipped file"),
    "images in its second member": (PACKED + gzip.compress(IMAGES.tobytes()), 7856, "is too long"),
    "half a second member": (PACKED + PACKED[:12], None, "the file is incomplete"),
    "a whole second member": (PACKED + PACKED, 7856, "is too long"),
    "compressed twice": (gzip.compress(PACKED), 0, "the magic number is 0x1f8b"),
    "a bomb behind the images": (gzip.compress(idx(IMAGES) + bytes(300_000_000), 1), 7856, "is too long"),
    "many bombs": (PACKED + gzip.compress(bytes(30_000_000), 1) * 20, 7856, "is too long"),
    "sizes that it can't hold": (gzip.compress(idx(IMAGES, shape=(2**32 - 1, 28, 28))), 4, "compressed bytes can hold"),
    "fewer images than it says": (gzip.compress(idx(IMAGES, shape=(100, 28, 28))), 7856, "is too short"),
}
ARRAYS = {
    "objects": ("x.npy", npy(ROWS, descr="|O"), 8, "holds Python objects, which can run code"),
    "a pickle": ("x.npy", pickle.dumps(Bomb()), 0, r"expected b'\x93NUMPY'"),
    "a pickle behind a header": ("x.npy", npy(ROWS[:0], descr="|O", shape=(1,)) + pickle.dumps(Bomb()), 8, "objects"),
    "a header that calls": ("x.npy", npy(ROWS, text="__import__('os').abort()"), 8, "malformed node or string"),
    "a header of brackets": ("x.npy", npy(ROWS, text="(" * 9_000), 8, "is not an .npy file: "),
    "a header of nothing": ("x.npy", npy(ROWS, text=""), 8, "Cannot parse header"),
    "a header without order": (
        "x.npy",
        npy(ROWS, text="{'descr': '<f4', 'shape': (3, 4)}"),
        8,
        "contain the correct keys",
    ),
    "a longer header": ("x.npy", npy(ROWS, length=60_000), 8, "expected 60000 bytes"),
    "a header beyond the end": ("x.npy", npy(ROWS, length=9_000), 8, "expected 9000 bytes"),
    "format 9.9": ("x.npy", npy(ROWS, version=(9, 9)), 6, "has the .npy format 9.9; expected 1.0 or 2.0"),
    "a shape beyond any memory": ("x.npy", npy(ROWS, shape=(10**12, 10**12)), 8, "expected up to 32 dimensions"),
    "a shape beyond the file": ("x.npy", npy(ROWS, shape=(10**9,)), None, "4,000,000,"),
    "sizes of thousands of digits": ("x.npy", npy(ROWS, shape=(10**3000, 10**3000)), 8, "expected up to 32 dimensions"),
    "a negative shape": ("x.npy", npy(ROWS, shape=(-1, 4)), 8, "expected up to 32 dimensions"),
    "a hundred axes": ("x.npy", npy(ROWS, shape=(1,) * 100), 8, "expected up to 32 dimensions"),
    "columns with names": ("x.npy", npy(ROWS, descr=[("a", "<f4"), ("b", "<f4")]), 8, "expected numbers"),
    "text": ("x.npy", npy(np.array(["a", "b"])), 8, "expected numbers"),
    "dates": ("x.npy", npy(np.array(["2024-01-01"], "M8[D]")), 8, "expected numbers"),
    "complex numbers": ("x.npy", npy(ROWS.astype(complex)), 8, "expected numbers"),
    "a row missing": ("x.npy", npy(ROWS)[:-16], 0, "of shape (3, 4), 48 bytes; 32 follow"),
    "a row too many": ("x.npy", npy(ROWS) + bytes(16), 0, "of shape (3, 4), 48 bytes; 64 follow"),
    "no archive": ("x.npz", npy(ROWS), None, "not a zip file"),
    "an archive of nothing": ("x.npz", npz(), None, "holds 0 arrays"),
    "two arrays": ("x.npz", npz(("a.npy", npy(ROWS)), ("b.npy", npy(ROWS))), None, "holds 2 arrays (a, b)"),
    "names that command a terminal": ("x.npz", npz(("\x1b[2J", b""), ("b", b"")), None, r"holds 2 arrays (\x1b[2J, b)"),
    "one array twice": ("x.npz", npz(("x.npy", npy(ROWS)), ("x", npy(ROWS))), None, "two arrays with the same name"),
    "a member of text": ("x.npz", npz(("x.npy", b"no array")), 0, "array 'x', byte 0: is not an .npy file"),
    "a member of objects": ("x.npz", npz(("x.npy", npy(ROWS, descr="|O"))), 8, "which can run code"),
    "a zip bomb": ("x.npz", npz(("x.npy", npy(ROWS) + bytes(100_000_000))), 0, "48 bytes; 100,000,048 follow"),
    "a size that is a lie": (
        "x.npz",
        npz(("x.npy", npy(ROWS)), file_size=2**40),
        0,
        "48 bytes; 1,099,511,627,709 follow",
    ),
    "a smaller size": ("x.npz", npz(("x.npy", npy(ROWS)), file_size=100), None, "Bad CRC-32"),
    "a shape that is a lie": ("x.npz", npz(("x.npy", npy(ROWS, shape=(10**6, 10**5)))), 0, "000 bytes; 48 follow"),
    "a wrong checksum": ("x.npz", npz(("x.npy", npy(ROWS)), CRC=1), None, "Bad CRC-32"),
    "a password": ("x.npz", npz(("x.npy", npy(ROWS)), flag_bits=1), None, "is encrypted"),
    "half an archive": ("x.npz", npz(("x.npy", npy(ROWS)))[:100], None, "not a zip file"),
}
PICTURES = {
    "no bytes": ("x.png", b""),
    "a signature alone": ("x.png", PICTURE[:8]),
    "half a picture": ("x.png", PICTURE[: len(PICTURE) // 2]),
    "no end": ("x.png", PICTURE[:-12]),
    "a wrong checksum": ("x.png", PICTURE.replace(b"IDAT", b"IDAT\x01", 1)),
    "a bomb": ("x.png", png(50_000, 50_000, zlib.compress(bytes(10_000_000)))),
    "a smaller bomb": ("x.png", png(9_000, 9_000, zlib.compress(bytes(10_000_000)))),
    "sizes beyond any memory": ("x.png", png(2**31 - 1, 2**31 - 1, zlib.compress(b"\0"))),
    "no rows": ("x.png", png(28, 0, zlib.compress(b""))),
    "no pixels": ("x.png", png(28, 28, b"")),
    "an odd depth": ("x.png", png(28, 28, zlib.compress(bytes(29 * 28)), depth=7)),
    "half a JPEG": ("x.jpg", picture("JPEG")[:300]),
    "half a GIF": ("x.gif", picture("GIF")[:300]),
    "half a BMP": ("x.bmp", picture("BMP")[:300]),
    "text": ("x.jpg", b"not a picture"),
    "PostScript": ("x.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
}


def refused(read: Callable[[Path], Any], path: Path, content: bytes) -> DataError:
    """Return the error, after making sure that it takes little time and memory to come to it."""
    campaign(read, [content], path, limits=LIMITS)
    with pytest.raises(DataError) as caught:
        read(path)
    assert caught.value.path in (str(path), f"{path}, array 'x'")
    return caught.value


@pytest.mark.parametrize("case", IDX)
def test_idx(tmp_path: Path, case: str) -> None:
    content, byte, message = IDX[case]
    error = refused(lambda path: read_idx(path, 3), tmp_path / "x", content)
    assert error.byte == byte
    assert message in str(error)


@pytest.mark.parametrize("case", COMPRESSED)
def test_compressed_idx(tmp_path: Path, case: str) -> None:
    content, byte, message = COMPRESSED[case]
    error = refused(lambda path: read_idx(path, 3), tmp_path / "x.gz", content)
    assert message in str(error)
    assert error.byte == byte


@pytest.mark.parametrize("case", ARRAYS)
def test_numpy(tmp_path: Path, case: str) -> None:
    name, content, byte, message = ARRAYS[case]
    error = refused(read_numpy_file, tmp_path / name, content)
    assert message in str(error)
    assert byte is None or error.byte == byte


@pytest.mark.parametrize("case", PICTURES)
def test_pictures(tmp_path: Path, case: str) -> None:
    name, content = PICTURES[case]
    refused(read_image, tmp_path / name, content)


@pytest.mark.parametrize("read", [lambda path: read_idx(path, 3), read_numpy_file, read_image])
def test_special_files_are_refused(tmp_path: Path, read: Callable[[Path], Any]) -> None:
    path = tmp_path / "x.npy"
    for make, message in (
        (os.mkfifo, "is not a regular file"),
        (os.mkdir, "is a folder"),
        (lambda path: path.symlink_to("/dev/zero"), "is not a regular file"),
        (lambda path: path.symlink_to(path), "can't be read"),
        (lambda path: None, "no such file"),
    ):
        make(path)
        with pytest.raises(DataError, match=message):
            read(path)
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)


@pytest.mark.parametrize("read", [lambda path: read_idx(path, 3), read_numpy_file, read_image])
def test_a_file_without_read_permission(tmp_path: Path, read: Callable[[Path], Any]) -> None:
    path = tmp_path / "x.npy"
    path.write_bytes(npy(ROWS))
    path.chmod(0)
    user = os.geteuid()
    if user == 0:  # who may read everything
        os.seteuid(65534)
    try:
        with pytest.raises(DataError, match="Permission denied"):
            read(path)
    finally:
        os.seteuid(user)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train-labels-idx1-ubyte", idx(LABELS + 1), r"byte 17: the label of example 9 is 10; expected 0 to 9"),
        ("train-labels-idx1-ubyte", idx(LABELS[:9]), r"byte 4: the header declares 9 labels for the 10 images"),
        ("train-labels-idx1-ubyte", idx(IMAGES), r"byte 3: the magic number"),
        ("t10k-labels-idx1-ubyte", idx(np.full(10, 255, np.uint8)), r"byte 8: the label of example 0 is 255"),
        ("t10k-images-idx3-ubyte", idx(IMAGES[:, :27]), r"byte 8: the images are 27 x 28; expected 28 x 28"),
    ],
)
def test_files_that_do_not_belong_together(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    for part in ("train", "t10k"):
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(idx(IMAGES))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(LABELS))
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        Mnist(directory=str(tmp_path), validation=0).open(0)
