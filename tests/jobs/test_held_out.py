"""A network whose predictions are calibrated after training."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from stop_at import StopAt

import mlpkit
from mlpkit.errors import SpecSchemaError, SpecShapeError
from mlpkit.jobs.evaluate import evaluate
from mlpkit.jobs.held_out import HeldOut, fit_adjustments

WITH = {"calibration": "temperature"}
KINDS = ["temperature", "isotonic"]


def spec(overrides=(), **more):
    return mlpkit.load_spec("tiny.yaml", overrides={"training.epochs": 4, **dict(overrides), **more})


@pytest.fixture(scope="module")
def plain(shared_work):
    return mlpkit.run(spec(), "plain")


@pytest.fixture(scope="module", params=KINDS)
def calibrated(shared_work, request):
    return mlpkit.run(spec(calibration=request.param), request.param)


@pytest.fixture(scope="module")
def rows(shared_work):
    return {split: mlpkit.load_data(spec(), split) for split in ("validation", "test")}


def test_training_doesnt_see_it(plain, calibrated):
    assert calibrated.history == plain.history
    for name, value in plain.network.parameters.items():
        np.testing.assert_array_equal(calibrated.network.parameters[name], value)


def test_predictions_are_those_of_the_network_calibrated_on_validation_rows(plain, rows, calibrated):
    (x, t), (held_out, of_held_out) = rows["test"], rows["validation"]
    again = mlpkit.build(spec(calibration=calibrated.folder.name)).adjustments.calibration
    for state in again.declared_states():
        state.value[...] = state.initial
    p = plain.network.predict(held_out).astype(float)
    again.fit(p, np.eye(10)[of_held_out], np.ones(len(p)))
    expected = again.predict(plain.network.predict(x))
    assert np.abs(expected - plain.network.predict(x)).max() > 0.01
    np.testing.assert_allclose(calibrated.network.predict(x), expected, rtol=1e-5)
    losses = -np.log(expected[np.arange(len(t)), t])
    assert calibrated.metrics["test"]["loss"] == pytest.approx(losses.mean(), rel=1e-5)
    assert calibrated.metrics["test"]["accuracy"] == pytest.approx((expected.argmax(axis=1) == t).mean())
    assert calibrated.metrics["validation"]["loss"] < plain.metrics["validation"]["loss"]


def test_it_is_saved_with_the_model_and_evaluated(calibrated, rows):
    x, _ = rows["test"]
    loaded = mlpkit.load_model(calibrated.folder / "model.safetensors")
    np.testing.assert_array_equal(loaded.predict(x), calibrated.network.predict(x))
    found = evaluate(calibrated.folder).metrics
    assert {split: {key: found[split][key] for key in ("loss", "accuracy")} for split in found} == calibrated.metrics
    assert found["test"]["log_loss"] == pytest.approx(found["test"]["loss"])
    assert 0 < found["test"]["calibration_error"] < 1


def test_a_network_without_it_has_no_more_in_its_files(plain, calibrated):
    assert not [name for name in plain.network.states if "calibration" in name]
    assert "calibration" not in (plain.folder / "resolved.yaml").read_text()
    assert sorted(evaluate(plain.folder).metrics["test"]) == ["accuracy", "loss"]
    assert {path.name for path in plain.folder.iterdir()} == {path.name for path in calibrated.folder.iterdir()}


def test_few_rows_that_are_planned_copies_and_pickles_have_the_same_bits(calibrated, rows):
    x = rows["test"][0][:3]
    expected = calibrated.network.predict(rows["test"][0])[:3]
    for network in (copy.deepcopy(calibrated.network), pickle.loads(pickle.dumps(calibrated.network))):
        for _ in range(3):
            np.testing.assert_array_equal(network.predict(x), expected)
        assert network.replicas[0]._plan


def test_a_run_that_was_stopped_is_not_calibrated_and_ends_with_the_same_bits(calibrated, shared_work):
    observer = StopAt(8)
    chosen = spec(calibration=calibrated.folder.name)
    folder = Path(f"again-{calibrated.folder.name}")
    stopped = mlpkit.run(chosen, folder, stop=observer.stop, observer=observer)
    assert stopped.stopped
    assert not stopped.network.adjustments.calibration.is_fitted
    resumed = mlpkit.resume(folder)
    assert resumed.metrics == calibrated.metrics
    assert (folder / "metrics.json").read_bytes() == (calibrated.folder / "metrics.json").read_bytes()
    for name, value in calibrated.network.states.items():
        np.testing.assert_array_equal(resumed.network.states[name], value)


def test_a_longer_training_calibrates_again(calibrated, shared_work):
    longer = mlpkit.resume(calibrated.folder, epochs=6, out=f"longer-{calibrated.folder.name}")
    direct = mlpkit.run(spec(calibration=calibrated.folder.name, **{"training.epochs": 6}))
    assert longer.metrics == direct.metrics


def test_weights_are_taken_from_a_calibrated_run_and_its_calibration_is_not(calibrated, plain, shared_work):
    again = {"initialize_from": calibrated.folder.name, "training.epochs": 1}
    of_plain = {"initialize_from": plain.folder.name, "training.epochs": 1}
    assert mlpkit.run(spec(again)).metrics == mlpkit.run(spec(of_plain)).metrics
    assert mlpkit.run(spec(again | WITH)).metrics == mlpkit.run(spec(of_plain | WITH)).metrics


def examples(count=300, seed=0):
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, 4))
    return x, (x[:, 0] + random.normal(size=count) > 0).astype(int)


KEYS = {"layers": [{"Affine": {"units": 2}}, "SoftmaxWithLoss"], "epochs": 2, "quiet": True}


def test_the_mean_of_an_ensemble_is_calibrated_on_validation_rows(tmp_path):
    x, t = examples()
    options = {"ensemble": {"members": 2}, "validation": 0.4, **KEYS}
    before = mlpkit.fit(x, t, **options)
    after = mlpkit.fit(x, t, calibration="temperature", directory=tmp_path / "after", **options)
    q = divided(before.network.predict(x), after.network.states["calibration.T"])
    np.testing.assert_allclose(after.network.predict(x), q, rtol=1e-4)
    assert after.metrics["validation"]["loss"] < before.metrics["validation"]["loss"]
    assert not any("calibration" in name for name in after.members[0].network.states)
    loaded = mlpkit.load_model(tmp_path / "after/model.safetensors")
    np.testing.assert_array_equal(loaded.predict(x), after.network.predict(x))


def test_folds_are_calibrated_out_of_fold(tmp_path):
    x, t = examples()
    before = mlpkit.fit(x, t, ensemble={"folds": 3}, **KEYS)
    directory, options = tmp_path / "after", {"calibration": "temperature", **KEYS}
    after = mlpkit.fit(x, t, ensemble={"folds": 3}, directory=directory, **options)
    q = divided(before.out_of_fold.values, after.network.states["calibration.T"])
    np.testing.assert_allclose(after.out_of_fold.values, q, rtol=1e-4)
    losses = -np.log(q[np.arange(len(t)), t])
    assert after.metrics["validation"]["loss"] == pytest.approx(losses.mean(), rel=1e-4)
    assert after.metrics["validation"]["loss"] < before.metrics["validation"]["loss"]
    again = mlpkit.resume(directory, examples=(x, t))
    np.testing.assert_array_equal(again.out_of_fold.values, after.out_of_fold.values)


def divided(p, T):
    """Return the probabilities whose logits are divided by T."""
    scaled = np.exp(np.log(p) / T)
    return scaled / scaled.sum(axis=1, keepdims=True)


def test_training_a_calibrated_network_further_calibrates_it_again():
    x, t = examples()
    a, ta = held_out = examples(200, 1)
    network = mlpkit.fit(x, t, validation=held_out, calibration="temperature", **KEYS).network
    network.fit(x, t, epochs=5, validation=held_out, quiet=True)
    calibration = network.adjustments.calibration
    assert calibration.is_fitted
    with calibration.set_aside():
        logits = np.log(network.predict(a).astype(float)) / float(calibration.T.value)
    q = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    slope = np.log(float(calibration.T.value)) - ((q - np.eye(2)[ta]) * logits).sum()
    assert slope == pytest.approx(0, abs=1e-3)  # T is the best for the network as it is now, not as calibrated before
    with pytest.raises(SpecShapeError, match="calibration is fitted on rows for validation, and in_memory has none"):
        network.fit(x, t, epochs=1, quiet=True)


def test_held_out_rows_of_weight_0_dont_count_and_weights_may_have_any_unit():
    x, t = examples()
    network = mlpkit.fit(x, t, validation=0.4, calibration="temperature", **KEYS).network
    calibration, found = network.adjustments.calibration, []
    with calibration.set_aside():
        p = network.predict(x)
    weights = np.where(np.arange(300) < 200, 1.0 + np.arange(300) % 3, 0.0)
    for each in (HeldOut(p, t, weights), HeldOut(p[:200], t[:200], weights[:200] / 7)):
        calibration.reset()
        fit_adjustments(network, each)
        found.append(float(calibration.T.value))
    assert found[0] == pytest.approx(found[1], rel=1e-6)
    calibration.reset()
    fit_adjustments(network, HeldOut(p, t, np.zeros(300)))
    assert not calibration.is_fitted


def test_one_hot_targets_calibrate_as_class_numbers_do(calibrated, shared_work):
    one_hot = mlpkit.run(spec(calibration=calibrated.folder.name, **{"data.mnist.one_hot": True}))
    assert one_hot.metrics == calibrated.metrics


def test_an_estimator_calibrates_its_probabilities():
    sklearn = pytest.importorskip("mlpkit.sklearn")
    x, t = examples()
    training = {"optimizer": "adam", "epochs": 2}
    mapping = {"layers": KEYS["layers"], "training": training, "calibration": "temperature"}
    estimator = sklearn.SpecEstimator(mapping, validation_fraction=0.4).fit(x, t)
    assert estimator.network_.adjustments.calibration.is_fitted
    np.testing.assert_allclose(estimator.predict_proba(x), estimator.network_.predict(x))


VALUES = {"layers": [{"Affine": {"units": 1}}, "MeanSquaredError"], "predict": "values", "validation": 0.4}


def test_what_cant_be_calibrated_is_refused_at_the_key(shared_work):
    for overrides, message in (
        (
            {"data": {"mnist": {"directory": "digits"}}},
            "calibration is fitted on rows for validation, and mnist has none",
        ),
        ({"calibration": "temperatur"}, "unknown calibration 'temperatur'"),
        ({"calibration": {"isotonic": {"knots": 1}}}, "1 is less than 2"),
    ):
        with pytest.raises((SpecShapeError, SpecSchemaError)) as caught:
            mlpkit.build(spec(WITH | overrides))
        (fault,) = caught.value.faults
        assert message in fault.message or fault.expected, fault
    x, t = examples()
    with pytest.raises(SpecShapeError, match="temperature calibrates probabilities, but the data gives real values"):
        mlpkit.fit(x, t * 1.5, calibration="temperature", **KEYS | VALUES)


def test_resolved_and_lock_name_it(calibrated):
    assert f"calibration:\n  {calibrated.folder.name}:" in (calibrated.folder / "resolved.yaml").read_text()
    assert json.loads((calibrated.folder / "lock.json").read_text())


class Broken(mlpkit.Calibration):
    """A calibration that can't be fitted."""

    def build(self, target):
        self.expect_probabilities(target)

    def fit(self, p, t, weights):
        raise OverflowError("too much")

    def predict(self, p):
        return p


def plugin(component):
    module = ModuleType("acme")
    module.mlpkit_components = mlpkit.hookimpl(lambda: [mlpkit.component("calibration", "broken", component)])
    return module


def test_a_calibration_that_fails_is_named():
    x, t = examples()
    options = {"validation": 0.4, "calibration": "acme.broken", **KEYS}
    with pytest.raises(
        mlpkit.ComponentFailure, match=r"calibration calibration \(broken\) failed in fit: OverflowError"
    ):
        mlpkit.fit(x, t, plugins=[plugin(Broken)], **options)

    class Unweighted(Broken):
        def fit(self, p, t):
            pass

    with pytest.raises(SpecSchemaError, match=r"can't be called as mlpkit calls it"):
        mlpkit.fit(x, t, plugins=[plugin(Unweighted)], **options)
