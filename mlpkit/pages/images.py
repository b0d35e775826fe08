"""Raw inputs and weights as images."""

from __future__ import annotations

from math import isqrt, prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.operation import own_parameters
from mlpkit.network.sequential import Sequential

LARGEST: Final = 64
"""Pixels of the longer side of an image; a larger one is made smaller, so that a page doesn't grow without bounds."""
LARGEST_WEIGHTS: Final = 40
MOST_UNITS: Final = 48
POSITIVE: Final = (42, 91, 208)
NEGATIVE: Final = (196, 84, 20)


def is_image(shape: tuple[int, ...]) -> bool:
    """Whether a shape is that of an image: ([channels,] height, width), grey or of red, green and blue."""
    return len(shape) >= 2 and shape[:-2] in {(), (1,), (3,)}


def image_shape(raw: object) -> tuple[int, ...] | None:
    """Return the shape of one image if raw inputs, shape (rows, ...), are images of bytes; None if they aren't."""
    shape: tuple[int, ...] = raw.shape[1:] if isinstance(raw, np.ndarray) and raw.dtype == np.uint8 else ()
    return shape if is_image(shape) else None


def thumbnail(image: Array) -> NDArray[np.uint8]:
    """Return an image, ([channels,] height, width), as a page shows it, neither side longer than 64 pixels."""
    small = _shrunk(image, LARGEST).astype(np.uint8)
    pixels = small if image.ndim == 2 else small[0] if len(image) == 1 else small.transpose(1, 2, 0)
    return np.ascontiguousarray(pixels)


def _shrunk(image: Array, most: int) -> Array:
    """Return the means of square blocks of an image, (..., height, width), so that its sides have few pixels."""
    *others, height, width = image.shape
    step = -(-max(height, width) // most)
    if step == 1:
        return image
    down, across = max(1, height // step), max(1, width // step)
    tall, wide = min(height, step), min(width, step)
    blocks = image[..., : down * tall, : across * wide].reshape(*others, down, tall, across, wide)
    return np.asarray(blocks.mean(axis=(-3, -1)))


def weights_as_images(network: Sequential, shape: tuple[int, ...]) -> tuple[str, list[NDArray[np.uint8]]]:
    """Return the name of the parameters that meet the inputs, and an image a unit; nothing if they aren't images."""
    operations = network.replicas[0].operations()
    parameter = next((each for operation in operations for each in own_parameters(operation)), None)
    if parameter is None or len(parameter.shape) != 2:
        return "", []
    inputs = parameter.fans.inputs
    value = parameter.value.T if parameter.shape[0] == inputs else parameter.value
    channels = prod(shape[:-2])
    side = isqrt(inputs // channels)
    patch = (*shape[:-2], side, side)
    tile = shape if inputs == prod(shape) else patch if prod(patch) == inputs and side > 1 else None
    if tile is None or value.shape[1] != inputs:
        return "", []
    return parameter.path, [_signed_image(_shrunk(unit.reshape(tile), LARGEST_WEIGHTS)) for unit in value[:MOST_UNITS]]


def _signed_image(weights: Array) -> NDArray[np.uint8]:
    """Return weights as pixels: blue above zero, orange below, clear at zero; of three channels as shades of these."""
    values = weights.astype(np.float64) / (np.abs(weights).max() or 1.0)
    if values.ndim == 3 and len(values) == 3:
        return np.round(127.5 + 127.5 * values).astype(np.uint8).transpose(1, 2, 0)
    values = values.reshape(values.shape[-2:])
    pixels = np.empty((*values.shape, 4), np.uint8)
    pixels[..., :3] = np.where(values[..., None] > 0, POSITIVE, NEGATIVE)
    pixels[..., 3] = np.round(255 * np.abs(values))
    return pixels
