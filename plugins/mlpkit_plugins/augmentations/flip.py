"""Images mirrored from left to right."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Le

from mlpkit import Array
from mlpkit_plugins.augmentations.of_images import ImageShape, OfImages


class Flip(OfImages):
    """Mirrors each image from left to right with a probability.

        out[i, j] = x[i, width - 1 - j]  with the probability, otherwise x[i, j]

    It suits images whose mirror image means the same, such as images of clothes, but not digits or letters.

    Args:
        probability: the probability of mirroring an image.
        image: [height, width] or [channels, height, width] of the images, if the data set gives them as rows of pixels.

    Raises:
        ShapeError: an input is neither an image nor, with ``image`` given, a row of pixels.
        ParameterError: ``image`` is not the shape of an image with as many pixels as an input has.

    Source: Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep Convolutional Neural Networks (2012),
        section 4.1.
    """

    probability: Annotated[float, Ge(0), Le(1)] = 0.5
    _: KW_ONLY
    image: ImageShape = None

    def change(self, images: Array, rng: np.random.Generator) -> Array:
        """Mirror some of the images."""
        mirrored = rng.random(len(images)) < self.probability
        return np.where(mirrored[:, np.newaxis, np.newaxis, np.newaxis], images[..., ::-1], images)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show it on grey images, on images of three channels, and on rows of pixels."""
        return [({}, (6, 5)), ({"probability": 0.25}, (3, 4, 5)), ({"image": [4, 5]}, (20,))]
