"""The filters of a convolution before and after training, and what they find in a digit.

python specs/from_scratch/filters.py [--to FILE] [--set KEY=VALUE]
"""

from __future__ import annotations

import numpy as np
from lesson import Lesson, main

import mlpkit
from mlpkit.pages import parts

DIGITS = 3
"""How many digits are shown through filters."""
SHOWN = 7
"""How many filters each digit is shown through."""


def filters(network: mlpkit.Sequential) -> np.ndarray:
    """Return the filters of the first convolution, shape (filters, height, width)."""
    weights = network.parameters["Conv2d1.W"]
    size = round(np.sqrt(weights.shape[1]))
    return weights.reshape(-1, size, size)


def smoothness(images: np.ndarray) -> float:
    """Return the mean correlation of neighbouring pixels: about 0 in noise, more in edges and blobs."""
    images = images - images.mean(axis=(1, 2), keepdims=True)
    pairs = (images[:, 1:] * images[:, :-1]).mean() + (images[:, :, 1:] * images[:, :, :-1]).mean()
    return float(pairs / 2 / (images**2).mean())


def make(lesson: Lesson) -> str:
    """Return the page."""
    before, run = filters(mlpkit.build(lesson.spec())), lesson.train()
    after = filters(run.network)
    strongest = np.argsort(-np.abs(after).sum(axis=(1, 2)))[:SHOWN]
    digits, _ = mlpkit.load_data(lesson.spec(), "test", DIGITS)
    return lesson.page(
        parts.section(f"Before training: correlation of neighbours {smoothness(before):.2f}", grid(before)),
        parts.section(f"After training: correlation of neighbours {smoothness(after):.2f}", grid(after)),
        parts.section(
            "Digits through the strongest filters",
            *(through(run.network, digit, strongest) for digit in digits),
            parts.paragraph(f"Accuracy on the test images: {run.metrics['test']['accuracy']:.3f}"),
        ),
    )


def grid(images: np.ndarray) -> str:
    """Show filters side by side, with their numbers."""
    return parts.pictures([shades(image) for image in images], [f"{i}" for i in range(1, len(images) + 1)], least=3)


def shades(image: np.ndarray) -> np.ndarray:
    """Convert an image to grey values, with zero in the middle."""
    grey: np.ndarray = 127.5 + 127.5 * image / max(np.abs(image).max(), 1e-12)
    return grey.astype(np.uint8)


def through(network: mlpkit.Sequential, digit: np.ndarray, chosen: np.ndarray) -> str:
    """Show a digit, and what each of the chosen filters finds in it."""
    outputs = network.activations(digit[np.newaxis])["Relu1"][0]
    brightest = max(outputs[chosen].max(), 1e-12)
    images = [(255 * image).astype(np.uint8) for image in (digit, *(outputs[chosen] / brightest))]
    return parts.pictures(images, ["the digit", *(f"filter {i + 1}" for i in chosen)], least=6)


if __name__ == "__main__":
    main(make)
