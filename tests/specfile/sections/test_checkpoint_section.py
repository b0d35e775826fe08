"""The section ``training.checkpoint``."""

from __future__ import annotations

import pytest
import yaml

from mlpkit.errors import SpecError
from mlpkit.jobs.explain import explain
from mlpkit.jobs.schema import json_schema
from mlpkit.registry.registry import Registry
from mlpkit.specfile.sections import CheckpointSection
from mlpkit.specfile.spec import parse_spec

SPEC = """\
mlpkit: 1
name: x
data: mnist
layers: [Affine: {units: 10}, SoftmaxWithLoss]
training:
  optimizer: sgd
  iterations: 10
  metrics: [accuracy]
"""


def section(text):
    return parse_spec(f"{SPEC}  checkpoint: {text}\n", name="s.yaml").training.checkpoint


def test_defaults_and_values():
    assert parse_spec(SPEC, name="s.yaml").training.checkpoint == CheckpointSection(every_seconds=300)
    assert section("null") is None
    assert section("{every: 500}") == CheckpointSection(every=500)
    assert section("{every_epochs: 2, keep: 1}") == CheckpointSection(every_epochs=2, keep=1)
    assert section("{every_seconds: 0.5, best: accuracy}") == CheckpointSection(every_seconds=0.5, best="accuracy")
    assert section("{best: loss}").keep == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "nothing says when to save a checkpoint"),
        ("{keep: 3}", "expected: one of every, every_epochs, every_seconds, best"),
        ("{every: null}", "nothing says when to save a checkpoint"),
        ("{every: 0}", "expected: an integer, at least 1"),
        ("{every_seconds: 0}", "expected: a number, greater than 0"),
        ("{every: 1, keep: 0}", "expected: an integer, at least 1"),
        ("{evry: 1}", "help: did you mean 'every'?"),
        ("5", "expected: a mapping with the keys of training.checkpoint"),
        ("{best: acuracy}", "help: did you mean 'accuracy'?"),
        ("{best: top_k}", "help: add it: training.metrics=[top_k]"),
    ],
)
def test_mistakes(text, message):
    with pytest.raises(SpecError) as caught:
        section(text)
    assert len(caught.value.faults) == 1
    assert message in str(caught.value)


def test_it_merges_key_by_key(tmp_path):
    from mlpkit.specfile.spec import load_spec

    (tmp_path / "base.yaml").write_text(SPEC + "  checkpoint: {every: 500}\n")
    (tmp_path / "child.yaml").write_text("extends: base.yaml\ntraining: {checkpoint: {keep: 5}}\n")
    spec = load_spec(tmp_path / "child.yaml", overrides=["training.checkpoint.best=loss"])
    assert spec.training.checkpoint == CheckpointSection(every=500, keep=5, best="loss")
    assert spec.resolved()["training"]["checkpoint"] == {"every": 500, "keep": 5, "best": "loss"}


@pytest.mark.parametrize("text", ["", "  checkpoint: null\n", "  checkpoint: {every: 5}\n"])
def test_the_resolved_spec_says_the_same(text):
    spec = parse_spec(SPEC + text, name="s.yaml")
    again = parse_spec(yaml.safe_dump(spec.resolved()), name="resolved.yaml")
    assert "checkpoint" in spec.resolved()["training"]
    assert again.training.checkpoint == spec.training.checkpoint


def test_its_keys_are_explained_though_it_is_left_out():
    spec = parse_spec(SPEC, name="s.yaml")
    assert explain(spec, "training.checkpoint.keep").value == 2
    section = explain(spec, "training.checkpoint")
    assert section.value == section.default == {"every_seconds": 300.0, "keep": 2}


def test_its_json_schema_takes_what_it_takes():
    jsonschema = pytest.importorskip("jsonschema")
    schema = json_schema(Registry.discover())
    document = yaml.safe_load(SPEC)
    for good in (None, {"every": 5}, {"best": "loss", "keep": 3}):
        document["training"]["checkpoint"] = good
        jsonschema.validate(document, schema)
    for bad in ({"every": 0}, {"evry": 1}, 5):
        document["training"]["checkpoint"] = bad
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document, schema)
