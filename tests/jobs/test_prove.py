"""What is said of a spec whose keys don't fit its data or its loss: the place, what is expected, and what to do."""

from __future__ import annotations

import numpy as np
import pytest

import mlpkit
from mlpkit.errors import SpecShapeError
from mlpkit.jobs.check import check
from mlpkit.jobs.prove import too_few_examples

SPEC = """\
mlpkit: 1
data:
  csv: {{file: homes.csv, inputs: [area], test: 0, {data}}}
layers:
  - Affine: {{units: auto}}
  - {loss}
training: {{optimizer: sgd, epochs: 1, batch_size: 8, metrics: [{metrics}]}}
{more}
"""
VALUES = "target: price, predict: values, validation: 0.25"
CLASSES = "target: large, predict: classes, validation: 0.25"
LABELS = "target: [large, small], predict: labels, validation: 0.25"
NO_VALIDATION = "target: price, predict: values, validation: 0"
PLUGIN = """
from mlpkit import Loss, ShapeError, component, hookimpl


class Squares(Loss):
    def build(self, input_shape, target): pass
    def expected_inputs(self, target): return (2,)
    def forward(self, x, t): return 0.0
    def backward(self, dloss=1.0): return None
    def predict(self, x): return x * x
    def interval_prediction(self, prediction): raise ShapeError("a square has no ends")


class Framed(Squares):
    def __init__(self): self.squares = Squares()
    def build(self, input_shape, target): self.child(self.squares, input_shape, target)


@hookimpl
def mlpkit_components():
    return [component("loss", name, globals()[name]) for name in ("Squares", "Framed")]
"""


@pytest.fixture
def checked(tmp_path, monkeypatch):
    """Return a function that checks the spec of a table with 40 rows, 11 of them for validation, of classes 10."""
    monkeypatch.chdir(tmp_path)
    areas = np.random.default_rng(0).uniform(20, 200, 40)
    rows = [f"{area:.2f},{3 * area:.2f},{area > 100},{area < 50},{1 + i % 3}" for i, area in enumerate(areas)]
    (tmp_path / "homes.csv").write_text("\n".join(["area,price,large,small,weight", *rows]))
    (tmp_path / "acme.py").write_text(PLUGIN)

    def check_spec(data, loss, metrics, more):
        (tmp_path / "s.yaml").write_text(SPEC.format(data=data, loss=loss, metrics=metrics, more=more))
        return check(mlpkit.load_spec("s.yaml", plugins=["acme.py"]))

    return check_spec


@pytest.mark.parametrize(
    ("data", "loss", "metrics", "more", "said"),
    [
        (
            f"{VALUES}, weight: weight",
            "MeanSquaredError",
            "",
            "coverage: 0.8",
            """\
s.yaml:8:1: coverage counts each held-out row once, but the examples have weights
    8 | coverage: 0.8
      | ^^^^^^^^
  help: leave out one of them""",
        ),
        (
            LABELS,
            "SigmoidWithLoss",
            "",
            "coverage: 0.8",
            """\
s.yaml:8:1: coverage is not for 2 labels
    8 | coverage: 0.8
      | ^^^^^^^^
  expected: classes or values
  help: predict one label with each network, or leave out coverage""",
        ),
        (
            VALUES,
            "Pinball: {quantiles: [0.9]}",
            "",
            "coverage: 0.8",
            """\
s.yaml:8:1: Pinball1 predicts the quantiles [0.9], but not the median
    8 | coverage: 0.8
      | ^^^^^^^^
  expected: 0.5 among the quantiles
  help: add 0.5 to quantiles, or leave out coverage""",
        ),
        (
            VALUES,
            "MeanSquaredError",
            "",
            "coverage: 0.917",
            """\
s.yaml:8:1: coverage: 0.917 needs 12 held-out rows, but csv has 11 rows for validation
    8 | coverage: 0.917
      | ^^^^^^^^
  help: give it more, in validation; or ask for less coverage""",
        ),
        (
            CLASSES,
            "SoftmaxWithLoss",
            "",
            "coverage: 0.85\ncalibration: temperature",
            """\
s.yaml:8:1: coverage: 0.85 needs 12 held-out rows, but csv has 10 rows for validation, and calibration takes half of \
them
    8 | coverage: 0.85
      | ^^^^^^^^
  help: give it more, in validation; or ask for less coverage""",
        ),
        (
            NO_VALIDATION,
            "MeanSquaredError",
            "",
            "coverage: 0.8",
            """\
s.yaml:8:1: coverage: 0.8 needs 4 held-out rows, but csv has no rows for validation
    8 | coverage: 0.8
      | ^^^^^^^^
  help: give it more, in validation; or leave out coverage""",
        ),
        (
            VALUES,
            "MeanSquaredError",
            "",
            "coverage: 0.976\nensemble: {folds: 2}",
            """\
s.yaml:8:1: coverage: 0.976 needs 41 held-out rows, but csv has 40 rows in all folds
    8 | coverage: 0.976
      | ^^^^^^^^
  help: add rows; or ask for less coverage""",
        ),
        (
            VALUES,
            "MeanSquaredError",
            "mean_squared_error, {coverage: {}}",
            "",
            """\
s.yaml:7:85: coverage compares an interval with each target: MeanSquaredError1 doesn't predict an interval
    7 | training: {optimizer: sgd, epochs: 1, batch_size: 8, metrics: [mean_squared_error, {coverage: {}}]}
      |                                                                                     ^^^^^^^^
  expected: a loss that predicts several quantiles
  help: use such a loss, or leave out coverage""",
        ),
        (
            CLASSES.replace("0.25", "0"),
            "SoftmaxWithLoss",
            "",
            "calibration: temperature",
            """\
s.yaml:8:1: calibration is fitted on rows for validation, and csv has none
    8 | calibration: temperature
      | ^^^^^^^^^^^
  help: give it some, with its parameter validation, or leave out calibration""",
        ),
        (
            CLASSES,
            "acme.Squares: {}",
            "",
            "calibration: temperature",
            """\
s.yaml:6:5: acme.Squares can't be the loss of calibration: its class has a predict, but neither inputs_for nor \
prediction_loss
    6 |   - acme.Squares: {}
      |     ^^^^^^^^^^^^
  help: use another loss, or leave out calibration""",
        ),
        (
            CLASSES,
            "acme.Framed",
            "",
            "calibration: temperature",
            """\
s.yaml:6:5: acme.Framed can't be the loss of calibration: its class has a predict, but neither inputs_for nor \
prediction_loss
    6 |   - acme.Framed
      |     ^^^^^^^^^^^
  help: use another loss, or leave out calibration""",
        ),
        (
            VALUES,
            "acme.Squares",
            "coverage",
            "",
            """\
s.yaml:7:64: coverage compares an interval with each target: a square has no ends
    7 | training: {optimizer: sgd, epochs: 1, batch_size: 8, metrics: [coverage]}
      |                                                                ^^^^^^^^
  help: leave out coverage""",
        ),
    ],
)
def test_keys_that_do_not_fit_data_or_loss(data, loss, metrics, more, said, checked):
    with pytest.raises(SpecShapeError) as raised:
        checked(data, loss, metrics, more)
    assert str(raised.value) == said


@pytest.mark.parametrize(
    ("data", "loss", "metrics", "more"),
    [
        (VALUES, "MeanSquaredError", "mean_squared_error", "coverage: 0.916"),
        (CLASSES, "SoftmaxWithLoss", "accuracy", "coverage: 0.83\ncalibration: temperature"),
        (NO_VALIDATION, "MeanSquaredError", "", "coverage: 0.975\nensemble: {folds: 2}"),
        (VALUES, "Pinball: {quantiles: [0.1, 0.5, 0.9]}", "coverage", "coverage: 0.8"),
    ],
)
def test_as_many_rows_as_coverage_needs(data, loss, metrics, more, checked):
    assert checked(data, loss, metrics, more).data_warnings == ()


@pytest.mark.parametrize(
    ("batch_size", "accumulate", "key", "what"),
    [
        (10, 1, None, ""),
        (11, 1, "batch_size", "a minibatch of 11"),
        (5, 2, None, ""),
        (10, 2, "accumulate", "a step of 2 minibatches, 20 examples,"),
        (4, 3, "accumulate", "a step of 3 minibatches, 12 examples,"),
        (11, 2, "batch_size", "a minibatch of 11"),
    ],
)
def test_a_step_takes_no_more_than_ten_examples(batch_size, accumulate, key, what):
    training = {"optimizer": "sgd", "epochs": 1, "batch_size": batch_size, "accumulate": accumulate}
    spec = mlpkit.load_spec({"mlpkit": 1, "data": "mnist", "layers": ["SoftmaxWithLoss"], "training": training})
    faults = too_few_examples(spec, mlpkit.Description((2,), mlpkit.Classes(2), {"train": 10, "test": 99}))
    expected = "at most 10, the training examples of mnist"
    assert [(fault.path, fault.message, fault.expected) for fault in faults] == (
        [(("training", key), f"{what} is larger than the training data", expected)] if key else []
    )


@pytest.mark.parametrize(
    ("layers", "put_before"),
    [
        ("- Affine: {units: 10}", "Flatten"),
        ("- Relu\n  - Affine: {units: 10}", ""),  # an ensemble's members may be meant
        ("- Relu\n  - Maxout: {units: 10}", "Flatten"),
        ("- Sequence:\n      layers:\n        - Affine: {units: 10}", ""),
    ],
)
def test_a_layer_is_put_before_one_that_certainly_needs_it(layers, put_before, tmp_path):
    file = tmp_path / "s.yaml"
    data = "data: {mnist: {flatten: false}}"
    file.write_text(f"mlpkit: 1\n{data}\nlayers:\n  {layers}\n  - SoftmaxWithLoss\ntraining: {{optimizer: sgd}}\n")
    with pytest.raises(SpecShapeError) as raised:
        check(mlpkit.load_spec(file, overrides={"training.epochs": 1}))
    assert [fault.fix and fault.fix.new.split()[0] for fault in raised.value.faults] == [put_before or None]
