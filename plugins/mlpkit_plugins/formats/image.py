"""Images in the usual formats, as arrays of grey values."""

from __future__ import annotations

import stat
import warnings
from typing import TYPE_CHECKING

import numpy as np

from mlpkit import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage

MOST_PIXELS = 1 << 24
"""Width times height; decoding takes up to twelve bytes a pixel, however few the file has."""

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif")


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read an image as grey values, shape (1, height, width), 0 for black and 255 for white.

    Colours are weighted as ITU-R 601-2 does. What is transparent lies on black. Of several frames, the first counts.

    Raises:
        DataError: Pillow is missing, or the file is too large, damaged as far as its format can tell, or no image.
    """
    try:
        from PIL import Image  # noqa: PLC0415 - an optional library, and slow to load
    except ImportError as error:
        message = 'reading images needs Pillow, which is not installed; install it with: pip install "mlpkit[images]"'
        raise DataError(path, message) from error
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):  # opening a named pipe would wait for ever
            raise DataError(path, f"is {'a folder' if stat.S_ISDIR(mode) else 'no regular file'}; expected an image")
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                _expect_few_pixels(path, *image.size)
                if image.format == "PNG":
                    _expect_all_pixels(path)
                image.verify()  # compares the checksums of a format that has them, which decoding does not
            with Image.open(path) as image:
                return _grey(image)[np.newaxis]
    except DataError:
        raise
    except FileNotFoundError as error:
        raise DataError(path, "no such file") from error
    except Exception as error:  # Pillow's decoders raise whatever a malformed file leads them into
        raise DataError(path, f"can't be read as an image: {error}") from error


def _expect_few_pixels(path: Path, width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        message = f"is {width:,} pixels wide and {height:,} high; expected at most {MOST_PIXELS:,} pixels in all"
        raise DataError(path, message)


def _expect_all_pixels(path: Path) -> None:
    from mlpkit_plugins.formats.png_pixels import missing_bytes  # noqa: PLC0415 - only for one format

    missing = missing_bytes(path.read_bytes())
    if missing:
        what = f"lacks {missing:,}" if missing > 0 else "has more"
        raise DataError(path, f"the image {what} bytes of the pixels that its header declares")


def _grey(image: PillowImage) -> NDArray[np.uint8]:
    from PIL import Image  # noqa: PLC0415 - an optional library, and slow to load

    if image.mode.startswith("I"):  # 16 bits; Pillow's own conversion would turn all above 255 into white
        return (np.asarray(image) >> 8).astype(np.uint8)
    if "transparency" in image.info or image.getbands()[-1] == "A":
        opaque = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", opaque.size, "black"), opaque)
    return np.array(image.convert("L"), np.uint8)
