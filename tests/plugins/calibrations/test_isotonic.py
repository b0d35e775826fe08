"""Isotonic regression."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requirements import require_package
from scipy.special import expit, logit

from mlpkit import Classes, Labels
from mlpkit_plugins.calibrations.isotonic import Isotonic

SEEDS = st.integers(0, 2**32 - 1)
checked = settings(deadline=None, max_examples=20)


@checked
@given(seed=SEEDS, rows=st.integers(1, 200), knots=st.integers(2, 40), sureness=st.floats(0.2, 30))
def test_never_decreases_and_stays_within_0_and_1(fitted, drawn, seed, rows, knots, sureness):
    p, t = drawn(seed, rows, 2, labels=True, sureness=sureness)
    calibration = fitted(Isotonic(knots), Labels(2), p, t)
    grid = np.linspace(0, 1, 500).repeat(2).reshape(-1, 2)
    q = calibration.predict(grid)
    assert (np.diff(q, axis=0) >= -1e-12).all()
    assert ((q > 0) & (q < 1)).all()
    assert calibration.rate.value.max(initial=0) <= 256


@checked
@given(seed=SEEDS, knots=st.integers(2, 40))
def test_a_weight_counts_as_copies(fitted, drawn, seed, knots):
    p, t = drawn(seed, 50, 2, labels=True)
    weights = np.random.default_rng(seed).integers(1, 4, 50)
    copies = np.repeat(np.arange(50), weights)
    grid = np.linspace(0, 1, 50).repeat(2).reshape(-1, 2)
    weighted = fitted(Isotonic(knots), Labels(2), p, t, weights).predict(grid)
    of_copies = fitted(Isotonic(knots), Labels(2), p[copies], t[copies]).predict(grid)
    np.testing.assert_allclose(weighted, of_copies, atol=1e-9)


@pytest.mark.parametrize("rows", [1000, 10_000])
def test_is_as_near_to_the_truth_as_scikit_learns(fitted, drawn, rows):
    isotonic = require_package("sklearn.isotonic")
    p, t = drawn(0, rows, 1, labels=True, sureness=3)
    truth = expit(logit(p[:, 0]) / 3)
    theirs = isotonic.IsotonicRegression(out_of_bounds="clip").fit(p[:, 0], t[:, 0]).predict(p[:, 0])
    q = fitted(Isotonic(), Labels(1), p, t).predict(p)[:, 0]
    assert np.abs(q - truth).mean() < 1.05 * np.abs(theirs - truth).mean() < 0.05


def test_classes_are_each_compared_with_the_rest_and_add_up_to_1(fitted, drawn):
    p, t = drawn(2, 5000, 3, sureness=3)
    of_classes, of_labels = (fitted(Isotonic(), target, p, t) for target in (Classes(3), Labels(3)))
    alone = of_labels.predict(p)
    np.testing.assert_allclose(of_classes.predict(p), alone / alone.sum(axis=1, keepdims=True))
    assert np.square(alone - t).mean() < np.square(p - t).mean()


def test_a_class_without_rows_has_a_probability(fitted):
    p, t = np.tile([0.7, 0.2, 0.1], (30, 1)), np.tile([1, 0, 0], (30, 1))
    q = fitted(Isotonic(), Classes(3), p, t).predict(p)
    assert (q[:, 1:] > 0).all()
    np.testing.assert_allclose(q.sum(axis=1), 1)


def test_has_the_same_states_whatever_the_data(fitted, drawn):
    shapes = [
        [state.shape for state in fitted(Isotonic(8), Classes(3), *drawn(0, rows, 3)).declared_states()]
        for rows in (1, 1000)
    ]
    assert shapes[0] == shapes[1] == [(), (3,), (3, 7), (3, 7), (3, 7)]


@pytest.mark.parametrize(
    ("p", "t", "knots", "at", "expected"),
    [
        # the share of all rows is (3 + 1/2) / (5 + 1) = 7/12; pools of 1, 2 and 2 rows count as if they had one more
        (
            [0.1, 0.2, 0.3, 0.4, 0.5], [0, 1, 0, 1, 1], 5,
            [0, 0.1, 0.15, 0.2, 0.3, 0.35, 0.4, 1], np.array([21, 21, 29.5, 38, 38, 50, 62, 62]) / 72,
        ),
        # two groups of two rows each, whose shares 0 and 1/2 count with (1 + 1/2) / (4 + 1)
        ([0.1, 0.2, 0.3, 0.5], [0, 0, 1, 0], 2, [0.1, 0.15, 0.4, 0.6], np.array([3, 3, 13, 13]) / 30),
        # groups of two rows, one and two, by the middle of each row's weight; the first two are one pool
        (
            [0.1, 0.2, 0.3, 0.4, 0.5], [0, 1, 0, 1, 1], 3,
            [0.1, 0.3, 0.375, 0.45, 1], np.array([57, 57, 90.5, 124, 124]) / 144,
        ),
        # a pool of all rows, since 1/256 is not far enough
        ([0.5, 0.5 + 1 / 256], [0, 1], 5, [0.2, 0.5, 0.9], [0.5] * 3),
        ([0.5, 0.5 + 1.01 / 256], [0, 1], 5, [0.2, 0.5, 0.9], [0.25, 0.25, 0.75]),
    ],
)  # fmt: skip
def test_shares_of_pools_by_hand(fitted, p, t, knots, at, expected):
    calibration = fitted(Isotonic(knots), Labels(1), np.transpose([p]), np.transpose([t]))
    np.testing.assert_allclose(calibration.predict(np.transpose([at]))[:, 0], expected, rtol=1e-12)


def test_a_pool_of_few_rows_that_count_less_does_not_fall_below_the_one_before(fitted):
    sizes, ones = [1000, 100, 3], [0, 90, 3]
    p = np.repeat([0.1, 0.5, 0.9], sizes)
    t = np.concatenate([np.arange(size) < count for size, count in zip(sizes, ones, strict=True)]).astype(int)
    share = (93 + 0.5) / (1103 + 1)
    least, most, few = ((count + share) / (size + 1) for count, size in zip(ones, sizes, strict=True))
    both = (100 * most + 3 * few) / 103
    q = fitted(Isotonic(32), Labels(1), p[:, np.newaxis], t[:, np.newaxis]).predict(np.array([[0.1], [0.5], [0.9]]))
    np.testing.assert_allclose(q[:, 0], [least, both, both], rtol=1e-12, atol=1e-14)
    assert few < most
