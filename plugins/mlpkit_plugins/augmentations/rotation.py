"""Rotation of images about their centre."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Annotated, Any

import numpy as np
from annotated_types import Gt, Le

from mlpkit import Array
from mlpkit_plugins.augmentations.of_images import ImageShape, OfImages
from mlpkit_plugins.functions.bilinear import bilinear


class Rotation(OfImages):
    """Rotates each image about its centre by a random angle.

        out[c + d] = x[c + R d],  R = (cos θ, sin θ; -sin θ, cos θ),  θ uniform in [-degrees, degrees]

    where c is the centre of the image, and c + d the position of a pixel, (down, across). Between pixels, x is
    interpolated bilinearly; outside the image it is ``fill``.

    Args:
        degrees: the largest angle, clockwise or counter-clockwise, in degrees.
        fill: the value of pixels from outside the image, in the unit of the inputs.
        image: [height, width] or [channels, height, width] of the images, if the data set gives them as rows of pixels.

    Raises:
        ShapeError: an input is neither an image nor, with ``image`` given, a row of pixels.
        ParameterError: ``image`` is not the shape of an image with as many pixels as an input has.

    Source: Simard, Steinkraus and Platt, Best Practices for Convolutional Neural Networks Applied to Visual Document
        Analysis (2003), section 2.
    """

    degrees: Annotated[float, Gt(0), Le(180)] = 15.0
    _: KW_ONLY
    fill: float = 0.0
    image: ImageShape = None

    def change(self, images: Array, rng: np.random.Generator) -> Array:
        """Sample each pixel at its position before the rotation."""
        rows, _, height, width = images.shape
        angle = np.radians(rng.uniform(-self.degrees, self.degrees, size=(rows, 1, 1)))
        cos, sin = np.cos(angle).astype(images.dtype), np.sin(angle).astype(images.dtype)
        centre_down, centre_across = (height - 1) / 2, (width - 1) / 2
        i = (np.arange(height) - centre_down).astype(images.dtype)[:, np.newaxis]
        j = (np.arange(width) - centre_across).astype(images.dtype)
        down, across = centre_down + cos * i + sin * j, centre_across - sin * i + cos * j
        return bilinear(images, down, across, self.fill)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show it on grey images, on images of three channels, and on rows of pixels."""
        return [({}, (6, 5)), ({"degrees": 180.0, "fill": 0.5}, (3, 4, 5)), ({"image": [4, 5]}, (20,))]
