"""A first convolutional network for small images, and how to train it."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from mlpkit_plugins.first_networks.first_spec import Commented, FirstNetwork
from mlpkit_plugins.first_networks.perceptron import (
    ACTIVATION,
    AGAINST_OVERFITTING,
    Size,
    TargetToLearn,
    first_network,
    rounded,
)

FILTERS: Final = (16, 32, 64, 64)
"""Filters of each convolution; small images have fewer convolutions."""

SMALLEST: Final = 8
"""The shortest side in pixels of an image for convolutions; a smaller image becomes a row of pixels."""

LEFT: Final = 7
"""The fewest pixels along the shorter side after the last pooling."""

UNITS: Final = 128
DROPOUT: Final = 0.2
STEPS: Final = 2500
LARGEST_BATCH: Final = 128

FURTHEST: Final = 14
"""Pixels along the shorter side for each pixel of the largest shift."""


class ImageInputs(NamedTuple):
    """The format of images, with the median of their borders in the unit of the inputs.

    ``are_planes`` tells that the data set gives them without an axis of channels, or with that axis last.
    """

    channels: int
    height: int
    width: int
    border: float = 0.0
    are_planes: bool = False

    @property
    def are_small(self) -> bool:
        """Whether they are too small for convolutions."""
        return min(self.height, self.width) < SMALLEST


def convolutional(examples: int, images: ImageInputs, target: TargetToLearn) -> FirstNetwork:
    """Return a network of convolutions, each with pooling, for larger images with pixels from about 0 to 1."""
    count = _convolutions(min(images.height, images.width))
    many, dropout = "a convolution" if count == 1 else f"{count} convolutions", {"Dropout": {"rate": DROPOUT}}
    layers: list[Any] = []
    if images.are_planes:
        reshape = {"Reshape": {"shape": [images.channels, images.height, images.width]}}
        layers.append(Commented(reshape, "channels, height, width"))
    for i, filters in enumerate(FILTERS[:count]):
        convolution = {"Conv2d": {"filters": filters, "size": 3, "padding": 1}}
        why = f"{many}: for images of {images.height} by {images.width} pixels"
        layers += [convolution if i else Commented(convolution, why), ACTIVATION, "MaxPool2d"]
    layers += ["Flatten", Commented(dropout, AGAINST_OVERFITTING), {"Affine": {"units": UNITS}}, ACTIVATION, dropout]
    size = Size.of(examples, largest_batch=LARGEST_BATCH, steps=STEPS)
    shape = f"{many} with pooling, a hidden layer of {UNITS} units"
    pixels = max(1, round(min(images.height, images.width) / FURTHEST))
    fill = {"fill": round(images.border, 3)} if abs(images.border) >= 0.0005 else {}
    why = f"some {rounded(examples)} training images, moved a little each time; leave it out if places matter"
    augment = Commented([{"shift": {"pixels": pixels, **fill}}], why)
    return first_network(layers, shape, size, examples, target, augment=augment)


def _convolutions(side: int) -> int:
    """Return the number of poolings that a side allows."""
    count = 1
    while count < len(FILTERS) and side >> (count + 1) >= LEFT:
        count += 1
    return count
