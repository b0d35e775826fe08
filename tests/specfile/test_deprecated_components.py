"""A spec that names a deprecated component gets a warning at its place."""

from __future__ import annotations

import warnings

import pytest

import mlpkit
from mlpkit.specfile.spec import read_spec

PLUGIN = """
from mlpkit import Initializer, Layer, Schedule, component, hookimpl
import numpy as np

class Old(Layer):
    def __init__(self, weights: mlpkit_initializer = "old_zeros") -> None:
        pass
    def forward(self, x):
        return x
    backward = forward

class Keeper(Layer):
    def __init__(self, first: Layer | float = 1.0) -> None:
        pass
    def forward(self, x):
        return x
    backward = forward

class OldZeros(Initializer):
    def __call__(self, shape, fans, rng, dtype):
        return np.zeros(shape, dtype)

class OldRate(Schedule):
    def __call__(self, progress):
        return 0.1

@hookimpl
def mlpkit_components():
    return [
        component("layer", "Old", Old, deprecated="use Relu"),
        component("layer", "Keeper", Keeper),
        component("initializer", "old_zeros", OldZeros, deprecated="use zeros"),
        component("schedule", "old_rate", OldRate, deprecated="write a number"),
    ]
""".replace('mlpkit_initializer = "old_zeros"', "int = 0")

SPEC = """\
mlpkit: 1
vars: {rate: acme.old_rate}
data: mnist
layers:
  - Affine: {units: 10, weights: acme.old_zeros}
  - acme.Old: {name: a}
  - acme.Old
  - acme.Keeper: {first: acme.Old}
  - SoftmaxWithLoss
training: {optimizer: {sgd: {learning_rate: $rate}}, iterations: 1}
"""

GOLDEN = [
    """\
spec.yaml:5:34: initializer acme.old_zeros is deprecated
    5 |   - Affine: {units: 10, weights: acme.old_zeros}
      |                                  ^^^^^^^^^^^^^^
  help: use zeros""",
    """\
spec.yaml:6:5: layer acme.Old is deprecated
    6 |   - acme.Old: {name: a}
      |     ^^^^^^^^
  help: use Relu""",
    """\
spec.yaml:7:5: layer acme.Old is deprecated
    7 |   - acme.Old
      |     ^^^^^^^^
  help: use Relu""",
    """\
spec.yaml:8:26: layer acme.Old is deprecated
    8 |   - acme.Keeper: {first: acme.Old}
      |                          ^^^^^^^^
  help: use Relu""",
    """\
spec.yaml:10:45: schedule acme.old_rate is deprecated
   10 | training: {optimizer: {sgd: {learning_rate: $rate}}, iterations: 1}
      |                                             ^^^^^
  help: write a number
  note: $rate is 'acme.old_rate', set at spec.yaml:2:14""",
]


@pytest.fixture
def work(tmp_path, monkeypatch):
    """Go to a folder with the spec and the plugin."""
    (tmp_path / "acme.py").write_text(PLUGIN)
    (tmp_path / "spec.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("work")
def test_each_place_is_reported():
    spec = read_spec("spec.yaml", plugins=["acme.py"])
    assert [str(warning) for warning in spec.warnings] == GOLDEN


@pytest.mark.usefixtures("work")
def test_python_warns():
    with pytest.warns(FutureWarning) as caught:
        mlpkit.load_spec("spec.yaml", plugins=["acme.py"])
    assert [str(warning.message) for warning in caught] == GOLDEN
    assert {warning.filename for warning in caught} == {__file__}


def test_a_default_is_not_the_users_to_change(work):
    text = PLUGIN.replace("weights: int = 0", 'weights: "InitializerLike" = "acme.old_zeros"')
    text = text.replace("import Initializer,", "import Initializer, InitializerLike,")
    (work / "acme.py").write_text(text.replace(', deprecated="use Relu"', ""))
    (work / "spec.yaml").write_text(
        SPEC.replace(", weights: acme.old_zeros", "").replace("acme.old_rate", "0.1").replace("first: acme.Old", "")
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mlpkit.load_spec("spec.yaml", plugins=["acme.py"])
