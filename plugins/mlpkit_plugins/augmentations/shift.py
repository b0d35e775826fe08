"""Shifts of images by whole pixels."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from mlpkit import Array, ParameterError
from mlpkit_plugins.augmentations.of_images import ImageShape, OfImages


class Shift(OfImages):
    """Moves each image by a random number of whole pixels, up or down and left or right.

        out[i, j] = x[i + down, j + across],  down and across uniform in {-pixels, ..., pixels}

    All channels of an image move together. Outside of x, out is ``fill``.

    Args:
        pixels: the largest shift along each side, smaller than the sides of an image.
        fill: the value of pixels from outside the image, in the unit of the inputs.
        image: [height, width] or [channels, height, width] of the images, if the data set gives them as rows of pixels.

    Raises:
        ShapeError: an input is neither an image nor, with ``image`` given, a row of pixels.
        ParameterError: ``image`` is not the shape of an image with as many pixels as an input has, or ``pixels`` isn't
            smaller than the sides of an image.

    Source: Simard, Steinkraus and Platt, Best Practices for Convolutional Neural Networks Applied to Visual Document
        Analysis (2003), section 2, with the same displacement for all pixels.
    """

    pixels: Annotated[int, Ge(1)] = 2
    _: KW_ONLY
    fill: float = 0.0
    image: ImageShape = None

    def expect_inputs(self, input_shape: tuple[int, ...]) -> None:
        """Check that inputs of this shape are images, and that a shift leaves a part of each."""
        _, height, width = self.seen_as(input_shape)
        shorter = min(height, width)
        if self.pixels >= shorter:
            message = f"a shift by {self.pixels} may move an image of {height} by {width} pixels out of sight"
            remedy = "" if shorter > 1 else "leave it out"
            raise ParameterError("pixels", message, expected=f"less than {shorter} pixels", remedy=remedy)

    def change(self, images: Array, rng: np.random.Generator) -> Array:
        """Cut each image out of a copy with a border of ``pixels``."""
        rows, _, height, width = images.shape
        border = (self.pixels, self.pixels)
        framed = np.pad(images, ((0, 0), (0, 0), border, border), constant_values=self.fill)
        cut = np.arange(framed[0].size).reshape(framed.shape[1:])[:, :height, :width]  # at the upper left
        down, across = rng.integers(0, 2 * self.pixels, size=(2, rows), endpoint=True)
        begin = np.arange(rows) * framed[0].size + down * framed.shape[3] + across
        moved: Array = framed.take(begin[:, np.newaxis, np.newaxis, np.newaxis] + cut)
        return moved

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show it on grey images, on images of three channels, and on rows of pixels."""
        return [({}, (6, 5)), ({"pixels": 1, "fill": 0.5}, (3, 4, 5)), ({"image": [4, 5]}, (20,))]
