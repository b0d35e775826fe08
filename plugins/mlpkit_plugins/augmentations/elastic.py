"""Elastic distortion of images."""

from __future__ import annotations

from dataclasses import KW_ONLY
from math import pi, sqrt
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import DTypeLike

from mlpkit import Array
from mlpkit_plugins.augmentations.of_images import ImageShape, OfImages
from mlpkit_plugins.functions.bilinear import bilinear


class Elastic(OfImages):
    """Elastic distortion: moves each pixel at random, and its neighbours by nearly the same.

        out[i, j] = x[i + down, j + across],  (down, across) = alpha (G * U)[i, j]
        G[i, j]   = exp(-(i² + j²) / (2 sigma²)) / (2 π sigma²)

    where U is noise, uniform between -1 and 1 for each pixel and direction, and G * U its convolution with a Gaussian,
    with U zero outside the image. Between pixels, x is interpolated bilinearly; outside the image it is ``fill``. For
    sigma of 1 or more, the root mean square of a shift along a side is alpha / (sigma √(12 π)) away from the border:
    1.4 pixels by default. The paper scales G * U to norm 1 before it multiplies by alpha, so the effect of its alpha
    depends on the size of the images: in its images of 29 by 29 pixels, the same two numbers give 34 / 29 = 1.2 pixels.

    Args:
        alpha: the strength of the distortion, in pixels.
        sigma: the distance over which neighbours move together, in pixels, at least 0.5.
        fill: the value of pixels from outside the image, in the unit of the inputs.
        image: [height, width] or [channels, height, width] of the images, if the data set gives them as rows of pixels.

    Raises:
        ShapeError: an input is neither an image nor, with ``image`` given, a row of pixels.
        ParameterError: ``image`` is not the shape of an image with as many pixels as an input has.

    Source: Simard, Steinkraus and Platt, Best Practices for Convolutional Neural Networks Applied to Visual Document
        Analysis (2003), section 2.
    """

    alpha: Annotated[float, Gt(0), Le(1e6)] = 34.0
    sigma: Annotated[float, Ge(0.5)] = 4.0
    _: KW_ONLY
    fill: float = 0.0
    image: ImageShape = None

    def change(self, images: Array, rng: np.random.Generator) -> Array:
        """Sample each pixel at its distorted position."""
        rows, _, height, width = images.shape
        noise = rng.random((2 * rows, height, width), dtype=images.dtype)
        noise *= 2 * self.alpha
        noise -= self.alpha
        smooth = noise.reshape(-1, width) @ _gaussian(width, self.sigma, images.dtype)  # along each side in turn
        smooth = _gaussian(height, self.sigma, images.dtype) @ smooth.reshape(noise.shape)
        down, across = smooth[:rows], smooth[rows:]
        down += np.arange(height, dtype=images.dtype)[:, np.newaxis]
        across += np.arange(width, dtype=images.dtype)
        return bilinear(images, down, across, self.fill)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show it on grey images, on images of three channels, and on rows of pixels."""
        return [({}, (6, 5)), ({"alpha": 8.0, "sigma": 1.5, "fill": 0.5}, (3, 4, 5)), ({"image": [4, 5]}, (20,))]


def _gaussian(pixels: int, sigma: float, dtype: DTypeLike) -> Array:
    """Return the matrix of a convolution with a Gaussian along a side, with zeros beyond its ends."""
    bell = np.exp(-0.5 * (np.arange(pixels) / sigma) ** 2) / sigma / sqrt(2 * pi)
    distances = np.abs(np.subtract.outer(np.arange(pixels), np.arange(pixels)))
    matrix: Array = bell.astype(dtype)[distances]
    return matrix
