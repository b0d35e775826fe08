"""The four files of MNIST, and of every data set in the same format."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"

RANKS = {TRAIN_IMAGES: 3, TRAIN_LABELS: 1, TEST_IMAGES: 3, TEST_LABELS: 1}
"""Number of dimensions in each file: images are (examples, height, width), labels (examples,)."""


class MnistSource(Protocol):
    """The source of the four files."""

    def path(self, name: str) -> Path:
        """Return the path of a file, compressed or not."""

    def read(self, name: str) -> tuple[NDArray[np.uint8], str]:
        """Return the array that a file holds, and the SHA-256 of the file's decompressed content."""
