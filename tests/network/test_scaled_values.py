"""Targets that are values: training computes with scaled ones, and all that a person sees is in their unit."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import mlpkit
from mlpkit import Loss, Sequential, Values, ValuesScaling
from mlpkit.components.target import target_from_plain, target_to_plain
from mlpkit_plugins.datasets.csv import Csv
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.losses.huber import Huber
from mlpkit_plugins.losses.mean_absolute_error import MeanAbsoluteError
from mlpkit_plugins.losses.mean_squared_error import MeanSquaredError

ADAM = {"adam": {"learning_rate": 0.05}}
MEANS, STDS = (100.0, -3.0), (25.0, 0.5)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
T = RNG.normal(size=(40, 2)) * STDS + MEANS


def network(loss, scaling=None, slices=1):
    target = Values((2,), scaling)
    return Sequential([Affine(2), copy.deepcopy(loss)], (3,), target=target, dtype="float64", slices=slices)


@pytest.mark.parametrize("loss", [MeanSquaredError(), MeanAbsoluteError(), Huber()])
@pytest.mark.parametrize("slices", [1, 3])
def test_the_gradient_is_that_of_scaled_targets(loss, slices):
    plain, scaled = network(loss, None, slices), network(loss, ValuesScaling(MEANS, STDS), slices)
    expected = plain.gradient(X, (T - MEANS) / STDS)
    for name, gradient in scaled.gradient(X, T).items():
        np.testing.assert_allclose(gradient, expected[name], rtol=1e-12)


@pytest.mark.parametrize("log", [False, True])
def test_predictions_losses_and_metrics_are_in_the_unit_of_the_target(log):
    t = np.exp(T / 100) if log else T
    of_scaled = network(MeanSquaredError(), ValuesScaling(MEANS, STDS, log))
    z = network(MeanSquaredError()).predict(X)
    v = z * STDS + MEANS
    np.testing.assert_allclose(of_scaled.predict(X), np.exp(v) if log else v, rtol=1e-12)
    found = of_scaled.evaluate(X, t, ["mean_squared_error", "mean_absolute_error"])
    assert found["loss"] == pytest.approx(((of_scaled.predict(X) - t) ** 2).mean())
    assert found["loss"] == pytest.approx(found["mean_squared_error"])
    assert found["mean_absolute_error"] == pytest.approx(np.abs(of_scaled.predict(X) - t).mean())


def test_the_loss_of_a_step_is_in_the_unit_of_the_target():
    scaled = network(MeanSquaredError(), ValuesScaling(MEANS, STDS))
    for _ in range(2):  # the first pass is checked
        assert scaled.loss_and_gradient(X, T) == pytest.approx(scaled.loss(X, T))


BOUNDS = ((90.0, -3.25), (110.0, -2.75))
BOUNDED = ValuesScaling(MEANS, STDS, bounds=BOUNDS)


def test_predictions_are_clipped_to_the_bounds_and_steps_are_not():
    free, bounded = network(MeanSquaredError(), ValuesScaling(MEANS, STDS)), network(MeanSquaredError(), BOUNDED)
    expected = np.clip(free.predict(X), *BOUNDS)
    assert (expected != free.predict(X)).any()
    np.testing.assert_array_equal(bounded.predict(X), expected)
    assert bounded.loss(X, T) == pytest.approx(((expected - T) ** 2).mean())
    assert bounded.evaluate(X, T, ["mean_absolute_error"])["mean_absolute_error"] == pytest.approx(
        np.abs(expected - T).mean()
    )
    for _ in range(2):  # the first pass is checked
        assert bounded.loss_and_gradient(X, T) == free.loss_and_gradient(X, T)
        np.testing.assert_array_equal(bounded.gradient_values, free.gradient_values)


class Poisson(Loss):
    """A loss whose inputs are logarithms of rates, which can't be scaled like counts."""

    def build(self, input_shape, target):
        pass

    def forward(self, x, t):
        self.x, self.t = x, t
        return float((np.exp(x) - t * x).mean())

    def backward(self, dloss=1.0):
        return (np.exp(self.x) - self.t) * (dloss / self.x.size)


def test_a_loss_that_does_not_compare_values_gets_them_as_they_are():
    t = RNG.poisson(4, (40, 2)).astype(float)
    plain, scaled = network(Poisson()), network(Poisson(), ValuesScaling(MEANS, STDS))
    np.testing.assert_array_equal(plain.predict(X), scaled.predict(X))
    np.testing.assert_array_equal(plain.gradient(X, t)["Affine1.W"], scaled.gradient(X, t)["Affine1.W"])


def test_a_target_keeps_its_scaling_as_plain_data():
    for scaling in (None, ValuesScaling(MEANS, STDS), ValuesScaling(MEANS, STDS, log=True), BOUNDED):
        again = target_from_plain(target_to_plain(Values((2,), scaling)))
        assert again == Values((2,))
        assert again.scaling == scaling
    assert target_to_plain(Values((2,))) == {"type": "Values", "shape": (2,)}
    assert target_to_plain(Values((2,), ValuesScaling(MEANS, STDS)))["scaling"].keys() == {"means", "stds", "log"}


@pytest.mark.parametrize(
    "change",
    [{"means": [1]}, {"stds": [1, 0]}, {"stds": [1, "1"]}, {"means": [1, float("inf")]}, {"log": 1}, {"more": 1}]
    + [{"bounds": bounds} for bounds in (3, [], [[1, 2]], [[1, 2], [3]], [[1, 2], [3, "4"]])],
)
def test_a_scaling_that_can_t_be_is_refused(change):
    plain = target_to_plain(Values((2,), ValuesScaling(MEANS, STDS)))
    plain["scaling"] |= change
    if "more" in change:
        plain = {**plain, "more": 1}
    with pytest.raises(ValueError, match="is not"):
        target_from_plain(plain)


DATA = {
    "csv": "{csv: {file: houses.csv, target: price, predict: values, scale_target: SCALE}}",
    "npy": "{npy: {inputs: x.npy, targets: t.npy, standardize: true, predict: values, scale_target: SCALE}}",
}
SPEC = """\
mlpkit: 1
data: DATA
layers: [Affine: {units: 16}, Relu, Affine: {units: auto}, MeanSquaredError]
training:
  optimizer: {adam: {learning_rate: 0.01}}
  epochs: 60
  metrics: [r2, mean_absolute_error]
"""


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize(("scale", "learns"), [("standardize", True), ("log", True), ("none", False)])
def test_large_values_are_learned_without_a_large_learning_rate(tmp_path, monkeypatch, scale, learns, data):
    monkeypatch.chdir(tmp_path)
    area = np.linspace(30, 200, 300)
    rows = [f"{a:.1f},{1000 * a + 20_000:.0f}" for a in RNG.permutation(area).tolist()]
    (tmp_path / "houses.csv").write_text("\n".join(["area,price", *rows]) + "\n")
    x, t = np.array([row.split(",") for row in rows], float).T
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "t.npy", t)
    (tmp_path / "spec.yaml").write_text(SPEC.replace("DATA", DATA[data]).replace("SCALE", scale))
    run = mlpkit.run(mlpkit.load_spec("spec.yaml"), "run")
    test = run.metrics["test"]
    assert (test["r2"] > 0.9) == learns
    assert run.history[-1]["validation_loss"] == pytest.approx(run.metrics["validation"]["loss"])
    loaded = mlpkit.load_model("run/model.safetensors")
    predicted = loaded.predict(np.zeros((1, 1)))[0, 0]
    assert (50_000 < predicted < 300_000) == learns
    assert loaded.target == Values((1,))


def test_bounds_are_the_range_of_the_training_targets(tmp_path):
    t = np.round(RNG.normal(size=60) * 7, 3)
    (tmp_path / "a.csv").write_text("a,t\n" + "".join(f"{a},{v}\n" for a, v in enumerate(t.tolist())))
    table = Csv(str(tmp_path / "a.csv"), "t", predict="values", clip_predictions=True, test=0)
    bounds = table.describe().target.scaling.bounds
    training = np.empty((len(table.open(0)["train"]), 1))
    table.open(0)["train"].take(np.arange(len(training)), (np.empty((len(training), 1)), training))
    assert bounds == ((training.min(),), (training.max(),))


@pytest.mark.parametrize("scale", ["standardize", "log"])
def test_clipped_predictions_of_values_in_memory(scale):
    t = np.exp(T)
    run = mlpkit.fit(
        X,
        t,
        clip_predictions=True,
        scale_target=scale,
        layers=[{"Affine": {"units": "auto"}}, "MeanSquaredError"],
        epochs=1,
        dtype="float64",
        quiet=True,
    )
    predicted = run.model.predict(X * 100)
    assert run.network.target.scaling.bounds == (tuple(t.min(axis=0)), tuple(t.max(axis=0)))
    assert (predicted >= t.min(axis=0)).all()
    assert (predicted <= t.max(axis=0)).all()
    assert np.isin(predicted, [t.min(axis=0), t.max(axis=0)]).any()


@pytest.mark.parametrize(
    ("options", "problem", "remedy"),
    [
        (
            {"predict": "classes"},
            "clip_predictions: it is only for values, but predict is classes",
            "leave it out, or set predict: values",
        ),
        (
            {"scale_target": "none"},
            "clip_predictions: values that aren't scaled can't be clipped",
            "leave out scale_target, or set it to standardize",
        ),
    ],
)
def test_what_can_t_be_clipped_is_an_error(options, problem, remedy):
    given = {"layers": [{"Affine": {"units": "auto"}}, "MeanSquaredError"], "epochs": 1, "quiet": True, **options}
    with pytest.raises(mlpkit.MlpkitError, match=f"{problem}\n.*{remedy}"):
        mlpkit.fit(X, T, clip_predictions=True, **given)
    with pytest.raises(mlpkit.ParameterError, match=f"{problem}; {remedy}"):
        Csv("a.csv", "t", **{"predict": "values", "clip_predictions": True} | options)


@pytest.mark.parametrize("scaling", [None, ValuesScaling(MEANS, STDS)])
def test_a_network_that_is_there_goes_on_as_it_was_built(tmp_path, scaling):
    trained = network(MeanSquaredError(), scaling)
    trained.fit(X, T, epochs=2)
    assert trained.target.scaling == scaling
    trained.save(tmp_path / "model.safetensors")
    loaded = mlpkit.load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.predict(X), trained.predict(X))


def test_values_in_memory_are_scaled_too():
    run = mlpkit.fit(X, T, layers=[{"Affine": {"units": "auto"}}, "MeanSquaredError"], epochs=60, optimizer=ADAM)
    assert run.network.target.scaling.means == pytest.approx(T.mean(axis=0))
    assert run.metrics["train"]["loss"] < 2 * T.var(axis=0).mean()


def test_a_value_without_a_logarithm_is_found(tmp_path):
    (tmp_path / "a.csv").write_text("a,t\n1,2\n2,0\n")
    dataset = Csv(str(tmp_path / "a.csv"), "t", predict="values", scale_target="log", validation=0, test=0)
    message = "row 3, column 't': 0 has no logarithm, which scale_target: log asks for; set scale_target: standardize"
    with pytest.raises(mlpkit.DataError, match=message):
        dataset.describe()
