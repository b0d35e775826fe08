"""Fixtures of tests in Python: a tiny set of digits, and a spec for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from idx_files import write_idx

import mlpkit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SPEC = """\
mlpkit: 1
name: tiny
seed: 3
data:
  mnist: {directory: digits, validation: 50}
layers:
  - Affine: {units: 16}
  - Relu
  - Affine: {units: 10}
  - SoftmaxWithLoss
training:
  optimizer: {sgd: {learning_rate: 0.05}}
  batch_size: 50
  epochs: 12
  metrics: [accuracy]
"""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with 250 training and 60 test digits of 28 by 28 pixels, and a spec for them."""
    monkeypatch.chdir(tmp_path)
    return fill(tmp_path)


@pytest.fixture(scope="module")
def shared_work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working folder as ``work`` is, for all tests of a module."""
    with pytest.MonkeyPatch.context() as patch:
        path = fill(tmp_path_factory.mktemp("work"))
        patch.chdir(path)
        yield path


def fill(path: Path) -> Path:
    """Write the digits and the spec into a folder."""
    folder = path / "digits"
    folder.mkdir()
    generator = np.random.default_rng(0)
    prototypes = generator.integers(0, 256, (10, 28, 28))
    for name, count in (("train", 250), ("t10k", 60)):
        labels = generator.integers(0, 10, count)
        images = np.clip(prototypes[labels] + generator.normal(0, 30, (count, 28, 28)), 0, 255)
        write_idx(folder / f"{name}-images-idx3-ubyte", images)
        write_idx(folder / f"{name}-labels-idx1-ubyte", labels)
    (path / "tiny.yaml").write_text(SPEC, encoding="utf-8")
    return path


@pytest.fixture
def train(work: Path) -> Callable[..., mlpkit.Run]:
    """Return a function that trains the tiny spec into a folder."""

    def train_into(directory: str | None = "run", **overrides: object) -> mlpkit.Run:
        dotted = {key.replace("__", "."): value for key, value in overrides.items()}
        return mlpkit.run(mlpkit.load_spec("tiny.yaml", overrides=dotted), directory)

    return train_into
