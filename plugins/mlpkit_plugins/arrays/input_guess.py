"""Guesses whether an array of inputs holds pixels or other numbers, and how to scale it."""

from __future__ import annotations

from math import prod
from typing import Any, Final, NamedTuple

import numpy as np

from mlpkit import Array, DataError
from mlpkit_plugins.first_networks.convolutions import ImageInputs
from mlpkit_plugins.formats.rows_on_disk import Rows

ELEMENTS_SEEN: Final = 1 << 21
"""The number of elements in the sample, unless it has fewer than ``FEWEST_SEEN`` rows."""

FEWEST_SEEN: Final = 200
"""The fewest rows in the sample."""

BYTE: Final = 255
HALF: Final = 127
"""The largest byte of an image is above this."""

ABOUT_ONE: Final = 1.5
"""The upper bound on pixels that are scaled already."""

OFTEN_ZERO: Final = 0.25
"""The share of zeros from which numbers in a row may be pixels."""

LONGEST_TO_SHORTEST: Final = 4
"""The sides of an image differ by less than this factor."""

COLOURS: Final = 3


class InputGuess(NamedTuple):
    """The most likely content of inputs.

    Args:
        shape: the shape of one example.
        text: their description.
        divide_by: the number to divide them by.
        standardize: whether to standardize them.
        images: the format of images; None if convolutions can't take the inputs.
        note: what would be better; empty if nothing is.
    """

    shape: tuple[int, ...]
    text: str
    divide_by: float = 1.0
    standardize: bool = False
    images: ImageInputs | None = None
    note: str = ""


def guess_inputs(inputs: Rows, name: str, *, are_bytes: bool = False) -> InputGuess:
    """Guess the content of inputs from a random sample of rows.

    Args:
        inputs: an array with a row for each example.
        name: its name in messages.
        are_bytes: whether they are known to be pixels from 0 to 255.

    Raises:
        DataError: all numbers are the same.
    """
    sample, shape = _sample(inputs), inputs.shape[1:]
    least, greatest = float(sample.min()), float(sample.max())
    if least == greatest:
        raise DataError(name, f"every number is {least:g}, so there is nothing to learn from")
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
    """Return the divisor for elements of one unit that start at 0, such as pixels; None for other inputs."""
    greatest = float(sample.max())
    if sample.min() < 0:
        return None
    are_bytes = HALF < greatest <= BYTE and (dtype == np.uint8 or bool((sample % 1 == 0).all()))
    if dtype == np.uint8 and are_bytes:
        return float(BYTE)
    one_unit = float(np.median(sample.reshape(len(sample), -1).max(axis=0))) >= greatest / 4
    if not one_unit or (sample.ndim < 3 and np.count_nonzero(sample) > (1 - OFTEN_ZERO) * sample.size):
        return None
    return float(BYTE) if are_bytes else greatest


def _images(sample: Array, divide_by: float) -> ImageInputs | None:
    """Return the format of images; None if convolutions can't take the inputs."""
    match sample.shape[1:]:
        case (height, width) | (height, width, 1):
            images = ImageInputs(1, height, width, are_planes=True)
        case (1 | 3 as channels, height, width):
            images = ImageInputs(channels, height, width)
        case _:
            return None
    sides = (images.height, images.width)
    if images.are_small or max(sides) >= LONGEST_TO_SHORTEST * min(sides):
        return None
    planes = sample.reshape(len(sample), -1, *sides)
    border = np.concatenate([planes[:, :, [0, -1], :].ravel(), planes[:, :, :, [0, -1]].ravel()])
    return images._replace(border=float(np.median(border)) / divide_by)


def _counted(shape: tuple[int, ...]) -> str:
    """Describe the number of elements of an example."""
    many = prod(shape)
    if len(shape) > 1:
        return f"{' x '.join(map(str, shape))} numbers each"
    return "a number each" if many == 1 else f"{many:,} numbers each"
