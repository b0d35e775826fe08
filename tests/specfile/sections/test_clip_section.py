"""The section ``training.clip``."""

from __future__ import annotations

import pytest
import yaml

from mlpkit.errors import SpecError
from mlpkit.jobs.explain import explain
from mlpkit.jobs.schema import json_schema
from mlpkit.jobs.training_job import settings_of
from mlpkit.registry.registry import Registry
from mlpkit.specfile.spec import parse_spec

SPEC = """\
mlpkit: 1
name: x
data: mnist
layers: [Affine: {units: 10}, SoftmaxWithLoss]
training:
  optimizer: sgd
  iterations: 10
"""


def spec_with(text):
    return parse_spec(f"{SPEC}  clip: {text}\n", name="s.yaml")


@pytest.mark.parametrize(
    ("text", "clip", "resolved"),
    [
        ("{norm: 1}", ("norm", 1.0), {"norm": 1.0}),
        ("{value: 0.5}", ("value", 0.5), {"value": 0.5}),
        ("{norm: null, value: 0.5}", ("value", 0.5), {"value": 0.5}),
        ("null", None, None),
    ],
)
def test_what_it_asks_for_is_what_training_does(text, clip, resolved):
    spec = spec_with(text)
    assert settings_of(spec).clip == clip
    assert spec.resolved()["training"].get("clip") == resolved


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "8:3: nothing says how large a gradient may be"),
        ("{norm: null}", "expected: either norm: LENGTH or value: LIMIT"),
        ("{norm: 1, value: 1}", "8:19: both norm and value are given"),
        ("{norm: 0}", "expected: a number, greater than 0"),
        ("{value: -1}", "expected: a number, greater than 0"),
        ("{norn: 1}", "help: did you mean 'norm'?"),
        ("1.0", "expected: a mapping with the keys of training.clip"),
    ],
)
def test_mistakes(text, message):
    with pytest.raises(SpecError) as caught:
        spec_with(text)
    assert len(caught.value.faults) == 1
    assert message in str(caught.value)


def test_it_is_explained():
    assert explain(spec_with("{norm: 2}"), "training.clip.norm").value == 2
    assert explain(parse_spec(SPEC, name="s.yaml"), "training.clip.norm").meaning.startswith("largest length")


def test_its_json_schema_takes_what_it_takes():
    jsonschema = pytest.importorskip("jsonschema")
    schema = json_schema(Registry.discover())
    document = yaml.safe_load(SPEC)
    for good in (None, {"norm": 5}, {"value": 0.1}, {"norm": None, "value": 1}):
        document["training"]["clip"] = good
        jsonschema.validate(document, schema)
    for bad in ({}, {"norm": 0}, {"norm": 1, "value": 1}, {"norm": None}, {"nrm": 1}, 5):
        document["training"]["clip"] = bad
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document, schema)
