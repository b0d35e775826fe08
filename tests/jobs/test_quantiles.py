"""Several numbers predicted for one target: a loss names them, and says which of them metrics compare with it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from requirements import Optional
from stop_at import StopAt

import mlpkit
from mlpkit.errors import ComponentFailure, ShapeError
from mlpkit.graph.provenance import find_provenance
from mlpkit.runs.folder import RunFolder
from mlpkit_plugins.losses.pinball import Pinball

mean_absolute_error = Optional("sklearn.metrics", "mean_absolute_error")
mean_pinball_loss = Optional("sklearn.metrics", "mean_pinball_loss")
SpecEstimator = Optional("mlpkit.sklearn", "SpecEstimator")
r2_score = Optional("sklearn.metrics", "r2_score")

QUANTILES = [0.1, 0.5, 0.9]
NAMES = ["price_q0.1", "price_q0.5", "price_q0.9"]
LAYERS = [{"Affine": {"units": 4}}, "Tanh", {"Affine": {"units": "auto"}}, {"Pinball": {"quantiles": QUANTILES}}]
MEMBERS = [
    {"EnsembleView": {"members": 2}},
    {"EnsembleAffine": {"units": 4}},
    {"EnsembleAffine": {"units": 3}},
    {"EnsembleLoss": {"loss": {"Pinball": {"quantiles": QUANTILES}}}},
]
RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (150, 2))
T = 200 + 30 * X[:, 0] + (8 + 6 * X[:, 1]) * RNG.normal(size=150)


def spec(layers=LAYERS, data=(), training=(), **more):
    table = {"file": "homes.csv", "target": "price", "predict": "values", "validation": 0.2, "test": 0.2, **dict(data)}
    how = {"optimizer": {"adam": {"learning_rate": 0.02}}, "epochs": 6, "batch_size": 30, **dict(training)}
    return mlpkit.load_spec({"mlpkit": 1, "data": {"csv": table}, "layers": layers, "training": how, **more})


@pytest.fixture(scope="module", autouse=True)
def table(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("work"))
        with Path("homes.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["area", "age", "price"], *np.column_stack([X, T]).round(4).tolist()])
        yield


@pytest.fixture(scope="module")
def trained():
    return mlpkit.run(spec(training={"metrics": ["mean_absolute_error", "r2"]}), "trained")


def true_prices():
    with Path("homes.csv").open(newline="") as file:
        return np.array([float(row["price"]) for row in csv.DictReader(file)])


def test_a_prediction_is_a_column_for_each_quantile_in_the_targets_unit(trained):
    model = mlpkit.load("trained")
    found = model.predict("homes.csv")
    assert found.shape == (150, 3)
    assert (np.diff(found, axis=1) >= 0).all()
    assert 130 < found.min() < found.max() < 270
    assert repr(model).endswith("predicts price_q0.1, price_q0.5, price_q0.9>")
    results = model.evaluate("homes.csv")
    assert results["mean_absolute_error"] == pytest.approx(mean_absolute_error(true_prices(), found[:, 1]), rel=1e-5)
    assert results["r2"] == pytest.approx(r2_score(true_prices(), found[:, 1]), rel=1e-5)
    losses = [mean_pinball_loss(true_prices(), found[:, i], alpha=QUANTILES[i]) for i in range(3)]
    assert np.mean(losses) < results["loss"]  # which is that of quantiles that cross, before they are sorted


def test_a_list_of_one_quantile_is_a_column(trained):
    one = [*LAYERS[:3], {"Pinball": {"quantiles": [0.9]}}]
    assert mlpkit.run(spec(one)).model.predict("homes.csv").shape == (150, 1)
    assert mlpkit.run(spec([*LAYERS[:3], {"Pinball": {"quantile": 0.9}}])).model.predict("homes.csv").shape == (150,)


@pytest.mark.parametrize("options", [{"scale_target": "log"}, {"clip_predictions": True}, {"scale_target": "none"}])
def test_each_column_is_scaled_as_the_target(options):
    run = mlpkit.run(spec(data=options, dtype="float64"))
    scaling = run.network.target.scaling
    x, _ = mlpkit.load_data(spec(data=options, dtype="float64"), "test")
    z = run.network.activations(x)["Affine2"]
    expected = z if scaling is None else z * scaling.stds + scaling.means
    if options.get("scale_target") == "log":
        expected = np.exp(expected)
    if scaling is not None and scaling.bounds is not None:
        expected = np.clip(expected, *scaling.bounds)
    np.testing.assert_allclose(run.network.predict(x), np.sort(expected, axis=1), rtol=1e-12)


def test_a_stopped_training_goes_on_to_the_same_bits(trained):
    watch = StopAt(6)
    options = {"metrics": ["mean_absolute_error", "r2"]}
    assert mlpkit.run(spec(training=options), "stopped", observer=watch, stop=watch.stop).stopped
    mlpkit.resume("stopped")
    for name in ("model.safetensors", "history.jsonl", "metrics.json"):
        assert Path("stopped", name).read_bytes() == Path("trained", name).read_bytes()


@pytest.mark.parametrize("to", ["homes.onnx", "homes.c", "homes.js"])
def test_an_exported_model_names_its_values(trained, to):
    found = mlpkit.export("trained", to)
    assert (found.rows, found.outputs) == (26, ("value",))
    content = Path(to).read_bytes()
    provenance = json.loads(onnx.load(to).metadata_props[0].value) if to == "homes.onnx" else find_provenance(content)
    assert provenance["values"] == NAMES
    if to == "homes.c":
        assert b"float value[3]; /* price_q0.1, price_q0.5, price_q0.9 */" in content
    if to == "homes.js":
        assert b'"targets": ["price_q0.1", "price_q0.5", "price_q0.9"]' in content


def test_networks_inside_a_network_are_averaged_by_quantile():
    run = mlpkit.run(spec(MEMBERS, training={"metrics": ["r2"]}))
    found = run.model.predict("homes.csv")
    assert found.shape == (150, 3)
    assert run.model.evaluate("homes.csv")["r2"] == pytest.approx(r2_score(true_prices(), found[:, 1]), rel=1e-5)


def test_an_ensemble_is_the_mean_by_quantile():
    run = mlpkit.run(spec(ensemble={"folds": 2}, training={"metrics": ["mean_absolute_error"]}), "folds")
    each = [member.network.predict(X[:5]) for member in run.members.values()]
    np.testing.assert_allclose(run.network.predict(X[:5]), np.mean(each, axis=0), rtol=1e-6)
    with Path("folds/out_of_fold.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["source", "fold", "target_price", *(f"predicted_{name}" for name in NAMES)]
    out_of_fold = mean_absolute_error(
        *([float(row[name]) for row in rows] for name in ("target_price", "predicted_price_q0.5"))
    )
    assert run.metrics["validation"]["mean_absolute_error"] == pytest.approx(out_of_fold, rel=1e-5)


def test_without_the_median_metrics_and_pages_of_predictions_say_so():
    ends = [*LAYERS[:3], {"Pinball": {"quantiles": [0.1, 0.9]}}]
    run = mlpkit.run(spec(ends), "ends")
    x, t = mlpkit.load_data(spec(ends), "test")
    with pytest.raises(ShapeError, match=r"predicts the quantiles \[0.1, 0.9\], but not the median; .*add 0.5"):
        run.network.evaluate(x, t, ["r2"])
    text = mlpkit.report("ends").read_text()
    assert "Left out, predictions: Pinball1 predicts the quantiles [0.1, 0.9], but not the median" in text
    assert "Importance of inputs" in text


def test_a_report_shows_the_median(trained):
    text = mlpkit.report("trained").read_text()
    assert "Left out" not in text
    assert "predicted price" in text


def test_what_health_says_of_the_spread_is_relative_to_the_targets(trained):
    first = RunFolder.open(Path("trained")).read_health()[0]
    assert 0 < first["spread"] < 2
    assert 0 < first["chance"] < first["loss"]


def test_a_loss_that_names_fewer_numbers_than_it_predicts_is_blamed(trained, monkeypatch):
    monkeypatch.setattr(Pinball, "prediction_names", lambda _: ("low", "high"))
    message = r"loss Pinball1 \(Pinball\) predicts 3 numbers for a row, and names low, high; expected a name for each"
    with pytest.raises(ComponentFailure, match=message):
        mlpkit.load("trained").predict("homes.csv")


def test_arrays_and_scikit_learn():
    run = mlpkit.fit(X, T, layers=LAYERS, epochs=2, quiet=True, metrics=["r2"])
    assert run.model.predict(X).shape == (150, 3)
    assert repr(run.model).endswith("predicts q0.1, q0.5, q0.9>")
    estimator = SpecEstimator({"layers": LAYERS, "training": {"optimizer": "adam", "epochs": 2}}).fit(X, T)
    found = estimator.predict(X)
    assert found.shape == (150, 3)
    assert estimator.score(X, T) == pytest.approx(r2_score(T, found[:, 1]))
