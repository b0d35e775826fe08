"""The text of the spec that is played with, as numbers and layers in it change."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mlpkit.errors import SpecError
from mlpkit.registry.registry import Registry
from mlpkit.verbs.play.text import SpecText, knobs_of

TEXT = """\
mlpkit: 1  # a comment
vars: {rate: 0.25}
data: {csv: {file: "example:loans.csv", target: paid_back, categorical: [purpose]}}
layers:
  - Affine: {units: 6, weights: 0.5}  # the first
  - {Relu: }
  - Tanh
  - Residual: {layers: [Dropout: {rate: 0.125}]}
  - Affine: {units: auto}
  - SigmoidWithLoss
training:
  optimizer: {sgd: {learning_rate: $rate, momentum: 0.5}}  # slowly
  epochs: 3
"""
FIRST, LAST = "Affine: {units: 6, weights: 0.5}", "Affine: {units: auto}"
LINES = [FIRST, "Relu: null", "Tanh", "Residual: {layers: [{Dropout: {rate: 0.125}}]}", LAST, "SigmoidWithLoss"]


@pytest.fixture
def text():
    return SpecText(Path("spec.yaml"), TEXT, Registry.discover())


@pytest.mark.parametrize(
    ("key", "value", "before", "after"),
    [
        ("training.optimizer.momentum", 0.75, "momentum: 0.5", "momentum: 0.75"),
        ("training.epochs", 12, "epochs: 3", "epochs: 12"),
        ("layers.Affine1.units", 7, "units: 6", "units: 7"),
        ("layers.Affine1.weights", 1e-8, "weights: 0.5", "weights: 1.0e-08"),
        ("training.optimizer.learning_rate", 0.5, "$rate", "0.5"),
    ],
)
def test_a_number_is_written_in_its_place_and_comments_stay(key, value, before, after, text):
    assert text.with_number(key, value).text == TEXT.replace(before, after)


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("layers.Affine2.units", 9, ("layers", 4, "Affine", "units")),
        ("training.batch_size", 8, ("training", "batch_size")),
    ],
)
def test_a_number_that_is_not_written_there_changes_the_whole_text(key, value, place, text):
    found = text.with_number(key, value)
    assert "#" not in found.text
    written = yaml.safe_load(found.text)
    for part in place[:-1]:
        written = written[part]
    assert written[place[-1]] == value
    assert found.layer_lines() == [line.replace("auto", "9") if place[0] == "layers" else line for line in LINES]
    assert (found.path, found.registry) == (text.path, text.registry)


def test_a_key_that_is_not_there_or_a_wrong_number_is_an_error(text):
    with pytest.raises(SpecError, match="momentun"):
        text.with_number("training.optimizer.momentun", 1).spec()
    with pytest.raises(SpecError, match="at least 1"):
        text.with_number("training.epochs", 0).spec()


@pytest.mark.parametrize(
    ("position", "line", "insert", "lines"),
    [
        (1, "Sigmoid", False, [FIRST, "Sigmoid", *LINES[2:]]),
        (1, "Dropout: {rate: 0.25}", True, [FIRST, "Dropout: {rate: 0.25}", *LINES[1:]]),
        (0, None, False, LINES[1:]),
        (5, "Gelu", True, [*LINES[:5], "Gelu", LINES[5]]),
        (2, "Tanh\n  - Gelu", False, [*LINES[:2], "Tanh", "Gelu", *LINES[3:]]),
    ],
)
def test_a_layer_is_replaced_put_before_another_or_removed(position, line, insert, lines, text):
    assert text.layer_lines() == LINES
    found = text.with_layer(position, line, insert=insert)
    assert found.layer_lines() == lines
    assert yaml.safe_load(found.text)["training"]["epochs"] == 3


def test_a_layer_that_cannot_be_read_is_an_error(text):
    with pytest.raises(SpecError, match="the layer"):
        text.with_layer(1, "Affine: {units: ")


def test_the_numbers_of_a_spec(text):
    found = {knob.key: (knob.path, knob.group, knob.value, knob.integer) for knob in knobs_of(text.spec())}
    assert found["training.optimizer.momentum"] == (("training", "optimizer", "sgd", "momentum"), "sgd", 0.5, False)
    assert found["training.epochs"] == (("training", "epochs"), "training", 3, True)
    assert found["layers.Affine1.weights"] == (("layers", 0, "Affine", "weights"), "Affine1", 0.5, False)
    assert [*found] == [
        *(f"training.optimizer.{name}" for name in ("learning_rate", "momentum", "weight_decay")),
        *("training.batch_size", "training.epochs", "layers.Affine1.units", "layers.Affine1.weights"),
        *("layers.SigmoidWithLoss1.label_smoothing",),
    ]
