"""Sampling between pixels, against the same written pixel by pixel."""

from __future__ import annotations

from math import floor

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlpkit_plugins.functions import bilinear as module
from mlpkit_plugins.functions.bilinear import bilinear


def pixel(image, i, j, fill):
    height, width = image.shape
    return image[i, j] if 0 <= i < height and 0 <= j < width else fill


def sampled(image, down, across, fill):
    k, l = floor(down), floor(across)  # noqa: E741
    a, b = down - k, across - l
    upper = (1 - b) * pixel(image, k, l, fill) + b * pixel(image, k, l + 1, fill)
    lower = (1 - b) * pixel(image, k + 1, l, fill) + b * pixel(image, k + 1, l + 1, fill)
    return (1 - a) * upper + a * lower


@given(
    seed=st.integers(0, 2**32),
    shape=st.tuples(st.integers(0, 4), *[st.integers(1, 5)] * 3),
    fill=st.sampled_from([0.0, 0.25]),
    whole=st.booleans(),
)
def test_every_pixel_lies_between_four(seed, shape, fill, whole):
    rng = np.random.default_rng(seed)
    rows, _, height, width = shape
    images = rng.uniform(size=shape)
    down, across = rng.uniform(-3, 8, size=(2, rows, height, width))
    if whole:
        down, across = np.round(down), np.round(across)
    found = bilinear(images, down, across, fill)
    for place in np.ndindex(found.shape):
        row, channel, i, j = place
        expected = sampled(images[row, channel], down[row, i, j], across[row, i, j], fill)
        assert np.isclose(found[place], expected, rtol=1e-12, atol=1e-12)


def test_in_parts_as_in_one(monkeypatch):
    rng = np.random.default_rng(0)
    images, (down, across) = rng.uniform(size=(7, 2, 5, 4)), rng.uniform(-2, 7, size=(2, 7, 5, 4))
    whole = bilinear(images, down, across, 0.0)
    monkeypatch.setattr(module, "PIXELS_AT_ONCE", 45)
    assert bilinear(images, down, across, 0.0).tobytes() == whole.tobytes()
