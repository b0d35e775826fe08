"""``mlpkit schema``."""

from __future__ import annotations

import json

import jsonschema
import pytest
import yaml


@pytest.fixture
def validator(invoke):
    done = invoke("schema", "--plugin", "acme.py")
    assert (done.code, done.err) == (0, "")
    schema = json.loads(done.out)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_a_right_spec_is_valid(cwd, validator):
    validator.validate(yaml.safe_load((cwd / "tiny.yaml").read_text()))


def test_a_wrong_spec_is_not(cwd, validator):
    spec = yaml.safe_load((cwd / "tiny.yaml").read_text())
    spec["training"]["batch_size"] = 0
    assert not validator.is_valid(spec)


def test_components_of_other_plugins_are_known(cwd, validator):
    spec = yaml.safe_load((cwd / "tiny.yaml").read_text())
    spec["layers"].insert(0, {"acme.Slow": {"seconds": 1}})
    assert validator.is_valid(spec)
    spec["layers"][0] = {"acme.Slow": {"seconds": -1}}
    assert not validator.is_valid(spec)
