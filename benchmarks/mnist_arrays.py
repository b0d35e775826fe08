"""MNIST as plain arrays in files, which any contestant reads with ``numpy.load``, without mlpkit.

python benchmarks/mnist_arrays.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPEC = Path(__file__).parents[1] / "specs" / "mnist_3layer.yaml"


def write_arrays(folder: Path) -> None:
    """Write the training and the test split that the main spec trains and tests on, images as uint8.

    Args:
        folder: an existing folder.
    """
    import mlpkit  # noqa: PLC0415 - not needed for reading

    spec = mlpkit.load_spec(SPEC)
    splits = spec.data().open(spec.seed)
    for name in ("train", "test"):
        split = splits[name]
        x, t = np.empty((len(split), 784), np.float32), np.empty(len(split), np.int64)
        split.take(np.arange(len(split)), (x, t))
        np.save(folder / f"{name}_images.npy", np.rint(x * 255).astype(np.uint8))
        np.save(folder / f"{name}_labels.npy", t)


def read_arrays(folder: Path, split: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return images, shape (examples, 784), and labels, shape (examples,).

    Args:
        folder: where ``write_arrays`` wrote.
        split: ``train`` or ``test``.
    """
    return np.load(folder / f"{split}_images.npy"), np.load(folder / f"{split}_labels.npy")


if __name__ == "__main__":
    write_arrays(Path(sys.argv[1]))
