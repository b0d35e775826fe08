"""Runs whose initializers see training inputs: new, resumed, repeated, and begun with the weights of another run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stop_at import StopAt

import mlpkit
from mlpkit.verbs.repro.repro import repro

SEEING = "{units: 16, weights: unit_variance, biases: convex_combination}"


@pytest.fixture
def seeing(work):
    """The tiny spec, whose first layer and the one inside another have initializers that see inputs."""
    text = (work / "tiny.yaml").read_text().replace("{units: 16}", SEEING)
    text = text.replace("  - Relu\n", f"  - Relu\n  - Residual: {{layers: [{{Affine: {SEEING}}}, Relu]}}\n")
    (work / "tiny.yaml").write_text(text)
    return work


def bits(run):
    return {path: array.tobytes() for path, array in run.network.parameters.items()}


def test_first_values_are_adapted_to_training_rows_and_the_seed_decides(seeing, train):
    rate = {"training__optimizer": {"sgd": {"learning_rate": 1e-30}}, "training__epochs": 1}
    run = train(None, **rate)
    built = mlpkit.build(mlpkit.load_spec("tiny.yaml"))
    x = mlpkit.load_spec("tiny.yaml").new_dataset().open(3)["train"]
    rows = np.empty((200, 784), np.float32), np.empty(200, np.int64)
    x.take(np.arange(200), rows)
    outputs = run.network.activations(rows[0])["Affine1"]
    np.testing.assert_allclose(outputs.std(axis=0), 1, rtol=1e-4)  # 200 rows are fewer than it takes at most
    assert (built.parameters["Affine1.b"] == 0).all()
    assert bits(train(None, **rate)) == bits(run)
    assert bits(train(None, seed=4, **rate)) != bits(run)


@pytest.mark.parametrize("slices", [1, 3])
def test_a_resumed_run_has_the_bits_of_one_without_a_break(slices, seeing, train):
    whole = train("whole", training__slices=slices)
    watch = StopAt(20)
    overrides = {"training.checkpoint": {"every": 6}, "training.slices": slices}
    mlpkit.run(mlpkit.load_spec("tiny.yaml", overrides=overrides), "run", observer=watch, stop=watch.stop)
    assert bits(mlpkit.resume("run")) == bits(whole)


def test_a_repeated_run_has_the_same_bits(seeing, train):
    train("run", training__epochs=2)
    assert repro(Path("run")).same


def test_a_traced_first_step_begins_with_the_adapted_values(seeing, train):
    train("run", training__epochs=1)
    still = train(None, training__epochs=1, training__optimizer={"sgd": {"learning_rate": 1e-30}})
    before = mlpkit.trace("run", 1).parameters_before
    for path in ("Affine1.W", "Affine1.b", "Residual1.Affine1.W", "Residual1.Affine1.b"):
        assert before[path].tobytes() == bits(still)[path]


def test_weights_of_another_run_stay_and_what_follows_is_adapted_to_them(seeing, train):
    train("base", training__epochs=2)
    taken = {"run": "base", "layers": ["Affine1"]}
    rate = {"training__optimizer": {"sgd": {"learning_rate": 1e-30}}, "training__epochs": 1}
    base, fine = mlpkit.load("base").network, train(None, initialize_from=taken, seed=9, **rate).network
    np.testing.assert_array_equal(fine.parameters["Affine1.W"], base.parameters["Affine1.W"])
    np.testing.assert_array_equal(fine.parameters["Affine1.b"], base.parameters["Affine1.b"])
    assert (fine.parameters["Residual1.Affine1.b"] != 0).all()
