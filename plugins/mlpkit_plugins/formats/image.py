"""Images in the usual formats, as arrays of pixels, and folders with a subfolder of images for each class."""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from mlpkit import DataError
from mlpkit_plugins.files.regular_file import regular_file, sized
from mlpkit_plugins.formats.idx import IDX_SUFFIXES, read_idx

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage

MOST_PIXELS = 1 << 24
"""The largest width times height; decoding takes up to twelve bytes per pixel, even from a tiny file."""

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif")


def read_image(path: Path, *, colour: bool = False, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """Read an image, shape (channels, height, width), from 0 for black to 255 for white.

    Grey values follow ITU-R 601-2. Transparent pixels are shown on black. Of several frames, the first is read.

    Args:
        path: the file.
        colour: return three channels, red, green and blue, instead of one of grey values.
        size: height and width to scale to; None to leave the size unchanged.

    Raises:
        DataError: Pillow is missing, or the file is too large, detectably damaged, or not an image.
    """
    with _opened(path) as image:
        image.verify()  # compares checksums, which decoding doesn't
    with _opened(path) as image:
        pixels = _to_eight_bits(image).convert("RGB" if colour else "L")
        if size is not None and pixels.size != size[::-1]:
            pixels = pixels.resize(size[::-1])
        return np.atleast_3d(np.array(pixels, np.uint8)).transpose(2, 0, 1)


def read_grey_images(path: Path) -> NDArray[np.uint8]:
    """Read images, shape (images, height, width), from an IDX file or a single image, depending on the suffix."""
    suffix = path.suffix.lower()
    if suffix in IMAGE_SUFFIXES:
        return read_image(path)
    if suffix in IDX_SUFFIXES:
        return read_idx(path, 3)
    expected = f"an IDX file (no ending, {', '.join(IDX_SUFFIXES[1:])}), an image ({', '.join(IMAGE_SUFFIXES)})"
    raise DataError(path, f"unknown file type '{path.suffix}'; expected {expected}, .npy or .npz")


def image_size(path: Path) -> tuple[int, int]:
    """Return height and width of an image from its header."""
    with _opened(path) as image:
        width, height = image.size
    return height, width


@contextmanager
def _opened(path: Path) -> Iterator[PillowImage]:
    try:
        from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - an optional library, and slow to load
    except ImportError as error:
        message = 'reading images needs Pillow, which is not installed; install it with: pip install "mlpkit[images]"'
        raise DataError(path, message) from error
    with regular_file(path, path, "an image") as file:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                with Image.open(sized(file)) as image:
                    width, height = image.size
                    if width * height > MOST_PIXELS:
                        message = f"is {width:,} pixels wide and {height:,} high"
                        raise DataError(path, f"{message}; expected at most {MOST_PIXELS:,} pixels in all")
                    yield image
        except DataError:
            raise
        except Exception as error:  # malformed files make Pillow's decoders raise anything
            reason = "" if isinstance(error, UnidentifiedImageError) else f": {error}"  # which would name the file
            raise DataError(path, f"can't be read as an image{reason}; replace the file, or leave it out") from error


def _to_eight_bits(image: PillowImage) -> PillowImage:
    """Return an image with eight bits per channel, on black where it is transparent."""
    from PIL import Image  # noqa: PLC0415 - an optional library, and slow to load

    if image.mode.startswith("I"):  # 16 bits; Pillow's conversion would turn everything above 255 into white
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if "transparency" in image.info or image.getbands()[-1] == "A":
        opaque = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", opaque.size, "black"), opaque)
    return image


OF_THE_SYSTEM: Final = frozenset({"thumbs.db", "desktop.ini"})
"""Files that desktops create in any folder; hidden files are ignored, too."""


class ClassFile(NamedTuple):
    """A file of a class; the key is its path relative to the folder of all classes, with slashes, the class first."""

    path: Path
    key: str
    class_name: str


def class_folders(folder: Path, suffixes: Collection[str]) -> list[ClassFile]:
    """Return the files of all classes, in the order of their keys; suffixes are in lower case.

    Raises:
        DataError: there is no subfolder, one has no file, or a file has another suffix or is not in a subfolder.
    """
    files: list[ClassFile] = []
    for entry in _entries(folder):
        if not entry.is_dir():
            raise DataError(entry.path, "the file is next to the class folders; move it into one of them")
        paths = list(files_below(folder / entry.name, suffixes))
        if not paths:
            raise DataError(entry.path, f"the class folder holds no file; expected {', '.join(suffixes)}")
        files += [ClassFile(path, path.relative_to(folder).as_posix(), entry.name) for path in paths]
    if not files:
        raise DataError(folder, "the folder has no subfolders; expected one for each class")
    return sorted(files, key=lambda file: file.key)


def files_below(folder: Path, suffixes: Collection[str]) -> Iterator[Path]:
    """Return the files in a folder and below, in the order of their names."""
    for entry in _entries(folder):
        path = folder / entry.name
        if entry.is_dir(follow_symlinks=False):  # a link might point to a parent folder
            yield from files_below(path, suffixes)
        elif path.suffix.lower() in suffixes:
            yield path
        else:
            raise DataError(path, f"the file type '{path.suffix}' is not one of {', '.join(suffixes)}; remove the file")


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            kept = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise DataError(folder, f"the folder can't be read: {error.strerror or error}") from error
    return sorted((entry for entry in kept if entry.name.lower() not in OF_THE_SYSTEM), key=lambda entry: entry.name)
