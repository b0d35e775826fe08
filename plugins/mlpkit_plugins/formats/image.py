"""Images in the usual formats, as arrays of grey values."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from mlpkit import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif")


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read an image as grey values, shape (1, height, width), 0 for black and 255 for white.

    Colours are weighted as ITU-R 601-2 does. What is transparent lies on black. Of several frames, the first counts.

    Raises:
        DataError: Pillow is missing, or the file can't be read as an image.
    """
    try:
        from PIL import Image  # noqa: PLC0415 - an optional library, and slow to load
    except ImportError as error:
        message = 'reading images needs Pillow, which is not installed; install it with: pip install "mlpkit[images]"'
        raise DataError(path, message) from error
    if path.is_dir():
        raise DataError(path, "is a folder; expected an image")
    try:
        with warnings.catch_warnings():
            # An image of absurd size is refused before it is decoded.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                return _grey(image)[np.newaxis]
    except FileNotFoundError as error:
        raise DataError(path, "no such file") from error
    except Exception as error:  # Pillow's decoders raise whatever a malformed file leads them into
        raise DataError(path, f"can't be read as an image: {error}") from error


def _grey(image: PillowImage) -> NDArray[np.uint8]:
    from PIL import Image  # noqa: PLC0415 - an optional library, and slow to load

    if image.mode.startswith("I"):  # 16 bits; Pillow's own conversion would turn all above 255 into white
        return (np.asarray(image) >> 8).astype(np.uint8)
    if "transparency" in image.info or image.getbands()[-1] == "A":
        opaque = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", opaque.size, "black"), opaque)
    return np.array(image.convert("L"), np.uint8)
