"""The MNIST files that ship with mlpkit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlpkit_plugins.datasets.mnist_cache import read_through_cache
from mlpkit_plugins.datasets.mnist_names import RANKS, TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS

FOLDER = Path(__file__).with_name("mnist_files")

CHECKSUMS = {
    TRAIN_IMAGES: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    TRAIN_LABELS: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    TEST_IMAGES: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    TEST_LABELS: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""SHA-256 of each file's decompressed content."""


class ShippedFiles:
    """MNIST itself, compressed, checked against its checksums at every read."""

    def path(self, name: str) -> Path:
        """Return the path of a file."""
        return FOLDER / f"{name}.gz"

    def read(self, name: str) -> tuple[NDArray[np.uint8], str]:
        """Return the array that a file holds, and the SHA-256 of the file's content.

        Raises:
            DataError: the shipped file is damaged.
        """
        return read_through_cache(self.path(name), RANKS[name], CHECKSUMS[name]), CHECKSUMS[name]
