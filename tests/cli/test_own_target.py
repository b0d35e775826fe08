"""A target that a plugin brings, survival times: its data set, loss and metric work with every verb."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import survival

import mlpkit
from mlpkit.components.target import target_from_plain, target_to_plain
from mlpkit.testing import check_gradients, standalone

SPEC = """\
mlpkit: 1
name: times
data: {survival.survival: {file: times.npz}}
layers: [{Affine: {units: 4}}, Tanh, {Affine: {units: auto}}, survival.CoxLoss]
training: {optimizer: {adam: {learning_rate: 0.02}}, batch_size: 300, epochs: 20, metrics: [survival.concordance]}
"""
PLUGIN = ("--plugin", "survival.py")


@pytest.fixture
def verb(cwd, invoke):
    """Return what runs a verb with the plugin, in a folder with data and a spec."""
    shutil.copy(survival.__file__, cwd / "survival.py")
    np.savez(cwd / "times.npz", **survival.drawn())
    (cwd / "times.yaml").write_text(SPEC)

    def verb(*words):
        found = invoke(*words, *(() if words[0] == "doctor" else PLUGIN))
        assert found.code == 0, found.err
        return found.out

    return verb


@pytest.fixture
def trained(verb):
    """Return what runs a verb, in a folder with a run."""
    verb("run", "times.yaml", "--quiet")
    return verb


def by_definition(x, t):
    """Return Breslow's partial logarithmic likelihood, from the sums in its definition."""
    total = 0.0
    for hazard, (time, event) in zip(x, t, strict=True):
        if event:
            total += hazard - math.log(
                sum(math.exp(other) for other, (until, _) in zip(x, t, strict=True) if until >= time)
            )
    return -total / len(x)


def test_the_loss_is_that_of_the_definition_and_its_gradient_is_right():
    target = survival.SurvivalTimes()
    rng = np.random.default_rng(1)
    loss = standalone(survival.CoxLoss(), (1,), target=target)
    t = target.random_examples(40, rng)[1]
    assert len(np.unique(t[:, 0])) < 40  # ties
    x = rng.normal(size=(40, 1))
    assert loss.forward(x, t) == pytest.approx(by_definition(x[:, 0], t), rel=1e-12)
    check_gradients(survival.CoxLoss(), (1,), target=target)


def test_its_plugin_conforms(verb):
    verdicts = [line.split(", ")[0] for line in verb("check-plugin", "survival").splitlines()]
    kinds = {"survival": "dataset", "CoxLoss": "loss", "concordance": "metric"}
    assert verdicts == [f"survival.{name} ({kind}): passed" for name, kind in kinds.items()]


def test_it_learns_who_has_the_event_first_and_resumes(trained):
    assert "target survival times in days" in trained("check", "times.yaml")
    (_, name), *rows = (line.split()[1:] for line in trained("evaluate", "runs/times").splitlines())
    assert name == "survival.concordance"
    assert min(float(row[-1]) for row in rows) > 0.65
    trained("resume", "runs/times", "--epochs", "22", "--out", "longer")
    trained("run", "times.yaml", "--set", "training.epochs=22", "--out", "whole", "--quiet")
    models = (mlpkit.load(run, plugins=["survival.py"]).network.parameters for run in ("longer", "whole"))
    for one, other in zip(*(parameters.values() for parameters in models), strict=True):
        np.testing.assert_array_equal(one, other)


def test_predictions_are_numbers_with_the_names_of_the_loss(trained):
    rows = survival.drawn(5, seed=2)
    np.save("rows.npy", rows["x"])
    documents = map(json.loads, trained("predict", "runs/times", "rows.npy", "--json").splitlines())
    printed = [document["values"]["log_hazard"] for document in documents]
    model = mlpkit.load("runs/times", plugins=["survival.py"])
    found = model.predict(rows["x"])
    np.testing.assert_allclose(found[:, 0], printed, rtol=1e-6)
    assert repr(model).endswith("predicts log_hazard>")


def test_it_is_evaluated_on_new_rows(trained):
    rows = survival.drawn(100, seed=3)
    np.savez("new.npz", **rows)
    printed = float(trained("evaluate", "runs/times", "--data", "new.npz").splitlines()[1].split()[1])
    model = mlpkit.load("runs/times", plugins=["survival.py"])
    t = np.column_stack([rows["time"], rows["event"]])
    assert model.evaluate(rows["x"], t)["loss"] == pytest.approx(printed, rel=1e-4)
    assert by_definition(model.predict(rows["x"])[:, 0], t) == pytest.approx(printed, rel=1e-4)


@pytest.mark.parametrize("file", ["model.onnx", "model.c", "model.js", "model.html"])
def test_its_exports_return_a_value(trained, file):
    assert trained("export", "runs/times", "--to", file).startswith(
        f"{file} returns value; its predictions for 100 rows of the validation split match mlpkit predict"
    )


def test_other_verbs_take_its_run(trained, invoke):
    trained("report", "runs/times")
    page = Path("runs/times/report.html").read_text("utf-8")
    assert "Importance of inputs" in page
    assert "Prediction of log_hazard by" in page
    assert "mistakes" not in page
    assert "Left out" not in page
    assert "survival times in days" in page
    assert trained("doctor", "runs/times").startswith("healthy")
    assert "time " in trained("data", "times.yaml")
    assert "example 1" in trained("trace", "runs/times", "--step", "1", "--example", "1")
    trained("run", "times.yaml", "--set", "seed=1", "--out", "other", "--quiet")
    assert "survival.concordance" in invoke("compare", "runs/times", "other").out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "layers=[{Affine: {units: 1}}, MeanSquaredError]",
            "compares real values, but the data gives survival times in",
        ),
        ("training.metrics=[accuracy]", "use a metric for survival times in days instead"),
        ("training.metrics=[mean_absolute_error]", "use a metric for survival times in days instead"),
        ("training.metrics=[f1]", "use a metric for survival times in days instead"),
        ("training.metrics=[roc_auc]", "use a metric for survival times in days instead"),
    ],
)
def test_losses_and_metrics_of_other_targets_refuse_it(verb, invoke, change, message):
    found = invoke("check", "times.yaml", "--set", change, *PLUGIN)
    assert found.code == 2
    assert message in found.err


def test_the_data_sets_class_names_the_targets_of_a_model_file():
    kept = json.loads(json.dumps(target_to_plain(survival.SurvivalTimes("weeks"))))
    assert target_from_plain(kept, survival.Survival.target_types) == survival.SurvivalTimes("weeks")
    with pytest.raises(ValueError, match="is not a target"):
        target_from_plain(kept)
    with pytest.raises(ValueError, match="is not a target"):
        target_from_plain({**kept, "colour": 1}, survival.Survival.target_types)
