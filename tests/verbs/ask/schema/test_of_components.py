"""Components in the JSON Schema, a third party's included."""

from __future__ import annotations

import jsonschema
import pytest

from mlpkit.registry.registry import Registry
from mlpkit.verbs.ask.schema import json_schema

SPEC = """
mlpkit: 1
data: mnist
layers:
  - LAYER
  - SoftmaxWithLoss
training: {optimizer: sgd, epochs: 1}
"""


def alternatives(validator, definition):
    """Return the names that may stand alone, with what is said of them, and the mapping's properties."""
    mapping, *names = validator.schema["$defs"][definition]["anyOf"]
    return {name["const"]: name for name in names}, mapping["properties"]


def test_parameters_come_with_their_meanings_and_defaults(validator):
    _, properties = alternatives(validator, "named_layer_or_loss")
    affine = properties["Affine"]
    assert affine["properties"]["units"] == {
        "description": "number of outputs, or auto for the number that the loss takes for the data's target.",
        "anyOf": [{"type": "integer", "minimum": 1}, {"enum": ["auto"]}],
    }
    assert affine["properties"]["weights"]["default"] == "he_normal"
    assert affine["required"] == ["units"]


def test_a_name_may_stand_alone_if_it_needs_no_parameters(validator):
    names, properties = alternatives(validator, "named_layer_or_loss")
    assert "Relu" in names
    assert "Affine" not in names
    assert {"Relu", "Affine", "SoftmaxWithLoss"} <= set(properties)


@pytest.mark.parametrize(
    ("layer", "right"),
    [
        ("acme.Twice: {inner: Relu}", True),
        ("acme.Twice: {inner: {acme.Twice: {inner: Sigmoid}}, times: 3, mode: mean}", True),
        ("acme.Twice: {inner: Relu, rate: 1}", True),
        ("acme.Twice: {inner: Relu, rate: {one_cycle: {peak: 1}}}", True),
        ("acme.Twice: {inner: Relu, shape: [1, 2]}", True),
        ("acme.Twice: {inner: Relu, weights: {normal: {std: 1}}}", True),
        ("acme.Twice: {inner: Relu, name: mine}", True),
        ("acme.Old", True),
        ("acme.Twice", False),
        ("Twice: {inner: Relu}", False),
        ("acme.Twice: {inner: SoftmaxWithLoss}", False),
        ("acme.Twice: {inner: sgd}", False),
        ("acme.Twice: {inner: {acme.Twice: {}}}", False),
        ("acme.Twice: {inner: Relu, times: 0}", False),
        ("acme.Twice: {inner: Relu, mode: median}", False),
        ("acme.Twice: {inner: Relu, rate: Relu}", False),
        ("acme.Twice: {inner: Relu, rate: {one_cycle: {pek: 1}}}", False),
        ("acme.Twice: {inner: Relu, shape: [1, 2, 3]}", False),
        ("acme.Twice: {inner: Relu, weights: [0]}", False),
        ("acme.Lost", False),
    ],
)
def test_third_party_components(layer, right, validator_with_acme, data_of_text):
    assert validator_with_acme.is_valid(data_of_text(SPEC.replace("LAYER", layer))) == right


def test_what_is_said_of_third_party_components(validator_with_acme):
    names, properties = alternatives(validator_with_acme, "named_layer_or_loss")
    assert properties["acme.Twice"]["description"].startswith("Twice its inputs.\n\n    y = 2 x\n\nFrom ")
    assert names["acme.Old"]["deprecated"] is True
    assert names["acme.Old"]["description"].startswith("Deprecated: use acme.Twice.\n\nHands on its inputs.")
    assert "acme.Lost" not in properties


def test_a_kind_without_components_takes_nothing():
    schema = json_schema(Registry([]))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    spec = {"mlpkit": 1, "data": "$data", "layers": "$layers", "training": {"optimizer": "$o", "epochs": 1}}
    assert validator.is_valid(spec | {"vars": {}})
    assert not validator.is_valid(spec)


def test_a_plugin_that_would_end_the_program_is_left_out(tmp_path):
    plugin = tmp_path / "acme.py"
    plugin.write_text("import os\nos._exit(0)\n")
    assert "acme" not in str(json_schema(Registry.discover(plugins=[plugin])))


def test_layers_inside_layers_may_have_names(validator):
    def spec(residual):
        layers = [{"Residual": residual}, "SoftmaxWithLoss"]
        return {"mlpkit": 1, "data": "mnist", "layers": layers, "training": {"optimizer": "sgd", "epochs": 1}}

    named = {"Affine": {"units": 784, "name": "last"}}
    assert validator.is_valid(spec({"layers": ["Relu", named]}))
    assert validator.is_valid(spec({"layers": [{"Residual": {"layers": [named], "name": "inner"}}]}))
    assert validator.is_valid(spec({"layers": [{"Repeat": {"times": 2, "layer": "Relu"}}]}))
    assert not validator.is_valid(spec({"layers": [{"Repeat": {"times": 2, "layer": {"Relu": {"name": "r"}}}}]}))
    assert not validator.is_valid(spec({"layers": [{"Affine": {"units": 784, "nam": "last"}}]}))
    assert not validator.is_valid(spec({"layers": ["SoftmaxWithLoss"]}))
