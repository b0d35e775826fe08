"""What an array of inputs most likely holds, pixels or numbers of any unit, and how to scale it."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from mlpkit import DataError
from mlpkit_plugins.first_networks.convolutions import ImageInputs

if TYPE_CHECKING:
    from mlpkit import Array
    from mlpkit_plugins.formats.rows_on_disk import Rows

ELEMENTS_SEEN: Final = 1 << 21
FEWEST_SEEN: Final = 200
"""So many numbers of the inputs are looked at, but at least those of so many rows."""

BYTE: Final = 255
HALF: Final = 127
"""Bytes of pixels have a larger one than this."""

ABOUT_ONE: Final = 1.5
"""Pixels that were scaled already are no larger."""

OFTEN_ZERO: Final = 0.25
"""Pixels in a row are 0 at least so often."""

LONGEST_TO_SHORTEST: Final = 4
"""The sides of an image differ by less than this factor."""

COLOURS: Final = 3


class InputGuess(NamedTuple):
    """What inputs most likely are.

    Args:
        shape: the shape of one example.
        text: what they are, in words.
        divide_by: what to divide them by.
        standardize: whether to standardize them.
        images: what images are like; None if convolutions can't take them.
        note: what would be better, or empty.
    """

    shape: tuple[int, ...]
    text: str
    divide_by: float = 1.0
    standardize: bool = False
    images: ImageInputs | None = None
    note: str = ""


def guess_inputs(inputs: Rows, name: str, *, are_bytes: bool = False) -> InputGuess:
    """Return what inputs most likely are, from rows that are drawn at random.

    Args:
        inputs: an array with a row for each example.
        name: what to call it in messages.
        are_bytes: whether they are pixels from 0 to 255 for sure.

    Raises:
        DataError: all numbers are the same.
    """
    sample, shape = _sample(inputs), inputs.shape[1:]
    least, greatest = float(sample.min()), float(sample.max())
    if least == greatest:
        raise DataError(name, f"every number is {least:g}, so that there is nothing to learn from")
    span = f"from {least:.4g} to {greatest:.4g}"
    divide_by = float(BYTE) if are_bytes else _divisor(sample, inputs.dtype)
    are_pixels = divide_by is not None or (len(shape) > 1 and max(-least, greatest) <= ABOUT_ONE)
    if not are_pixels:
        return InputGuess(shape, f"{_counted(shape)}, standardized", standardize=True)
    images = _images(sample, divide_by or 1.0)
    what = f"images of {images.height} by {images.width} pixels, {span}" if images else f"{_counted(shape)}, {span}"
    note = ""
    if len(shape) == 3 and shape[2] in (COLOURS, COLOURS + 1) and images is None:
        note = "channels come last, which convolutions don't take; save x.transpose(0, 3, 1, 2) to have them"
    how = f", divided by {divide_by:g}" if divide_by not in (None, 1) else ""
    return InputGuess(shape, what + how, divide_by or 1.0, images=images, note=note)


def _sample(inputs: Rows) -> Array:
    count = min(inputs.shape[0], max(FEWEST_SEEN, ELEMENTS_SEEN // max(1, prod(inputs.shape[1:]))))
    if count == inputs.shape[0]:
        return inputs[:count]
    return inputs[np.sort(np.random.default_rng(0).choice(inputs.shape[0], count, replace=False))]


def _divisor(sample: Array, dtype: np.dtype[Any]) -> float | None:
    """Return what to divide by, if all elements have the same unit and begin at 0, as pixels do; None if they don't."""
    greatest = float(sample.max())
    if sample.min() < 0:
        return None
    are_bytes = HALF < greatest <= BYTE and (dtype == np.uint8 or bool((sample % 1 == 0).all()))
    if dtype == np.uint8 and are_bytes:
        return float(BYTE)
    alike = float(np.median(sample.reshape(len(sample), -1).max(axis=0))) >= greatest / 4
    if not alike or (sample.ndim < 3 and np.count_nonzero(sample) > (1 - OFTEN_ZERO) * sample.size):
        return None
    return float(BYTE) if are_bytes else greatest


def _images(sample: Array, divide_by: float) -> ImageInputs | None:
    """Return what images are like; None if convolutions can't take the inputs."""
    match sample.shape[1:]:
        case (height, width):
            found = ImageInputs(1, height, width, are_planes=True)
        case (height, width, 1):
            found = ImageInputs(1, height, width, are_planes=True)
        case (1 | 3 as channels, height, width):
            found = ImageInputs(channels, height, width)
        case _:
            return None
    sides = (found.height, found.width)
    if found.are_small or max(sides) >= LONGEST_TO_SHORTEST * min(sides):
        return None
    planes = sample.reshape(len(sample), -1, *sides)
    border = np.concatenate([planes[:, :, [0, -1], :].ravel(), planes[:, :, :, [0, -1]].ravel()])
    return found._replace(border=float(np.median(border)) / divide_by)


def _counted(shape: tuple[int, ...]) -> str:
    """Return how many numbers an example has."""
    many = prod(shape)
    if len(shape) > 1:
        return f"{' x '.join(map(str, shape))} numbers each"
    return "a number each" if many == 1 else f"{many:,} numbers each"
