"""Weights of examples through a whole run: a weight of n counts as n such rows in all that training reports."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from stop_at import StopAt

import mlpkit
from mlpkit.jobs.evaluate import evaluate, evaluate_file

SPEC = """\
mlpkit: 1
name: survey
dtype: float64
data:
  csv: {file: FILE.csv, target: kind, standardize: false, validation: FILE-v.csv, test: 0WEIGHT}
layers:
  - Affine: {units: 4}
  - Tanh
  - Affine: {units: auto}
  - SoftmaxWithLoss: {class_weights: balanced}
training:
  optimizer: {sgd: {learning_rate: 0.5}}
  batch_size: ROWS
  epochs: 20
  metrics: [accuracy, f1, roc_auc, {top_k: {k: 2}}]
"""

VALUES = """\
mlpkit: 1
name: survey
dtype: float64
data:
  csv: {file: FILE.csv, target: [a, b], inputs: [c], predict: values, standardize: false, scale_target: none,
        validation: FILE-v.csv, test: 0WEIGHT}
layers:
  - Affine: {units: 4}
  - Tanh
  - Affine: {units: auto}
  - LOSS
training:
  optimizer: {sgd: {learning_rate: 0.1}}
  batch_size: ROWS
  epochs: 20
  metrics: [mean_squared_error, mean_absolute_error, r2]
"""


@pytest.fixture
def survey(tmp_path, monkeypatch):
    """A folder with a table whose rows have weights, and one in which each row stands that often; rows of both."""
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(2)
    rows = {}
    for ending, count in (("", 40), ("-v", 15)):
        numbers, repeats = generator.normal(size=(count, 3)), generator.integers(0, 4, count)
        kinds = np.where(numbers[:, 0] > 0.8, "rare", np.where(numbers.sum(axis=1) > 0, "one", "other"))
        lines = [",".join(map(str, [*row, kind])) for row, kind in zip(numbers.tolist(), kinds, strict=True)]
        weighted = [f"{line},{weight}" for line, weight in zip(lines, repeats, strict=True)]
        repeated = np.repeat(lines, repeats).tolist()
        Path(f"weighted{ending}.csv").write_text("\n".join(["a,b,c,kind,w", *weighted]))
        Path(f"repeated{ending}.csv").write_text("\n".join(["a,b,c,kind", *repeated]))
        rows[ending] = int((repeats > 0).sum()), len(repeated)
    return rows[""]


def trained(spec, file, rows, into="", **replaced):
    weight = ", weight: w" if file == "weighted" else ""
    text = spec.replace("FILE", file).replace("WEIGHT", weight).replace("ROWS", str(rows))
    for old, new in replaced.items():
        text = text.replace(old, new)
    Path(f"{file}.yaml").write_text(text)
    return mlpkit.run(mlpkit.load_spec(f"{file}.yaml"), f"runs/{into or file}")


def expect_same(one, other):
    for name, values in one.network.parameters.items():
        np.testing.assert_allclose(values, other.network.parameters[name], rtol=1e-9, atol=1e-11)
    for record, expected in zip(one.history, other.history, strict=True):
        assert record == pytest.approx(expected, rel=1e-9)
    for split, figures in one.metrics.items():
        assert figures == pytest.approx(other.metrics[split], rel=1e-9)


@pytest.mark.parametrize("slices", ["1", "3"])
def test_with_full_batches_weights_train_the_network_that_repeated_rows_train(survey, slices):
    few, many = survey
    replaced = {"  epochs": f"  slices: {slices}\n  epochs"}
    one, other = trained(SPEC, "weighted", few, **replaced), trained(SPEC, "repeated", many, **replaced)
    expect_same(one, other)
    weights = [
        mlpkit.load_spec(f"runs/{run}/resolved.yaml").layers[-1].recipe.arguments for run in ("weighted", "repeated")
    ]
    assert weights[0]["class_weights"] == pytest.approx(weights[1]["class_weights"])


def test_accumulated_minibatches_are_weighted_by_their_rows(survey):
    parts = trained(SPEC, "weighted", 5, **{"  epochs": "  accumulate: 4\n  epochs"})
    expect_same(parts, trained(SPEC, "weighted", 20, into="whole"))


@pytest.mark.parametrize("loss", ["MeanSquaredError", "MeanAbsoluteError", "Huber: {delta: 0.3}"])
def test_of_values_too(survey, loss):
    few, many = survey
    expect_same(trained(VALUES, "weighted", few, LOSS=loss), trained(VALUES, "repeated", many, LOSS=loss))


def test_scaled_values_have_weighted_figures_in_their_own_unit(survey):
    few, _ = survey
    scaled = {"scale_target: none": "scale_target: standardize", "LOSS": "MeanSquaredError"}
    run = trained(VALUES, "weighted", few, **scaled)
    repeated = np.genfromtxt("repeated-v.csv", delimiter=",", skip_header=1, usecols=(0, 1, 2))
    found = run.model.evaluate([{"c": c} for c in repeated[:, 2]], repeated[:, :2])
    assert run.metrics["validation"] == pytest.approx(found, rel=1e-6)
    assert run.history[-1]["validation_loss"] == pytest.approx(found["mean_squared_error"], rel=1e-6)


@pytest.mark.filterwarnings("ignore:.*the validation results will mean little")
def test_figures_out_of_fold_are_weighted(survey):
    folds = {"validation: weighted-v.csv, ": "", "layers:": "ensemble: {folds: 3}\nlayers:"}
    run = trained(SPEC, "weighted", 10, **folds)
    found = run.out_of_fold
    weights = np.genfromtxt("weighted.csv", delimiter=",", skip_header=1, usecols=4)
    np.testing.assert_array_equal(np.sort(found.weights), np.sort(weights[weights > 0]))
    right, accuracy = found.values.argmax(axis=1) == found.targets, run.metrics["validation"]["accuracy"]
    assert accuracy == pytest.approx(np.average(right, weights=found.weights)) != pytest.approx(right.mean())


def test_an_interrupted_run_goes_on_to_the_same_bits(survey):
    watching = "  early_stopping: {patience: 3}\n  checkpoint: {best: loss}\n  epochs"
    run = trained(SPEC, "weighted", 7, **{"  epochs": watching})
    files = {path.name: path.read_bytes() for path in Path("runs/weighted").glob("*.*") if path.stem != "timing"}
    watch = StopAt(20)
    spec = mlpkit.load_spec("weighted.yaml")
    stopped = mlpkit.run(spec, "runs/stopped", observer=watch, stop=watch.stop)
    assert 0 < stopped.steps < run.steps
    mlpkit.resume("runs/stopped")
    assert {name: Path("runs/stopped", name).read_bytes() for name in files} == files


def test_evaluating_a_run_again_and_other_files_sees_weights(survey):
    few, _ = survey
    run = trained(SPEC, "weighted", few)
    assert evaluate(Path("runs/weighted")).metrics == run.metrics
    found = evaluate_file(Path("runs/weighted"), Path("weighted-v.csv")).metrics["data"]
    assert found == pytest.approx(run.metrics["validation"], rel=1e-7)
    assert json.loads(Path("runs/weighted/metrics.json").read_text())["validation"] == run.metrics["validation"]
    model = mlpkit.load("runs/weighted")
    assert model.evaluate("weighted-v.csv") == found
    with pytest.raises(mlpkit.DataError) as caught:
        model.evaluate("repeated-v.csv")
    assert str(caught.value) == (
        "repeated-v.csv, row 1, column 'w': the file has no such column, which sets how much each row counts; it has "
        "a, b, c, kind"
    )
    assert len(model.predict("repeated-v.csv")) > 0


PLUGIN = """\
import numpy as np

from mlpkit import Loss, Metric, component, hookimpl


class Bare(Loss):
    def build(self, input_shape, target): pass
    def forward(self, x, t):
        self.x = x
        return float(np.square(x).mean())
    def backward(self, dloss=1.0):
        return self.x * (2 * dloss / self.x.size)


class Plain(Metric):
    total = 0
    def update(self, prediction, t): self.total += len(t)
    def merge(self, other): self.total += other.total
    def result(self): return float(self.total)


@hookimpl
def mlpkit_components():
    return [component("loss", "Bare", Bare), component("metric", "plain", Plain)]
"""


@pytest.fixture
def acme(survey):
    """A plugin whose loss and metric know nothing of weights."""
    Path("acme.py").write_text(PLUGIN)
    return survey


def of_acme(file):
    text = SPEC.replace("SoftmaxWithLoss: {class_weights: balanced}", "acme.Bare").replace("units: auto", "units: 3")
    text = text.replace("[accuracy, f1, roc_auc, {top_k: {k: 2}}]", "[accuracy, acme.plain]").replace("ROWS", "5")
    text = text.replace("FILE", file).replace("WEIGHT", ", weight: w" if file == "weighted" else "")
    Path(f"{file}.yaml").write_text(text)
    return mlpkit.load_spec(f"{file}.yaml", plugins=["acme.py"])


def test_a_loss_and_a_metric_that_take_no_weights_are_named_at_their_lines(acme):
    with pytest.raises(mlpkit.SpecError) as caught:
        mlpkit.run(of_acme("weighted"))
    assert (
        str(caught.value)
        == """\
weighted.yaml:10:5: acme.Bare doesn't take weights of examples
   10 |   - acme.Bare
      |     ^^^^^^^^^
  help: use another loss, or leave out the weights
  note: the weights of the examples come from the data (csv) at weighted.yaml:4:1

weighted.yaml:15:23: acme.plain doesn't take weights of examples
   15 |   metrics: [accuracy, acme.plain]
      |                       ^^^^^^^^^^
  help: use another metric, or leave out the weights
  note: the weights of the examples come from the data (csv) at weighted.yaml:4:1"""
    )


@pytest.mark.parametrize(("loss", "named"), [("acme.Bare", [(10, "acme.Bare")]), ("SoftmaxWithLoss", [])])
def test_a_loss_that_takes_no_weights_is_named_with_layers_that_do_not_fit(acme, loss, named):
    of_acme("weighted")
    text = Path("weighted.yaml").read_text().replace("acme.Bare", loss).replace("acme.plain", "f1")
    Path("wrong.yaml").write_text(text.replace("Affine: {units: 4}", "Conv2d: {filters: 2, size: 3}"))
    with pytest.raises(mlpkit.SpecError) as caught:
        mlpkit.run(mlpkit.load_spec("wrong.yaml", plugins=["acme.py"]))
    layer, *others = caught.value.faults
    assert (layer.line, layer.message) == (7, "Conv2d1 can't take inputs of shape (3,)")
    assert [(fault.line, fault.message.split()[0]) for fault in others] == named


def test_a_loss_inside_another_that_takes_no_weights_is_named_at_its_line(acme):
    of_acme("weighted")
    text = Path("weighted.yaml").read_text().replace("acme.plain", "f1")
    members = "  - EnsembleView: {members: 2}\n  - EnsembleAffine: {units: 3}\n  - EnsembleLoss:\n      loss: acme.Bare"
    Path("members.yaml").write_text(text.replace("  - acme.Bare", members))
    spec = mlpkit.load_spec("members.yaml", plugins=["acme.py"])
    with pytest.raises(mlpkit.SpecError) as caught:
        mlpkit.run(spec)
    assert (
        str(caught.value)
        == """\
members.yaml:13:7: acme.Bare doesn't take weights of examples
   13 |       loss: acme.Bare
      |       ^^^^
  help: use another loss, or leave out the weights
  note: the weights of the examples come from the data (csv) at members.yaml:4:1"""
    )


def test_without_weights_they_get_none(acme):
    run = mlpkit.run(of_acme("repeated"))
    assert run.metrics["validation"]["acme.plain"] > 0
