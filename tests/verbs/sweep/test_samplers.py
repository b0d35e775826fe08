"""Samplers: each value is one that the search allows, and depends on what it should alone."""

from __future__ import annotations

import math
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from requirements import require_package

from mlpkit.errors import UsageError
from mlpkit.verbs.sweep.folder import Trial
from mlpkit.verbs.sweep.samplers import TpeSampler, make_sampler, value_at
from mlpkit.verbs.sweep.section import MOST_TRIALS, SearchedKey, SweepSection, count_combinations, is_choice

SEARCH = {
    "training.optimizer": SearchedKey(choices=("sgd", {"adam": {"beta1": 0.8}})),
    "training.optimizer.sgd.momentum": SearchedKey(low=0.0, high=0.9, when={"training.optimizer": "sgd"}),
    "vars.rate": SearchedKey(low=1e-4, high=1e-1, log=True),
    "vars.hidden": SearchedKey(choices=(16, 32, 48, 64)),
    "vars.depth": SearchedKey(low=1, high=100, log=True),
}


def trial(number, values, state="finished", **results):
    return Trial(number, Path("x"), values, state=state, results=results)


def sampler_of(search, sampler="random", seed=0, **keys):
    return make_sampler(SweepSection(search, trials=9, sampler=sampler, **keys), seed)


def is_allowed(values):
    assert list(values) == [key for key in SEARCH if key in values]
    assert ("training.optimizer.sgd.momentum" in values) == (values["training.optimizer"] == "sgd")
    assert 0.0 <= values.get("training.optimizer.sgd.momentum", 0.0) <= 0.9
    assert 1e-4 <= values["vars.rate"] <= 1e-1
    assert values["vars.hidden"] in (16, 32, 48, 64)
    assert type(values["vars.hidden"]) is type(values["vars.depth"]) is int
    assert 1 <= values["vars.depth"] <= 100
    return True


@given(seed=st.integers(0, 2**32), number=st.integers(0, 10**6))
def test_random_values_are_allowed_and_depend_on_seed_and_number_alone(seed, number):
    values = sampler_of(SEARCH, seed=seed)(number, [])
    assert is_allowed(values)
    sampler = sampler_of(SEARCH, seed=seed)
    sampler(number + 1, [])
    assert sampler(number, [trial(0, {}, loss=3.0)]) == values


def test_the_value_of_a_key_does_not_depend_on_the_other_keys():
    alone = {"vars.rate": SEARCH["vars.rate"]}
    for number in range(5):
        values = sampler_of(SEARCH, seed=3)(number, [])
        assert sampler_of(alone, seed=3)(number, []) == {"vars.rate": values["vars.rate"]}


@given(share=st.floats(0, 1, exclude_max=True))
def test_shares_are_spread_evenly(share):
    """By the definition of a uniform distribution, on either scale."""
    assert value_at(SearchedKey(low=2.0, high=6.0), share) == pytest.approx(2 + 4 * share, rel=1e-5)
    logarithm = math.log10(value_at(SearchedKey(low=1e-3, high=10.0, log=True), share))
    assert logarithm == pytest.approx(-3 + 4 * share, abs=1e-4)


def test_integers_of_a_range_are_equally_likely_and_have_both_ends():
    counts = Counter(value_at(SearchedKey(low=3, high=7), share) for share in np.linspace(0, 1, 1000, endpoint=False))
    assert counts == dict.fromkeys(range(3, 8), 200)
    found = {value_at(SearchedKey(low=1, high=100, log=True), share) for share in (0.0, 0.5, 1 - 1e-12)}
    assert found == {1, 7, 100}  # the geometric mean of 0.5 and 100.5 is 7.09


def test_numbers_have_six_digits_and_stay_in_their_range():
    assert value_at(SearchedKey(low=0.0, high=1.0), 1 / 3) == 0.333333
    assert value_at(SearchedKey(low=0.1234562, high=0.1234564), 0.5) == 0.1234562
    assert value_at(SearchedKey(low=0.1234567, high=0.1234568), 0.5) == 0.1234568


def test_a_range_takes_no_time_and_no_memory_however_many_values_it_has():
    seeds = SearchedKey(low=0, high=2**64 - 1)
    assert value_at(seeds, 0.5) == 2**63
    assert value_at(seeds, 1 - 2**-53) <= 2**64 - 1
    assert sampler_of({"seed": seeds}, "grid")(5, []) == {"seed": 5}


def test_a_grid_has_each_combination_once_and_none_that_a_condition_rules_out():
    search = {
        "a": SearchedKey(choices=("x", "y")),
        "b": SearchedKey(low=1, high=3, when={"a": "x"}),
        "c": SearchedKey(choices=(True, None)),
    }
    sampler = sampler_of(search, "grid")
    found = []
    while (values := sampler(len(found), [])) is not None:
        found.append(values)
    x = [{"a": "x", "b": b, "c": c} for b in (1, 2, 3) for c in (True, None)]
    assert found == [*x, {"a": "y", "c": True}, {"a": "y", "c": None}]


def tpe(**keys):
    require_package("optuna")
    section = SweepSection({"x": SearchedKey(low=0.0, high=1.0)}, trials=9, **keys)
    return TpeSampler(section, seed=0)


def trials_around(best, state="finished"):
    values = [i / 20 for i in range(21)]
    return [trial(i, {"x": x}, state, validation_loss=(x - best) ** 2) for i, x in enumerate(values)]


@pytest.mark.parametrize("best", [0.2, 0.8])
def test_tpe_goes_where_trials_were_good(best):
    found = [tpe().values(number, trials_around(best))["x"] for number in range(20, 30)]
    assert abs(np.median(found) - best) < 0.2
    upwards = [tpe(maximize="validation_loss").values(number, trials_around(best))["x"] for number in range(20, 30)]
    assert abs(np.median(upwards) - best) > 0.3


def test_tpe_learns_from_trials_that_diverged():
    good = trials_around(0.9)
    diverged = [trial(100 + i, {"x": 0.5 + i / 100}, "diverged") for i in range(50)]
    found = [tpe().values(number, [*good[:10], *diverged])["x"] for number in range(200, 210)]
    assert np.median(found) < 0.5


def test_tpe_depends_on_the_trials_and_the_number_alone():
    known = [*trials_around(0.3), trial(30, {"x": 0.4}, "stopped"), trial(31, {"x": 0.5}, "pruned", validation_loss=1)]
    used = tpe()
    used.values(32, known[:5])
    expected = tpe().values(32, known)
    assert used.values(32, known) == expected
    assert sampler_of({"x": SearchedKey(low=0.0, high=1.0)}, "tpe")(32, known) == expected
    assert sampler_of({"x": SearchedKey(low=0.0, high=1.0)}, "tpe", seed=1)(32, known) != expected


def test_tpe_takes_trials_in_training_into_account_and_prints_nothing():
    optuna = require_package("optuna")
    optuna.logging.set_verbosity(optuna.logging.INFO)
    training = [trial(40 + i, {"x": 0.3}, "stopped") for i in range(20)]
    assert tpe().values(60, [*trials_around(0.3), *training]) != tpe().values(60, trials_around(0.3))
    assert optuna.logging.get_verbosity() == optuna.logging.WARNING


def test_tpe_keeps_to_the_search():
    require_package("optuna")
    sampler = TpeSampler(SweepSection(SEARCH, trials=3), seed=1)
    known = []
    for number in range(15):
        values = sampler.values(number, known)
        assert is_allowed(values)
        known.append(trial(number, values, validation_loss=values["vars.rate"]))


def test_what_optuna_is_told_of_the_trials_before(monkeypatch):
    """Choices go by their places; a finished trial without one of the results is left out."""
    optuna, studies = require_package("optuna"), []
    create = optuna.create_study
    monkeypatch.setattr(optuna, "create_study", lambda **how: studies.append(create(**how)) or studies[-1])
    adam = {"training.optimizer": {"adam": {"beta1": 0.8}}, "vars.depth": 3, "vars.rate": 0.01}
    known = [
        trial(0, adam, validation_loss=0.5, validation_accuracy=0.75),
        trial(1, adam, validation_loss=0.5),
        trial(2, {"training.optimizer": "sgd", "training.optimizer.sgd.momentum": 0.3}, "stopped", validation_loss=9),
        trial(3, {"vars.hidden": 48}, "pruned", validation_loss=0.25),
        trial(4, {"gone": 1}, "diverged", validation_loss=0.25),
        trial(5, {}, "failed"),
    ]
    objectives = {"minimize": "validation_loss", "maximize": "validation_accuracy"}
    TpeSampler(SweepSection(SEARCH, trials=9, **objectives), seed=0).values(6, known)
    (study,) = studies
    *told, _ = study.trials
    assert [direction.name for direction in study.directions] == ["MINIMIZE", "MAXIMIZE"]
    assert [(each.state.name, each.values, each.params, each.intermediate_values) for each in told] == [
        ("COMPLETE", [0.5, 0.75], {"training.optimizer": 1, "vars.rate": 0.01, "vars.depth": 3}, {}),
        ("RUNNING", None, {"training.optimizer": 0, "training.optimizer.sgd.momentum": 0.3}, {}),
        ("PRUNED", None, {"vars.hidden": 2}, {1: 0.25}),
        ("PRUNED", None, {}, {}),
        ("PRUNED", None, {}, {}),
    ]
    found = optuna.distributions
    assert told[0].distributions == {
        "training.optimizer": found.CategoricalDistribution(range(2)),
        "vars.rate": found.FloatDistribution(1e-4, 1e-1, log=True),
        "vars.depth": found.IntDistribution(1, 100, log=True),
    }
    assert told[1].distributions["training.optimizer.sgd.momentum"] == found.FloatDistribution(0.0, 0.9)


def test_without_optuna_there_is_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    section = SweepSection({"x": SearchedKey(low=0.0, high=1.0)}, trials=9, sampler="tpe")
    with pytest.raises(UsageError, match=r'pip install "mlpkit\[sweep\]"'):
        make_sampler(section, 0)
    section = SweepSection({"x": SearchedKey(low=0.0, high=1.0)}, trials=9)
    assert make_sampler(section, 0)(0, []).keys() == {"x"}


def test_a_condition_may_name_a_component_with_its_parameters():
    wanted = {"adam": {"beta1": 0.8}}
    for asked in (wanted, [wanted]):
        searched = SearchedKey(choices=(1, 2), when={"training.optimizer": asked})
        choices = ({"adam": {"beta1": 0.8}}, {"adam": {"beta1": 0.9}}, "adam")
        assert [searched.holds({"training.optimizer": each}) for each in choices] == [True, False, False]


def test_a_condition_that_names_a_component_holds_with_any_parameters():
    for asked in ("adam", ["sgd", "adam"]):
        searched = SearchedKey(choices=(1, 2), when={"training.optimizer": asked})
        choices = ({"adam": {"beta1": 0.8}}, "adam", {"adamw": {"beta1": 0.8}}, {"adam": {}, "sgd": {}})
        assert [searched.holds({"training.optimizer": each}) for each in choices] == [True, True, False, False]


@pytest.mark.parametrize(
    ("choice", "wanted", "same"),
    [(1, 1, True), (1, True, False), (1, 1.0, False), (None, None, True), ("a", "a", True), ("ab", "a", False)],
)
def test_a_choice_is_one_that_is_asked_for_if_value_and_type_are_the_same(choice, wanted, same):
    assert is_choice(choice, wanted) == is_choice(choice, ["x", wanted]) == same


def test_combinations_are_counted_up_to_one_too_many():
    assert count_combinations({"a": SearchedKey(low=1, high=100), "b": SearchedKey(choices=(1, 2, 3))}) == 300
    assert count_combinations({"a": SearchedKey(low=1, high=MOST_TRIALS)}) == MOST_TRIALS
    assert count_combinations({"a": SearchedKey(low=1, high=10**12)}) == MOST_TRIALS + 1
