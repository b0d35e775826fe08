"""What the suites of damaged input share: how many inputs to try, where to keep those that fail, and a small model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

from mlpkit.runs.model_file import load_model_file, save_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEPT = Path(__file__).with_name("regressions")

SPEC = """\
mlpkit: 1
name: small
seed: 0
dtype: float32
data:
  mnist: {validation: 0, normalize: true, flatten: true}
layers:
- Affine: {units: 12, weights: {normal: {std: 0.01}}, name: Affine1}
- Relu: {name: Relu1}
- Affine: {units: 10, weights: he_normal, name: Affine2}
- SoftmaxWithLoss: {name: SoftmaxWithLoss1}
training:
  optimizer: {sgd: {learning_rate: 0.1}}
  batch_size: 100
  sampling: shuffle
  epochs: 1
  metrics: [accuracy]
  slices: 1
  threads: 1
"""


class SmallModel(NamedTuple):
    """The file of a small model, about 2 kB, and what is in it."""

    path: Path
    content: bytes
    digits: str
    arrays: dict[str, NDArray[Any]]
    metadata: dict[str, Any]


@pytest.fixture
def model(tmp_path: Path) -> SmallModel:
    """Save a small model, as a run does."""
    generator = np.random.default_rng(0)
    shapes = {"Affine1.W": (4, 12), "Affine1.b": (12,), "Affine2.W": (12, 10), "Affine2.b": (10,)}
    arrays = {name: generator.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    metadata = {
        "spec": SPEC,
        "encoder": {"image_shape": [2, 2]},
        "input_shape": [4],
        "target": {"type": "Classes", "count": 10, "one_hot": False},
    }
    path = tmp_path / "model.safetensors"
    save_model(path, arrays, metadata)
    return SmallModel(path, path.read_bytes(), load_model_file(path).sha256, arrays, metadata)


@pytest.fixture
def keep() -> Path:
    """Return the folder for inputs that fail."""
    return KEPT
