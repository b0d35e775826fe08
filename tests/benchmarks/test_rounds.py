"""Rounds are interleaved, and ratios are taken within a round."""

from __future__ import annotations

import statistics

import pytest
from comparison import Comparison
from contestants.roster import JAX, LIMIT, OURS, PYTORCH, Entry
from hypothesis import given
from hypothesis import strategies as st
from processes import ContestError
from rounds import Measured, Side, best_sides, ratio, take_turns, turns


def sides(*names):
    return [Side(Entry(name, name, "", {})) for name in names]


@given(st.integers(1, 6), st.integers(1, 12))
def test_everyone_has_one_turn_in_each_round_and_the_first_changes(count, rounds):
    present = sides(*map(str, range(count)))
    plan = turns(present, rounds)
    assert len(plan) == rounds
    assert all(sorted(order, key=present.index) == present for order in plan)
    assert [order[0] for order in plan] == [present[i % count] for i in range(rounds)]


def test_measurements_are_taken_in_the_order_of_the_plan():
    asked = []

    def measure(side):
        asked.append(side.entry.name)
        return {"seconds": float(len(asked))}

    first, second = sides("first", "second")
    measured = take_turns([first, second], 3, measure)
    assert asked == ["first", "second", "second", "first", "first", "second"]
    assert measured.figures == {
        first: [{"seconds": 1.0}, {"seconds": 4.0}, {"seconds": 5.0}],
        second: [{"seconds": 2.0}, {"seconds": 3.0}, {"seconds": 6.0}],
    }


def test_who_fails_has_no_figures_and_is_not_asked_again():
    asked = []

    def measure(side):
        asked.append(side.entry.name)
        if side.entry.name == "bad" and len(asked) > 2:
            raise ContestError("broken")
        return {"seconds": 1.0}

    good, bad = sides("good", "bad")
    measured = take_turns([good, bad], 4, measure)
    assert asked.count("bad") == 2
    assert measured.failures == {bad: "broken"}
    assert measured.figures == {good: [{"seconds": 1.0}] * 4}


@given(st.lists(st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)), min_size=1))
def test_a_ratio_is_the_median_of_the_rounds_ratios(pairs):
    theirs, ours = zip(*pairs, strict=True)
    found = ratio(theirs, ours)
    assert found.median == statistics.median(a / b for a, b in pairs)
    assert found.lowest <= found.median <= found.highest


def test_the_better_number_of_threads_counts():
    entry = Entry("peer", "peer", "", {})
    one, two = Side(entry, 1), Side(entry, 2)
    measured = Measured({one: [{"s": 3.0}, {"s": 1.0}, {"s": 3.0}], two: [{"s": 2.0}, {"s": 2.0}, {"s": 9.0}]})
    assert best_sides(measured, "s") == {entry: (two, [2.0, 2.0, 9.0])}


@pytest.mark.parametrize(("seconds", "met"), [(2.0, True), (1.0, False)])
def test_the_best_peer_is_held_against_the_target(seconds, met):
    runs = {OURS: [1.0, 2.0], LIMIT: [0.5, 1.0], PYTORCH: [4.0, 8.0], JAX: [seconds, 2 * seconds]}
    measured = Measured({Side(entry): [{"seconds": run} for run in values] for entry, values in runs.items()})
    compared = Comparison.of("step", "a step", measured, {})
    best = compared.best_peer()
    assert best is not None
    assert best.name == "jax"
    compared.ask_ratio(best, 1.5, "best peer")
    compared.ask_ratio(compared.figure("limit"), 0.5, "share")
    assert [verdict.met for verdict in compared.verdicts] == [met, True]
    assert str(compared).count("MISSED") == (not met)
