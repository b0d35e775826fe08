"""Importance of a sweep's keys."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requirements import Optional

from mlpkit.verbs.sweep.page import importance_of_key

kruskal = Optional("scipy.stats", "kruskal")

CASES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), min_size=12, max_size=30)


def test_it_is_what_kruskal_and_wallis_have_less_what_chance_gives():
    generator = np.random.default_rng(0)
    names, costs = ["a"] * 7 + ["b"] * 5 + ["c"] * 8, np.concatenate([np.zeros(7), np.ones(13)])
    costs += generator.integers(0, 3, 20) / 2  # some are equal

    found = importance_of_key(names, costs)

    parts = [[cost for name, cost in zip(names, costs, strict=True) if name == each] for each in "abc"]
    n, k, h = 20, 3, kruskal(*parts).statistic
    assert found == pytest.approx((h - k + 1) / (n - k))
    assert 0.1 < found < 0.9


def test_a_key_that_decides_alone_has_all():
    names = ["a"] * 4 + ["b"] * 4

    assert importance_of_key(names, [1, 1, 1, 1, 2, 2, 2, 2]) == pytest.approx(1)
    assert importance_of_key(names, [1, 1, 1, 1, 1, 1, 1, 1]) == 0
    assert importance_of_key(["a"] * 8, range(8)) == 0


def test_chance_alone_gives_nothing_on_average():
    generator = np.random.default_rng(0)

    shares = [importance_of_key(generator.random(24).tolist(), generator.random(24)) for _ in range(40)]

    assert np.mean(shares) < 0.06  # without the correction (k - 1) / (n - 1) = 0.13
    assert sum(share == 0 for share in shares) > 15


@settings(max_examples=15)
@given(CASES)
def test_only_the_order_of_results_and_who_shares_a_value_count(case):
    names, costs = zip(*case, strict=True)

    found = importance_of_key(names, costs)
    other = importance_of_key([f"{name}!" for name in names], [math.exp(cost) for cost in costs])
    lost = importance_of_key(names, [math.inf if cost == max(costs) else cost for cost in costs])

    assert other == lost == found
    assert found is None or 0 <= found <= 1


def test_of_few_trials_it_says_nothing():
    assert importance_of_key([], []) is None
    assert importance_of_key([1, 2] * 3 + [1], range(7)) is None
    assert importance_of_key([str(i // 2) for i in range(9)], range(9)) is None  # groups of less than two
    assert importance_of_key([str(i // 2) for i in range(10)], range(10)) is not None


def test_numbers_are_grouped_by_quarters_and_all_else_by_what_it_is():
    costs = [1, 1, 2, 2, 3, 3, 4, 4]

    assert importance_of_key([0.001 * 2**i for i in range(8)], costs) == pytest.approx(1)
    assert importance_of_key([str(i) for i in range(8)], costs) is None
    assert importance_of_key([True, {"adam": {"beta1": 0.8}}] * 4, costs) == 0


def test_up_to_four_numbers_are_groups_of_their_own():
    values = [1] * 2 + [2] * 2 + [3] * 2 + [4] * 6
    assert importance_of_key(values, values) == pytest.approx(1)
    assert importance_of_key([*values, 5, 5], [*values, 5, 5]) < 0.99
