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
"""How many filters they are shown through."""


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
    spec = lesson.spec()
    before, run = mlpkit.build(spec), lesson.train()
    learned = filters(run.network)
    strongest = np.argsort(-np.abs(learned).sum(axis=(1, 2)))[:SHOWN]
    return lesson.page(
        "Filters of a convolution",
        "A convolution begins with filters of noise. Training turns them into edges and blobs, which no one drew.",
        [
            parts.section("Before training", grid(filters(before))),
            parts.section("After training", grid(learned)),
            parts.section(
                "Digits through the strongest filters",
                *(through(run.network, x, strongest) for x in mlpkit.load_data(spec, "test", DIGITS)[0]),
            ),
        ],
        formula="y(f, i, j) = Σ w(f, k, l) x(i + k, j + l) + b(f),  over the 5 by 5 places k, l",
        notice=[
            "Each square is one filter, light where its weights are positive and dark where they are negative. Before "
            "training, neighbouring weights have nothing to do with each other; afterwards they do: the correlation of "
            f"neighbours goes from {smoothness(filters(before)):.2f} to {smoothness(learned):.2f}.",
            "A filter that is light above and dark below answers to the upper or lower edges of strokes, one that is "
            "light on the left to edges of another direction. Below, what each of the strongest filters finds in a "
            "digit, after Relu.",
            f"With these filters, the network is right about {run.metrics['test']['accuracy']:.1%} of the test images.",
        ],
        experiments={
            "--set layers.Conv2d1.size=9": "What larger filters look for is easier to see.",
            "--set training.epochs=6": "After a longer training, some filters are clearer, others never become anything.",
            "--set layers.Conv2d1.filters=8": "With fewer filters, the network is nearly as good.",
        },
    )


def grid(images: np.ndarray) -> str:
    """Return filters beside each other, with their numbers."""
    return parts.pictures([shades(image) for image in images], [f"{i}" for i in range(1, len(images) + 1)], least=3)


def shades(image: np.ndarray) -> np.ndarray:
    """Return an image as grey values, zero in the middle."""
    return (127.5 + 127.5 * image / max(np.abs(image).max(), 1e-12)).astype(np.uint8)


def through(network: mlpkit.Sequential, digit: np.ndarray, chosen: np.ndarray) -> str:
    """Return a digit, and what each of some filters finds in it."""
    found = network.activations(digit[np.newaxis])["Relu1"][0]
    brightest = max(found[chosen].max(), 1e-12)
    images = [(255 * image).astype(np.uint8) for image in (digit, *(found[chosen] / brightest))]
    return parts.pictures(images, ["the digit", *(f"filter {i + 1}" for i in chosen)], least=6)


if __name__ == "__main__":
    main(make)
