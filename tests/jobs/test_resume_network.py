"""A run that is over, as its folder has it."""

from __future__ import annotations

import json
import math

import pytest

import mlpkit

OLD = """\
from mlpkit import component, hookimpl
from mlpkit.layers import Relu

@hookimpl
def mlpkit_components():
    return [component("layer", "Old", type("Old", (Relu,), {}), deprecated="use Relu")]
"""


def test_metrics_that_were_not_finite_come_back_in_their_place(train, work):
    run = train("run", training__epochs=2, training__metrics=["confusion_matrix", "accuracy", "f1"])
    path = work / "run/history.jsonl"
    first, second = map(json.loads, path.read_text().splitlines())
    left_out = {"train_accuracy", "validation_f1"}  # as JSON has no numbers that aren't finite
    kept = {key: value for key, value in first.items() if key not in left_out}
    path.write_text(f"{json.dumps(kept)}\n{json.dumps(second)}\n")
    again = mlpkit.resume("run")
    assert list(again.history[0]) == list(again.history[1])
    assert {key for key, value in again.history[0].items() if math.isnan(value)} == left_out
    assert again.history[0] | {key: first[key] for key in left_out} == run.history[0]
    assert (again.history[1], again.steps, again.metrics) == (run.history[1], run.steps, run.metrics)
    assert [list(found) for found in again.metrics.values()] == [["loss", "confusion_matrix", "accuracy", "f1"]] * 3


def test_a_deprecated_layer_is_warned_of_when_a_run_is_resumed_or_traced(work):
    plugin = work / "acme.py"
    plugin.write_text(OLD)
    overrides = {"layers.Relu1": "acme.Old", "training.epochs": 2, "training.checkpoint.every": 5}
    with pytest.warns(FutureWarning, match=r"^overrides:1:14: layer acme\.Old is deprecated"):
        mlpkit.run(mlpkit.load_spec("tiny.yaml", plugins=[plugin], overrides=overrides), "run")
    expected = r"^run/resolved\.yaml:\d+:\d+: layer acme\.Old is deprecated"
    with pytest.warns(FutureWarning, match=expected):
        mlpkit.trace("run", 2, plugins=[plugin])
    (work / "run/metrics.json").unlink()
    with pytest.warns(FutureWarning, match=expected):
        mlpkit.resume("run", plugins=[plugin])
