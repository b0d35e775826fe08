"""The JSON Schema of specs: accepts what is right, refuses what ``check`` refuses as far as it can say it."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from mlpkit.jobs.init import shipped_specs
from mlpkit.jobs.json_schema import json_schema
from mlpkit.registry.registry import Registry

WRONG = Path(__file__).parents[1] / "spec/wrong_specs"
SAYABLE = [
    "misspelt_parameter",
    "misspelt_layer",
    "misspelt_top_level_key",
    "misspelt_training_key",
    "misspelt_initializer_parameter",
    "zero_units",
    "text_for_an_integer",
    "true_for_one",
    "negative_seed",
    "missing_data",
    "missing_optimizer",
    "missing_parameters",
    "layers_empty",
    "optimizer_as_a_layer",
    "wrong_format_version",
    "metrics_not_in_a_list",
    "mistakes_in_layers_inside_layers",
]


@pytest.fixture(scope="module")
def validator():
    schema = json_schema(Registry.discover())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", shipped_specs().values(), ids=shipped_specs())
def test_every_shipped_spec_is_accepted(path, validator):
    validator.validate(yaml.safe_load(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("case", SAYABLE)
def test_a_wrong_spec_is_refused(case, validator):
    spec = yaml.safe_load((WRONG / f"{case}.yaml").read_text(encoding="utf-8"))
    assert not validator.is_valid(spec)


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


def test_parameters_come_with_their_meanings(validator):
    (affine,) = [
        entry for entry in validator.schema["$defs"]["layer"]["anyOf"] if "Affine" in entry.get("properties", {})
    ]
    units = affine["properties"]["Affine"]["properties"]["units"]
    assert units == {"type": "integer", "minimum": 1, "description": "number of outputs."}


def test_a_third_partys_component_is_in_it(tmp_path):
    plugin = tmp_path / "acme.py"
    plugin.write_text(
        "from mlpkit import Layer, component, hookimpl\n"
        "class Twice(Layer):\n"
        "    def __init__(self, times: float = 2.0): self.times = times\n"
        "    def forward(self, x): return x * self.times\n"
        "    def backward(self, dy): return dy * self.times\n"
        "@hookimpl\n"
        "def mlpkit_components(): return [component('layer', 'Twice', Twice)]\n",
        encoding="utf-8",
    )
    names = str(json_schema(Registry.discover(plugins=[plugin]))["$defs"]["layer"])
    assert "acme.Twice" in names
    assert "times" in names
