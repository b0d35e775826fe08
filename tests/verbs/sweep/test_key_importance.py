"""Importance of a sweep's keys."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requirements import Optional, require_package

from mlpkit.verbs.sweep.key_importance import groups_of, importance_figure, importance_of_key

kruskal = Optional("scipy.stats", "kruskal")

CASES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), min_size=12, max_size=30)


def test_it_is_what_kruskal_and_wallis_have_less_what_chance_gives():
    generator = np.random.default_rng(0)
    names, costs = ["a"] * 7 + ["b"] * 5 + ["c"] * 8, np.concatenate([np.zeros(7), np.ones(13)])
    costs += generator.integers(0, 3, 20) / 2  # some are equal

    found = importance_of_key(names, costs)

    parts = [[cost for name, cost in zip(names, costs, strict=True) if name == each] for each in "abc"]
    n, k, h = 20, 3, kruskal(*parts).statistic
    assert found.share == pytest.approx((h - k + 1) / (n - k))
    assert 0.1 < found.share < 0.9
    assert (found.trials, found.best) == (20, "a")


def test_a_key_that_decides_alone_has_all_and_chance_is_what_it_is():
    names = ["a"] * 4 + ["b"] * 4

    assert importance_of_key(names, [1, 1, 1, 1, 2, 2, 2, 2]).share == pytest.approx(1)
    apart = importance_of_key(names, [1, 2, 3, 4, 5, 6, 7, 8])
    assert apart.chance == pytest.approx(2 / math.comb(8, 4), abs=0.02)  # orders that part them as well, of all
    assert importance_of_key(names, [1, 1, 1, 1, 1, 1, 1, 1]).share == 0
    assert importance_of_key(["a"] * 8, range(8)).share == 0


def test_chance_alone_gives_nothing_on_average():
    generator = np.random.default_rng(0)

    shares = [importance_of_key(generator.random(24).tolist(), generator.random(24)).share for _ in range(40)]

    assert np.mean(shares) < 0.06  # without the correction (k - 1) / (n - 1) = 0.13
    assert sum(share == 0 for share in shares) > 15


@settings(max_examples=15)
@given(CASES)
def test_only_the_order_of_results_and_who_shares_a_value_count(case):
    names, costs = zip(*case, strict=True)

    found = importance_of_key(names, costs)
    other = importance_of_key([f"{name}!" for name in names], [math.exp(cost) for cost in costs])
    lost = importance_of_key(names, [math.inf if cost == max(costs) else cost for cost in costs])

    assert (other.share, other.chance) == (found.share, found.chance)
    assert lost.share == found.share
    assert found.share is None or 0 <= found.share <= 1


def test_of_few_trials_it_says_nothing():
    assert importance_of_key([1, 2] * 3 + [1], range(7)).share is None
    assert importance_of_key([str(i // 2) for i in range(9)], range(9)).share is None  # groups of less than two
    assert importance_of_key([str(i // 2) for i in range(10)], range(10)).share is not None


def test_numbers_are_grouped_by_quarters_and_all_else_by_what_it_is():
    names, groups = groups_of([0.001 * 2**i for i in range(8)])
    assert names == ["0.001 to 0.002", "0.004 to 0.008", "0.016 to 0.032", "0.064 to 0.128"]
    assert groups.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert groups_of([64, 16, 16, 32])[0] == ["64", "16", "32"]
    assert groups_of([True, "sgd", {"adam": {"beta1": 0.8}}])[0] == ["true", "sgd", "{adam: {beta1: 0.8}}"]
    names, groups = groups_of([1, 1, 1, 1, 1, 1, 2, 3, 4, 5])  # some quarters are empty
    assert len(names) == groups.max() + 1
    assert names[0] == "1"


def test_the_most_important_comes_first_and_too_few_trials_are_said():
    require_package("vl_convert")
    clear = importance_of_key(["a"] * 6 + ["b"] * 6, range(12))
    none = importance_of_key(["a", "b"] * 6, range(12))
    few = importance_of_key([1], [1])

    shown = importance_figure("For the loss", {"few": few, "none": none, "seed.clear": clear})

    assert shown.index(">seed.clear<") < shown.index('<td class="text">none<') < shown.index('<td class="text">few<')
    assert "more than chance, p" in shown
    assert "may be chance, p" in shown
    assert "too few trials to say" in shown
    assert "svg" not in importance_figure("For the loss", {"few": few})
