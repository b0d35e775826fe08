"""Bilinear interpolation of images."""

from __future__ import annotations

import numpy as np

from mlpkit import Array

PIXELS_AT_ONCE = 4096
"""Pixels sampled at a time, few enough that the memory of intermediate arrays stays in the cache."""


def bilinear(images: Array, down: Array, across: Array, fill: float) -> Array:
    """Sample images at given positions.

        out[i, j] = (1 - a) ((1 - b) x[k, l] + b x[k, l+1]) + a ((1 - b) x[k+1, l] + b x[k+1, l+1]),
        where k + a = down[i, j] and l + b = across[i, j],  k and l integers, 0 <= a, b < 1

    Args:
        images: x, shape (rows, channels, height, width).
        down: the vertical position of each sample, in pixels from the top, shape (rows, height, width).
        across: the horizontal position, in pixels from the left, of the same shape.
        fill: x outside the images.
    """
    rows, _, height, width = images.shape
    frame = ((0, 0), (0, 0), (1, 2), (1, 2))  # for positions just outside, and their neighbours
    framed = np.pad(images, frame, constant_values=fill)
    out = np.empty_like(images)
    at_once = max(1, PIXELS_AT_ONCE // (height * width))
    for begin in range(0, rows, at_once):
        part = slice(begin, begin + at_once)
        _take(framed[part], np.clip(down[part], -1, height) + 1, np.clip(across[part], -1, width) + 1, out[part])
    return out


def _take(x: Array, down: Array, across: Array, out: Array) -> None:
    """Write samples of x to out; each position has a neighbour to the right and below."""
    rows, channels, height, width = x.shape
    k, l = np.floor(down), np.floor(across)  # noqa: E741 - as in the formula
    a, b = down - k, across - l
    image = np.arange(rows, dtype=np.intp)[:, np.newaxis, np.newaxis] * (channels * height * width)
    corner = image + k.astype(np.intp) * width + l.astype(np.intp)
    pixels = x.reshape(-1)
    for channel in range(channels):
        begin = channel * height * width
        steps = (0, 1, width, width + 1)  # to the pixel itself, right, below, and below right
        upper, upper_right, lower, lower_right = (pixels[begin + step :].take(corner, mode="clip") for step in steps)
        upper += b * (upper_right - upper)
        lower += b * (lower_right - lower)
        upper += a * (lower - upper)
        out[:, channel] = upper
