"""Looking for a learning rate."""

from __future__ import annotations

import numpy as np
import pytest

import mlpkit
from mlpkit.errors import UsageError
from mlpkit.specfile.shipped_specs import shipped_specs
from mlpkit.verbs.tune_rate.tune_rate import _require_range, tune_rate

SHIPPED = shipped_specs()


def shipped(name, **overrides):
    return mlpkit.load_spec(SHIPPED[name], overrides={f"training.{key}": value for key, value in overrides.items()})


@pytest.fixture(scope="module")
def found():
    return tune_rate(shipped("loans"))


def test_the_rate_grows_by_the_same_factor(found):
    factors = np.divide(found.rates[1:], found.rates[:-1])
    assert found.rates[0] == pytest.approx(1e-6)
    assert factors == pytest.approx(np.full(len(factors), 1e8 ** (1 / 239)))


def test_plain_data_has_the_numbers_of_each_step(found):
    steps = found.to_plain()["steps"]
    assert [step["learning_rate"] for step in steps] == [*found.rates]
    assert [step["loss"] for step in steps] == [*found.losses]
    assert [step["smoothed"] for step in steps] == [*found.smoothed]


def test_it_ends_when_the_loss_explodes(found):
    assert found.exploded
    assert len(found.rates) < 240
    assert max(found.losses[-10:]) > 2 * found.losses[0]


def test_it_ends_at_the_first_step_whose_smoothed_loss_is_four_times_the_lowest(found):
    """Smoothed as the weighted mean of all losses so far, each counting 0.8 times as much as the one after it."""
    averages = []
    for steps in range(1, 1 + len(found.losses)):
        averages.append(np.average(found.losses[:steps], weights=0.8 ** np.arange(steps)[::-1]))
    exploded = averages > 4 * np.minimum.accumulate(averages)
    assert np.flatnonzero(exploded).tolist() == [len(found.losses) - 1]


def test_the_curve_is_smoothed_by_a_normal_curve_over_the_powers_of_ten(found):
    powers = np.log10(found.rates)
    for step in (0, 7, len(powers) - 1):
        weights = np.exp(-((powers - powers[step]) ** 2) / (2 * 0.12**2))
        assert found.smoothed[step] == pytest.approx(np.average(found.losses, weights=weights))


def test_a_loss_that_passes_zero_has_not_exploded_there(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 10))
    np.savez(tmp_path / "counts.npz", x=x, t=rng.poisson(np.exp(2 + x @ rng.normal(size=(10, 1)) / 4)))
    spec = {
        "mlpkit": 1,
        "data": {"npz": {"file": str(tmp_path / "counts.npz"), "predict": "values", "scale_target": "none"}},
        "layers": [{"Affine": {"units": 16}}, "Tanh", {"Affine": {"units": 1}}, "Poisson"],
        "training": {"optimizer": {"adam": {"learning_rate": 0.01}}, "batch_size": 32, "epochs": 3},
    }
    found = tune_rate(mlpkit.load_spec(spec))
    assert (found.exploded, min(found.losses) < 0 < found.losses[-1]) == (True, True)
    assert 0.003 < found.suggestion < 0.1


def test_without_an_explosion_it_ends_at_the_highest_rate():
    found = tune_rate(shipped("loans"), highest=0.01, steps=60)
    assert not found.exploded
    assert found.rates[-1] == pytest.approx(0.01)
    assert len(found.rates) == 60


def test_the_suggestion_is_a_third_of_where_the_fall_ends(found):
    smoothed = np.array(found.smoothed)
    fall = smoothed[0] - smoothed.min()
    first = next(i for i, loss in enumerate(smoothed) if loss <= smoothed.min() + 0.02 * fall)
    assert found.bottom_from == found.rates[first]
    assert found.suggestion == pytest.approx(found.bottom_from / 3, rel=0.06)


def test_the_first_losses_are_those_of_a_training_at_a_small_rate(found):
    spec = shipped("loans", iterations=3, evaluate_every=3, optimizer={"adam": {"learning_rate": 1e-6}})
    network = mlpkit.build(spec)
    before = network.values.copy()
    tune_rate(spec)
    assert np.array_equal(network.values, before)
    assert found.losses[0] == pytest.approx(mlpkit.run(spec).history[0]["train_loss"], rel=0.5)


@pytest.mark.parametrize(
    ("rate", "key"),
    [
        (0.1, "training.optimizer.sgd.learning_rate"),
        ({"one_cycle": {"peak": 0.1}}, "training.optimizer.sgd.learning_rate.one_cycle.peak"),
        (
            {"warmup": {"schedule": {"cosine": {"first": 0.1}}, "steps": 9}},
            "training.optimizer.sgd.learning_rate.warmup.schedule.cosine.first",
        ),
        ({"cosine": {"first": 0.1, "last": 0.01}}, "training.optimizer.sgd.learning_rate"),
    ],
)
def test_the_override_sets_what_scales_the_rate(rate, key):
    spec = shipped("loans", optimizer={"sgd": {"learning_rate": rate}})
    found = tune_rate(spec, steps=60)
    assert found.override == f"{key}={found.suggestion:g}"
    followed = shipped("loans", optimizer={"sgd": {"learning_rate": rate}}, **{key.removeprefix("training."): 0.5})
    peak = max(record["learning_rate"] for record in mlpkit.run(followed).history)
    assert 0.1 < peak <= 0.5


def test_no_rate_that_helps_is_an_error():
    with pytest.raises(UsageError, match=r"no learning rate from 1e\+08 up lowers the loss"):
        tune_rate(shipped("loans"), lowest=1e8, highest=1e9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lowest": 0.0}, "no learning rates from 0 to 100; expected positive rates, the lower one first"),
        ({"lowest": 1.0, "highest": 0.1}, "no learning rates from 1 to 0.1"),
        ({"lowest": 1.0, "highest": 1.0}, "no learning rates from 1 to 1"),
        ({"highest": np.inf}, "no learning rates from 1e-06 to inf"),
        ({"steps": 19}, "19 steps are too few to see how the loss changes; expected at least 20"),
    ],
)
def test_a_range_that_is_none_is_an_error(options, message):
    with pytest.raises(UsageError, match=message):
        tune_rate(shipped("loans"), **options)


def test_twenty_rates_are_enough():
    _require_range(20, 1e-6, 2e-6)


AS_GOOD = {"flowers": {}, "houses": {}, "loans": {}, "weather": {}, "shapes_npz": {}}
LONG = {"mnist_3layer": {"iterations": 1000, "evaluate_every": 1000}, "mnist_residual": {}, "mnist_fast": {}}


def losses(name, overrides):
    found = tune_rate(shipped(name))
    tuned = mlpkit.run(shipped(name, **overrides, **{found.key.removeprefix("training."): found.suggestion}))
    return tuned.metrics["validation"]["loss"], mlpkit.run(shipped(name, **overrides)).metrics["validation"]["loss"]


@pytest.mark.parametrize("name", AS_GOOD)
def test_training_with_the_suggestion_does_about_as_well_as_the_shipped_rate(name):
    tuned, chosen = losses(name, AS_GOOD[name])
    assert tuned < 1.1 * chosen


@pytest.mark.long
@pytest.mark.parametrize("name", LONG)
def test_training_on_mnist_with_the_suggestion_does_about_as_well_as_the_shipped_rate(name):
    tuned, chosen = losses(name, LONG[name])
    assert tuned < 1.1 * chosen


def test_it_says_what_it_suggests_in_a_line(found):
    key = "training.optimizer.adam.learning_rate"
    assert isinstance(found, mlpkit.RateTest)
    assert repr(found) == (
        f"<RateTest of {len(found.rates)} steps: {key}={found.suggestion:g}; "
        f"above {found.bottom_from:.2g}, the loss doesn't fall any further>"
    )
    spec = mlpkit.load_spec(SHIPPED["loans"], overrides=[found.override])
    assert spec.training.optimizer.arguments["learning_rate"] == pytest.approx(found.suggestion)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"steps": "many"}, "'many' is not a number of steps; expected an integer, at least 20"),
        ({"steps": 30.5}, "30.5 is not a number of steps; expected an integer, at least 20"),
        (
            {"lowest": "a"},
            "there are no learning rates from 'a' to 100.0; expected positive rates, the lower one first",
        ),
        (
            {"highest": None},
            "there are no learning rates from 1e-06 to None; expected positive rates, the lower one first",
        ),
    ],
)
def test_what_is_no_number_is_refused(options, said):
    with pytest.raises(UsageError, match=said):
        tune_rate(shipped("loans"), **options)
