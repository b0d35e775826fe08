"""What the tests of the pages share: the pages, their marked blocks, and data small enough to train on at once."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from documentation_pages import DOCS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def docs() -> Path:
    """Return the folder of the pages."""
    return DOCS


@pytest.fixture(scope="session")
def tiny_mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with files like MNIST's, but of 120 and 40 images."""
    folder = tmp_path_factory.mktemp("tiny_mnist")
    rng = np.random.default_rng(0)
    for name, count in (("train", 120), ("t10k", 40)):
        labels = np.arange(count, dtype=np.uint8) % 10
        images = rng.integers(0, 100, (count, 28, 28), dtype=np.uint8) + 15 * labels[:, None, None]
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            (folder / f"{name}-{kind}-ubyte").write_bytes(header + array.astype(np.uint8).tobytes())
    return folder


@pytest.fixture
def shortened(tiny_mnist: Path):
    """Return a function that loads a spec as a page shows it, and again so that it trains in no time."""
    import mlpkit

    def load(name: str, plugins: list[str]) -> mlpkit.Spec:
        as_shown = mlpkit.load_spec(name, plugins=plugins)
        short = {"batch_size": 20, "epochs": 2, "iterations": None, "evaluate_every": None}
        overrides = {f"training.{key}": value for key, value in short.items()}
        if as_shown.data.name == "mnist":
            overrides |= {"data.directory": str(tiny_mnist), "data.train": None, "data.validation": 20}
        return mlpkit.load_spec(name, plugins=plugins, overrides=overrides)

    return load
