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
    """Write the splits that the main spec trains and tests on into an existing folder, images as uint8."""
    import mlpkit  # noqa: PLC0415 - not needed for reading

    spec = mlpkit.load_spec(SPEC)
    for name in ("train", "test"):
        x, t = mlpkit.load_data(spec, name)
        np.save(folder / f"{name}_images.npy", np.rint(x * 255).astype(np.uint8))
        np.save(folder / f"{name}_labels.npy", t)


def read_arrays(folder: Path, split: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return images, shape (examples, 784), and labels, shape (examples,), of ``train`` or ``test``."""
    return np.load(folder / f"{split}_images.npy"), np.load(folder / f"{split}_labels.npy")


if __name__ == "__main__":
    write_arrays(Path(sys.argv[1]))
