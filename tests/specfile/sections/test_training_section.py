"""The section ``training``: those of its keys that hold a section or a monitor, and advice."""

from __future__ import annotations

from dataclasses import is_dataclass

import numpy as np
import pytest
import yaml
from requirements import require_package

from mlpkit.errors import SpecError, SpecSchemaError
from mlpkit.network.sequential import Sequential
from mlpkit.registry.registry import Registry
from mlpkit.specfile.sections import CheckpointSection, ClipSection, EarlyStoppingSection, MovingAverageSection
from mlpkit.specfile.spec import load_spec, parse_spec
from mlpkit.training.callbacks import callbacks_of
from mlpkit.training.checkpointing import tracker_of_checkpoint
from mlpkit.training.gradient import clipper
from mlpkit.verbs.ask.explain import explain
from mlpkit.verbs.ask.schema import json_schema
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.losses.mean_squared_error import MeanSquaredError

SPEC = """\
mlpkit: 1
name: x
data: mnist
layers: [Affine: {units: 10}, SoftmaxWithLoss]
training:
  optimizer: sgd
  iterations: 10
  metrics: [accuracy, mean_absolute_error]
"""


def spec_with(text=""):
    return parse_spec(f"{SPEC}  {text}\n", name="s.yaml")


@pytest.fixture(scope="module")
def schema():
    jsonschema = require_package("jsonschema")
    return jsonschema.Draft202012Validator(json_schema(Registry.discover()))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("checkpoint: null", None),
        ("checkpoint: {every: 500}", CheckpointSection(every=500, keep=2)),
        ("checkpoint: {every_epochs: 2, keep: 1}", CheckpointSection(every_epochs=2, keep=1)),
        ("checkpoint: {every_seconds: 0.5, best: accuracy}", CheckpointSection(every_seconds=0.5, best="accuracy")),
        ("checkpoint: {best: loss}", CheckpointSection(best="loss", keep=2)),
        ("clip: null", None),
        ("clip: {norm: 1}", ClipSection(norm=1.0)),
        ("clip: {value: 0.5}", ClipSection(value=0.5)),
        ("clip: {norm: null, value: 0.5}", ClipSection(value=0.5)),
        ("moving_average: null", None),
        ("moving_average: {}", MovingAverageSection(decay=0.999)),
        ("moving_average: {decay: 0.5}", MovingAverageSection(decay=0.5)),
        ("early_stopping: null", None),
        ("early_stopping: {}", EarlyStoppingSection(metric="loss", patience=5, minimum_change=0.0, after_epochs=0)),
        (
            "early_stopping: {metric: accuracy, patience: 2, minimum_change: 0.01, after_epochs: 3}",
            EarlyStoppingSection(metric="accuracy", patience=2, minimum_change=0.01, after_epochs=3),
        ),
        ("best_weights: null", None),
        ("best_weights: loss", "loss"),
    ],
)
def test_what_is_written_is_read_and_resolved(text, value, schema):
    spec, key = spec_with(text), text.partition(":")[0]
    assert getattr(spec.training, key) == value
    given = {name: each for name, each in vars(value).items() if each is not None} if is_dataclass(value) else value
    assert spec.resolved()["training"].get(key) == given
    again = parse_spec(yaml.safe_dump(spec.resolved()), name="resolved.yaml")
    assert getattr(again.training, key) == value
    schema.validate(yaml.safe_load(f"{SPEC}  {text}\n"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("checkpoint", CheckpointSection(every_seconds=300)),
        ("clip", None),
        ("moving_average", None),
        ("early_stopping", None),
        ("best_weights", None),
    ],
)
def test_what_is_left_out_has_its_default(key, value):
    resolved = spec_with().resolved()["training"]
    assert getattr(spec_with().training, key) == value
    assert (key in resolved) == (value is not None)


def test_all_defaults():
    resolved = parse_spec(SPEC.partition("  iterations")[0] + "  epochs: 3\n", name="s.yaml").resolved()
    assert {key: resolved[key] for key in ("seed", "dtype")} == {"seed": 0, "dtype": "float32"}
    assert {key: value for key, value in resolved["training"].items() if key != "optimizer"} == {
        "batch_size": 32,
        "accumulate": 1,
        "sampling": "shuffle",
        "drop_last": False,
        "epochs": 3,
        "evaluate_train": True,
        "metrics": [],
        "callbacks": [],
        "augment": [],
        "checkpoint": {"every_seconds": 300.0, "keep": 2},
        "ties": "first",
        "precision": "float32",
        "reduce": "tree",
    }
    teacher = spec_with("teacher: {run: runs/big}").training.teacher
    assert (teacher.run, teacher.weight, teacher.temperature) == ("runs/big", 0.5, 1.0)


def test_what_a_run_chose_is_resolved_in_one_order():
    chosen = {"threads": 3, "slices": 2}
    resolved = [spec_with(text).resolved(**chosen)["training"] for text in ("", "slices: 2", "threads: 3\n  slices: 2")]
    assert resolved[0].items() >= chosen.items()
    assert list(resolved[0])[-2:] == ["threads", "slices"]
    assert [list(each.items()) for each in resolved[1:]] == [list(resolved[0].items())] * 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("checkpoint: {}", "no checkpoint would be saved"),
        ("checkpoint: {keep: 3}", "expected: one of every, every_epochs, every_seconds, best"),
        ("checkpoint: {every: null}", "no checkpoint would be saved"),
        ("checkpoint: {every: 0}", "expected: an integer, at least 1"),
        ("checkpoint: {every_seconds: 0}", "expected: a number, greater than 0"),
        ("checkpoint: {every: 1, keep: 0}", "expected: an integer, at least 1"),
        ("checkpoint: {evry: 1}", "help: did you mean 'every'?"),
        ("checkpoint: 5", "expected: a mapping with the keys of training.checkpoint"),
        ("clip: {}", "9:3: no limit for the gradient is set"),
        ("clip: {norm: null}", "expected: either norm: LENGTH or value: LIMIT"),
        ("clip: {norm: 1, value: 1}", "9:19: both norm and value are given"),
        ("clip: {norm: 0}", "expected: a number, greater than 0"),
        ("clip: {value: -1}", "expected: a number, greater than 0"),
        ("clip: {norn: 1}", "help: did you mean 'norm'?"),
        ("clip: 1.0", "expected: a mapping with the keys of training.clip"),
        ("moving_average: {decay: 1}", "9:27: 1 is out of range"),
        ("moving_average: {decay: 0}", "expected: a number, greater than 0 and less than 1"),
        ("moving_average: {decy: 0.9}", "help: did you mean 'decay'?"),
        ("moving_average: 0.999", "help: its keys: decay"),
        ("early_stopping: {patience: 0}", "expected: an integer, at least 1"),
        ("early_stopping: {minimum_change: -1}", "expected: a number, at least 0"),
        ("early_stopping: {after_epochs: -1}", "expected: an integer, at least 0"),
        ("early_stopping: {patient: 3}", "help: did you mean 'patience'?"),
        ("early_stopping: true", "help: its keys: metric, patience, minimum_change"),
        ("best_weights: true", "expected: loss, or one of training.metrics"),
        ("ties: lst", "help: did you mean 'last'?"),
        ("drop_last: 1", "help: did you mean true?"),
    ],
)
def test_mistakes_are_explained_and_refused_by_the_json_schema(text, message, schema):
    expect_one_mistake(text, message)
    assert not schema.is_valid(yaml.safe_load(f"{SPEC}  {text}\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("checkpoint: {best: acuracy}", "help: did you mean 'accuracy'?"),
        ("checkpoint: {best: top_k}", "help: add it to training.metrics"),
        ("early_stopping: {metric: acuracy}", "9:28: the run has no metric 'acuracy'"),
        ("early_stopping: {metric: acuracy}", "help: did you mean 'accuracy'?"),
        ("early_stopping: {metric: top_k}", "help: add it to training.metrics"),
        ("checkpoint: {best: confusion_matrix}", "confusion_matrix is a table, and none is better than another"),
        ("best_weights: acuracy", "9:17: the run has no metric 'acuracy'"),
    ],
)
def test_what_is_monitored_is_among_the_metrics(text, message):
    expect_one_mistake(text, message)


def expect_one_mistake(text, message):
    with pytest.raises(SpecError) as caught:
        spec_with(text)
    assert len(caught.value.faults) == 1
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("checkpoint", {"every_seconds": 300.0, "keep": 2}),
        ("checkpoint.keep", 2),
        ("moving_average.decay", 0.999),
        ("early_stopping.patience", 5),
        ("clip.norm", None),
    ],
)
def test_a_key_is_explained_though_it_is_left_out(key, value):
    explained = explain(spec_with(), f"training.{key}")
    assert explained.value == explained.default == value


def test_a_key_that_is_given_is_explained():
    assert explain(spec_with("clip: {norm: 2}"), "training.clip.norm").value == 2
    assert explain(spec_with(), "training.clip.norm").meaning.startswith("largest length")


def test_a_section_merges_key_by_key(tmp_path):
    (tmp_path / "base.yaml").write_text(SPEC + "  checkpoint: {every: 500}\n")
    (tmp_path / "child.yaml").write_text("extends: base.yaml\ntraining: {checkpoint: {keep: 5}}\n")
    spec = load_spec(tmp_path / "child.yaml", overrides=["training.checkpoint.best=loss"])
    assert spec.training.checkpoint == CheckpointSection(every=500, keep=5, best="loss")
    assert spec.resolved()["training"]["checkpoint"] == {"every": 500, "keep": 5, "best": "loss"}


@pytest.mark.parametrize(
    ("text", "clipped"),
    [("clip: {norm: 1}", (0.6, 0.8)), ("clip: {norm: null, value: 0.5}", (0.5, 0.5)), ("clip: null", (3, 4))],
)
def test_the_gradient_is_clipped_as_the_spec_says(text, clipped):
    network = Sequential([Affine(1), MeanSquaredError()], (1,))
    weight, bias = (network.layout.view(network.gradient_values, path) for path in network.parameters)
    weight[...], bias[...] = 3, 4
    clip = clipper(network, spec_with(text).training.clip)
    if clip is not None:
        clip()
    np.testing.assert_allclose((weight.item(), bias.item()), clipped, rtol=1e-6)


@pytest.mark.parametrize(("text", "last"), [("", False), ("ties: first", False), ("ties: last", True)])
def test_ties_count_for_the_best_weights_and_the_best_checkpoint(text, last):
    more = f"best_weights: accuracy\n  checkpoint: {{best: loss}}\n  {text}"
    section = spec_with(more).training
    (best,), saved = callbacks_of(section), tracker_of_checkpoint(section)
    assert best._tracker.last_of_equals is saved.last_of_equals is last


@pytest.mark.parametrize(("text", "drop_last"), [("", False), ("drop_last: true", True)])
def test_the_last_smaller_minibatch_is_dropped_if_the_spec_says_so(text, drop_last):
    assert spec_with(text).training.drop_last is drop_last


@pytest.mark.parametrize("key", ["early_stopping: {metric: %s}", "best_weights: %s"])
@pytest.mark.parametrize(("monitor", "higher"), [("loss", False), ("accuracy", True), ("mean_absolute_error", False)])
def test_the_metric_itself_says_whether_higher_is_better(key, monitor, higher):
    (callback,) = callbacks_of(spec_with(key % monitor).training)
    assert (callback._tracker.monitor, callback._tracker.higher_is_better) == (monitor, higher)


def test_a_parameter_beside_an_unknown_component_gets_no_advice_that_could_be_wrong():
    with pytest.raises(SpecSchemaError) as caught:
        parse_spec("training:\n  optimizer: {sdg: {}}\n  momentum: 0.9\n  epochs: 3\n", name="s.yaml")
    told = {problem.message: problem.remedy for problem in caught.value.faults}
    assert told["unknown optimizer 'sdg'"] == "did you mean 'sgd'?"
    assert told["unknown key 'momentum' of training"] == ""


@pytest.mark.parametrize(
    ("metrics", "known"),
    [
        ("[]", "it is empty"),
        ("[confusion_matrix]", "no metric there is a number"),
        ("[top_k: {k: 2}, confusion_matrix, accuracy]", "top_k, accuracy"),
    ],
)
def test_what_is_monitored_is_one_of_the_metrics_that_are_numbers(metrics, known):
    text = SPEC.replace("[accuracy, mean_absolute_error]", metrics) + "  best_weights: "
    with pytest.raises(SpecError) as caught:
        parse_spec(f"{text}r2\n", name="s.yaml")
    assert [(fault.message, fault.expected) for fault in caught.value.faults] == [
        ("the run has no metric 'r2'", f"loss, or one of training.metrics: {known}")
    ]
    assert parse_spec(f"{text}loss\n", name="s.yaml").training.best_weights == "loss"
