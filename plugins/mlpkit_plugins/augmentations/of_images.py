"""The base of augmentations of images, which reshapes inputs to images."""

from __future__ import annotations

from abc import abstractmethod
from math import prod
from typing import Annotated, TypeAlias, cast

import numpy as np
from annotated_types import Ge

from mlpkit import Array, Augmentation, ParameterError, ShapeError

ImageShape: TypeAlias = tuple[Annotated[int, Ge(1)], ...] | None
"""[height, width] or [channels, height, width] of images that the data set gives as rows of pixels; otherwise None."""


class OfImages(Augmentation):
    """A change to images, which a subclass implements in ``change``; it declares the parameter ``image``."""

    image = cast("ImageShape", None)

    @abstractmethod
    def change(self, images: Array, rng: np.random.Generator) -> Array:
        """Return the changed images, a new array, shape (rows, channels, height, width)."""

    def __call__(self, x: Array, rng: np.random.Generator, out: Array) -> Array:
        """Write the changed images into ``out``, in the shape of ``x``."""
        out[...] = self.change(x.reshape(len(x), *self.seen_as(x.shape[1:])), rng).reshape(x.shape)
        return out

    def expect_inputs(self, input_shape: tuple[int, ...]) -> None:
        """Check that inputs of this shape are images."""
        self.seen_as(input_shape)

    def seen_as(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return channels, height and width of inputs."""
        shape = input_shape if self.image is None else self.image
        if self.image is not None and len(self.image) not in (2, 3):
            expected = "[height, width] or [channels, height, width]"
            raise ParameterError("image", f"{list(self.image)} is not the shape of an image", expected=expected)
        if prod(shape) != prod(input_shape):
            message = f"an image of shape {list(shape)} has {prod(shape)} pixels, and an input {prod(input_shape)}"
            raise ParameterError("image", message, expected=f"a shape of {prod(input_shape)} pixels")
        if len(shape) not in (2, 3):
            raise ShapeError(
                f"{self.registered_name} can't take inputs of shape {input_shape}",
                expected="images, shape (height, width) or (channels, height, width)",
                remedy="give the shape of the images, as in image: [28, 28]" if len(shape) == 1 else "",
            )
        return (1, *shape)[-3:]
