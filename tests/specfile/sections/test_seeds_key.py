"""The key ``seeds``: how many seeds, or which."""

from __future__ import annotations

import pytest
from requirements import require_package

from mlpkit.errors import SpecSchemaError
from mlpkit.registry.registry import Registry
from mlpkit.specfile.spec import load_spec, parse_spec
from mlpkit.verbs.ask.explain import explain
from mlpkit.verbs.ask.schema import json_schema

SPEC = """\
mlpkit: 1
name: x
data: mnist
layers: [Affine: {units: 10}, SoftmaxWithLoss]
training: {optimizer: sgd, iterations: 10}
"""


def spec_with(text=""):
    return parse_spec(f"{SPEC}{text}\n", name="s.yaml")


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("", (0,)),
        ("seed: 7", (7,)),
        ("seeds: 1", (0,)),
        ("seeds: 3", (0, 1, 2)),
        ("seed: 7\nseeds: 3", (7, 8, 9)),
        ("seeds: [8, 3]", (8, 3)),
        ("seed: 7\nseeds: [8]", (8,)),
        ("seeds: null", (0,)),
    ],
)
def test_the_seeds_are(text, seeds):
    assert spec_with(text).seeds == seeds


@pytest.mark.parametrize(
    ("text", "place", "message", "advice"),
    [
        ("seeds: 0", "6:8", "0 isn't allowed here", ""),
        ("seeds: 1001", "6:8", "1001 isn't allowed here", ""),
        ("seeds: five", "6:8", "'five' isn't allowed here", ""),
        ("seeds: []", "6:8", "the list of seeds is empty", "at least one seed"),
        ("seeds: [3, -1]", "6:12", "-1 is out of range", "an integer, at least 0"),
        ("seeds: [3, 5, 3]", "6:15", "the seed 3 is given twice", "different seeds"),
        (
            "ensemble: {members: 2}\nseeds: 2",
            "7:1",
            "a spec trains either an ensemble or several seeds",
            "leave out seeds: each network of an ensemble has its own seed, counted from seed",
        ),
    ],
)
def test_a_wrong_value_is_an_error_at_its_place(text, place, message, advice):
    with pytest.raises(SpecSchemaError) as raised:
        spec_with(text)
    (fault,) = raised.value.faults
    assert (f"{fault.line}:{fault.column}", fault.message) == (place, message)
    assert not advice or advice in (fault.expected, fault.remedy)


def test_a_resolved_spec_is_that_of_one_seed():
    five = spec_with("seeds: 5")
    assert five.with_seed(3).resolved_text() == spec_with("seed: 3").resolved_text()
    assert five.with_seeds([4, 2]).seeds == (4, 2)
    assert five.with_seeds(2).seeds == (0, 1)


def test_a_spec_inherits_seeds_and_an_override_replaces_them(tmp_path):
    (tmp_path / "base.yaml").write_text(f"{SPEC}seeds: [3, 5]\n")
    (tmp_path / "child.yaml").write_text("extends: base.yaml\n")
    assert load_spec(tmp_path / "child.yaml").seeds == (3, 5)
    assert load_spec(tmp_path / "child.yaml", overrides=["seeds=2"]).seeds == (0, 1)


def test_explain_and_the_schema_know_the_key():
    explained = explain(spec_with("seeds: 5"), "seeds")
    assert explained.value == 5
    schema = require_package("jsonschema").Draft202012Validator(json_schema(Registry.discover()))
    spec = {"mlpkit": 1, "data": "mnist", "layers": ["SoftmaxWithLoss"]}
    spec["training"] = {"optimizer": "sgd", "iterations": 1}
    for seeds, right in ((5, True), ([3, 5], True), (None, True), (0, False), ("5", False), ([-1], False)):
        assert schema.is_valid(spec | {"seeds": seeds}) == right
