"""All keys of a spec, explained."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

import mlpkit
from mlpkit.errors import UsageError
from mlpkit.verbs.ask.explain import explain, explain_all

BASE = """\
mlpkit: 1
vars: {rate: 0.25, sizes: [3, 5]}
data:
  csv: {file: rows.csv, target: kind, categorical: [a, b], numbers: {robust_smooth_clip: {limit: 4}}}
layers:
  - Affine: {name: first, units: 7, weights: {normal: {std: 0.5}}}
  - Relu
  - Residual: {layers: [Tanh, Affine: {units: auto}]}
  - acme.Swish: {beta: 2}
  - Affine: {units: 2}
  - SoftmaxWithLoss
training:
  optimizer: {adam: {learning_rate: {one_cycle: {peak: $rate}}}}
  epochs: 3
  metrics: [accuracy, top_k: {k: 2}]
  freeze: [first]
"""
TEXT = """\
extends: base.yaml
requires: {numpy: ">=1"}
vars: {rate: 0.125}
training:
  batch_size: 16
  early_stopping: {patience: 7}
"""
ACME = """\
from mlpkit import Layer, component, hookimpl

class Swish(Layer):
    \"\"\"A smooth step.\"\"\"

    beta: float
    forward = backward = lambda self, x: x

@hookimpl
def mlpkit_components():
    return [component("layer", "Swish", Swish)]
"""


@pytest.fixture
def spec(cwd):
    for name, text in {"base.yaml": BASE, "spec.yaml": TEXT, "acme.py": ACME}.items():
        (cwd / name).write_text(text, "utf-8")
    return mlpkit.load_spec("spec.yaml", overrides={"training.epochs": 4}, plugins=["acme.py"])


def test_each_key(spec, golden):
    lines = []
    for each in explain_all(spec):
        plain = asdict(each)
        assert plain == asdict(explain(spec, each.key))
        meaning, notes = plain.pop("meaning"), plain.pop("notes")
        if not each.place:  # a default
            assert (each.required, notes) == (False, ())
            assert each.value == each.default or each.key == "training.checkpoint.every_seconds"
            continue
        plain = {key: value for key, value in plain.items() if value not in ("", None, False)}
        lines.append(f"{plain.pop('key')} = {each.value_in_words} ({each.default_in_words}) {json.dumps(plain)}")
        lines += [f"    {meaning[:60]}", *(f"    note: {note}" for note in notes)]
    golden(Path(__file__).with_name("keys.golden.txt"), "\n".join(lines).replace(str(Path.cwd()), "FOLDER") + "\n")


@pytest.mark.parametrize(
    ("key", "kind", "value", "place", "meaning"),
    [
        ("layers.first", "a layer or a loss", {"Affine": 1}, "base.yaml:6:5", "Affine map of the features: every"),
        (
            "layers.Residual1.Affine1.units",
            "an integer, at least 1, or auto",
            "auto",
            "base.yaml:8:47",
            "number of out",
        ),
        ("layers.Residual1.layers.Tanh1", "a layer", "Tanh", "base.yaml:8:25", "Hyperbolic tangent"),
        ("layers.Swish1.acme.Swish.beta", "a number", 2.0, "base.yaml:9:24", ""),
        ("layers.Swish1.beta", "a number", 2.0, "base.yaml:9:24", ""),
        ("training.metrics.top_k.k", "an integer, at least 1", 2, "base.yaml:15:34", "number of guesses."),
        ("data.csv.categorical.1", "a string", "b", "base.yaml:4:56", ""),
        ("vars.rate", "any value", 0.125, "spec.yaml:3:14", "a value, used elsewhere as $rate."),
        ("requires.numpy", "a string", ">=1", "spec.yaml:2:19", "the accepted versions of numpy."),
        ("training.optimizer.learning_rate.peak", "a number", 0.125, "base.yaml:13:56", "the largest value"),
    ],
)
def test_a_key_inside(key, kind, value, place, meaning, spec):
    found = explain(spec, key)
    assert found.type.startswith(kind)
    assert found.place == place
    assert found.meaning.startswith(meaning)
    if isinstance(value, dict):
        assert found.value.keys() == value.keys()
    else:
        assert found.value == value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("extends", "the files that extends names are merged into the spec; ask for a key that they set"),
        ("trainin.epochs", "unknown key 'trainin'; did you mean 'training.epochs'?"),
        ("training.epoch", "unknown key 'epoch' in 'training'; did you mean 'training.epochs'?"),
        ("layers.first.q", "unknown key 'q' in 'layers.first'; expected one of units, weights, bias, biases, ntk"),
        ("training.epochs.x", "unknown key 'x' in 'training.epochs'"),
        ("data.csv.categorical.2", "unknown key '2' in 'data.csv.categorical'"),
        ("layers.Relu1.q", "unknown key 'q' in 'layers.Relu1'"),
    ],
)
def test_a_key_that_is_not_there(key, text, spec):
    with pytest.raises(UsageError) as caught:
        explain(spec, key)
    assert str(caught.value) == text
