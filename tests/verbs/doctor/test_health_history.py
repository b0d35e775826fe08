"""What a training is said to have been so far."""

from __future__ import annotations

import math

import numpy as np
import pytest

import mlpkit
from mlpkit.jobs.prove import prove
from mlpkit.verbs.doctor.health_history import HealthHistory, TrainingFacts, facts_of


@pytest.mark.parametrize(
    ("iteration", "learning_rate", "rise"), [(0, 0.1, 20), (0, 0.2, None), (0, None, None), (10, 0.1, None)]
)
def test_the_rate_rises_from_that_before_the_first_step(iteration, learning_rate, rise):
    """A run that is resumed, without what was found before, has its first probe later."""
    healths = [{"iteration": iteration, "learning_rate": learning_rate}]
    history = [{"iteration": 20, "learning_rate": 0.2}, {"iteration": 40, "learning_rate": 0.2}]
    assert HealthHistory(TrainingFacts(10), history, healths).last_rise == rise


@pytest.mark.parametrize(("more", "rise"), [(0.9e-5, None), (1.1e-5, 20)])
def test_a_rise_is_more_than_the_rounding_of_rates(more, rise):
    history = [{"iteration": step, "learning_rate": rate} for step, rate in ((10, 1.0), (20, 1.0 + more))]
    assert HealthHistory(TrainingFacts(10), history, []).last_rise == rise


FLOWERS = {"file": "example:flowers.csv", "target": "species", "ignore": ["soil"], "missing": "fill"}


def facts(kind, data, layers, optimizer="sgd", steps=None, **training):
    training |= {"optimizer": optimizer, "batch_size": 32}
    spec = mlpkit.load_spec({"mlpkit": 1, "data": {kind: data}, "layers": layers, "training": training})
    return facts_of(prove(spec), mlpkit.build(spec), steps)


def test_what_a_spec_says_beforehand():
    """Of 140 rows, 64 a step, in 4 slices of each minibatch of 32; from 0.2, the rate is a half cosine wave."""
    wide = {"Affine": {"units": 8, "weights": {"normal": {"std": 0.5}}}}
    last = {"Affine": {"units": 3, "weights": "he_normal"}}
    layers = [wide, "BatchNorm", {"Residual": {"layers": [wide]}}, last, "SoftmaxWithLoss"]
    rate = {"cosine": {"first": 0.2}}
    more = {"epochs": 100, "accumulate": 2, "slices": 4, "clip": {"norm": 2.0}, "early_stopping": {"metric": "loss"}}
    found = facts("csv", FLOWERS, layers, {"sgd": {"learning_rate": rate}}, **more)
    steps = [round(i * 299 / 200) for i in range(201)]
    assert [step for step, _ in found.rates] == steps
    assert [rate for _, rate in found.rates] == pytest.approx([0.1 + 0.1 * math.cos(math.pi * i / 300) for i in steps])
    assert found._replace(rates=()) == TrainingFacts(
        steps_per_epoch=3,
        total_steps=300,
        longer="--set training.epochs=1000",
        slice_rows=8,
        coupling=("BatchNorm1",),
        clipped=True,
        guarded=True,
        first_weights={"Affine1": "--set layers.Affine1.weights=he_normal"},
        rate_scale=("training.optimizer.sgd.learning_rate.cosine.first", 0.2),
        balance="--set layers.SoftmaxWithLoss1.class_weights=balanced",
        class_names=("bellflower", "foxglove", "hellebore"),
    )


def test_what_a_spec_leaves_open(tmp_path):
    np.savez(tmp_path / "d.npz", x=np.arange(100.0).reshape(50, 2), t=np.arange(50.0)[:, None])
    data = {"file": str(tmp_path / "d.npz"), "predict": "values", "validation": 0.2}
    layers = [{"Affine": {"units": 1}}, "MeanSquaredError"]
    with_schedule = {"sgd": {"learning_rate": {"exponential": {"first": 0.2, "factor": 0.5}}}}
    found = facts("npz", data, layers, with_schedule, seconds=3.0, best_weights="loss")
    assert (found.total_steps, found.longer, found.rates, found.guarded) == (None, "", [], True)
    assert (found.values, found.scaled_values, found.scale_target, found.balance) == (True, True, "", "")
    assert (found.slice_rows, found.clipped, found.class_name(3)) == (32, False, "3")
    npz = "--set data.npz.{}".format
    unscaled = facts("npz", data | {"scale_target": "none"}, layers, steps=77, seconds=3.0)
    assert (unscaled.total_steps, unscaled.values, unscaled.scaled_values) == (77, True, False)
    assert (unscaled.scale_target, unscaled.scale_inputs) == (npz("scale_target=standardize"), npz("standardize=true"))
    by_steps = facts("npz", data, layers, iterations=60)
    assert (by_steps.steps_per_epoch, by_steps.total_steps) == (2, 60)
    assert (by_steps.longer, by_steps.rates, by_steps.rate_scale) == ("--set training.iterations=600", [], None)
    assert facts("npz", data, layers, epochs=3, drop_last=True).total_steps == 3


def history(*iterations, records=None, per_epoch=10, **figures):
    healths = [
        {"iteration": step} | {key: each[i] for key, each in figures.items()} for i, step in enumerate(iterations)
    ]
    evaluations = [{"iteration": step, "learning_rate": 0.1} for step in records or iterations if step]
    return HealthHistory(TrainingFacts(per_epoch), evaluations, healths)


@pytest.mark.parametrize(
    ("iterations", "per_epoch", "settled"),
    [
        ((0, 50, 75, 100), 10, True),
        ((0, 50, 75, 99), 10, False),
        ((0, 75, 100), 10, False),
        ((0, 50, 75, 101), 101, True),
        ((0, 50, 75, 101), 102, False),
    ],
)
def test_training_has_settled_after_100_steps_an_epoch_and_three_evaluations(iterations, per_epoch, settled):
    assert history(*iterations, per_epoch=per_epoch).settled == settled


@pytest.mark.parametrize(
    ("losses", "improves"),
    [
        ((9.0, 1.0, 2.0, 0.98), True),
        ((9.0, 1.0, 0.1, 0.99), False),
        ((9.0, None, 2.0, 0.5), False),
        ((9.0, 1.0, 2.0, None), False),
    ],
)
def test_a_loss_still_improves_if_it_fell_by_more_than_1_percent_since_half_of_the_steps(losses, improves):
    assert history(0, 50, 60, 100, loss=losses).still_improves == improves
    assert not history(50, 60, 70, 99, loss=losses).still_improves


def test_a_rate_is_scaled_by_its_schedule_or_from_its_highest_value():
    past = history(0, 50, 100, learning_rate=[0.3, 0.2, 0.1])
    past.evaluations[0]["learning_rate"] = 0.25
    assert past.rate_advice(0.1) == "--set training.optimizer.learning_rate=0.025"
    past.facts = TrainingFacts(10, rate_scale=("a.peak", 0.5))
    assert past.rate_advice(10) == "--set a.peak=5"
    assert history(0, learning_rate=[0.3]).rate_advice(0.1) == "--set training.optimizer.learning_rate=0.03"
