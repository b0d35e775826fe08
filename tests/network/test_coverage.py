"""Intervals and sets around predictions against the formulas of split conformal prediction."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requirements import Optional

import mlpkit
from mlpkit import Classes, Graph, NotExportableError, Values
from mlpkit.errors import UsageError
from mlpkit.graph.evaluator import evaluate
from mlpkit.network.coverage import Coverage, band, rank_of, rows_needed
from mlpkit_plugins.losses.mean_squared_error import MeanSquaredError
from mlpkit_plugins.losses.pinball import Pinball
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

betabinom = Optional("scipy.stats", "betabinom")

RNG = np.random.default_rng(3)
X = RNG.normal(size=(240, 3)).astype(np.float32)
NOISE = RNG.normal(size=240).astype(np.float32)
TRAIN, HELD_OUT, NEW = np.split(np.arange(240), [100, 160])
SHARES = st.integers(1, 999).map(lambda number: number / 1000)


def fitted(t, outputs, loss, coverage=0.8, layers=({"Affine": {"units": 4}}, "Tanh"), **more):
    return mlpkit.fit(
        X[TRAIN],
        t[TRAIN],
        layers=[*layers, {"Affine": {"units": outputs}}, loss],
        validation=(X[HELD_OUT], t[HELD_OUT]),
        coverage=coverage,
        epochs=2,
        **more,
    ).model


def threshold(scores, coverage=0.8):
    return np.sort(scores, axis=0)[ceil((len(scores) + 1) * Fraction(str(coverage))) - 1]


def test_the_interval_of_a_value_reaches_as_far_as_residuals_of_held_out_rows():
    t = 3 * X[:, 0] + NOISE
    model = fitted(t, 1, "MeanSquaredError", predict="values")
    q = threshold(abs(t[HELD_OUT] - model.predict(X[HELD_OUT])))
    point = model.predict(X[NEW])
    np.testing.assert_allclose(model.predict_interval(X[NEW]), np.stack([point - q, point + q], axis=1), rtol=1e-6)


def test_each_of_several_values_has_its_own_threshold():
    t = np.stack([NOISE, 100 * NOISE + X[:, 0]], axis=1)
    model = fitted(t, 2, "MeanSquaredError", predict="values", scale_target="standardize")
    q = threshold(abs(t[HELD_OUT] - model.predict(X[HELD_OUT])))
    point = model.predict(X[NEW])
    ends = np.stack([point - q, point + q], axis=2)
    np.testing.assert_allclose(model.predict_interval(X[NEW]), ends, rtol=1e-5, atol=1e-5)


def test_quantiles_are_moved_outwards_or_inwards_by_the_same_amount():
    t = X[:, 0] + NOISE
    wide = {"Pinball": {"quantiles": [0.01, 0.5, 0.99]}}
    model = fitted(t, 3, wide, coverage=0.3, predict="values")
    quantiles, held_out = model.predict(X[NEW]), model.predict(X[HELD_OUT])
    q = threshold(np.maximum(held_out[:, 0] - t[HELD_OUT], t[HELD_OUT] - held_out[:, 2]), 0.3)
    low, high = quantiles[:, 0] - q, quantiles[:, 2] + q
    found = model.predict_interval(X[NEW])
    assert q < 0
    turned = low > high
    np.testing.assert_allclose(found[~turned], np.stack([low, high], axis=1)[~turned], rtol=1e-5, atol=1e-6)
    middle = (quantiles[turned, 0] + quantiles[turned, 2]) / 2
    np.testing.assert_allclose(found[turned], np.stack([middle, middle], axis=1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("loss", ["MeanSquaredError", {"Pinball": {"quantiles": [0.4, 0.5, 0.6]}}])
def test_the_interval_of_a_value_trained_as_its_logarithm_is_a_factor(loss):
    t = np.exp(2 * X[:, 0] + NOISE)
    outputs = 3 if isinstance(loss, dict) else 1
    model = fitted(t, outputs, loss, predict="values", scale_target="log")
    (held_low, held_high), (low, high) = (
        (found.reshape(len(rows), -1)[:, 0], found.reshape(len(rows), -1)[:, -1])
        for rows in (HELD_OUT, NEW)
        for found in [model.predict(X[rows])]
    )
    q = threshold(np.maximum(held_low / t[HELD_OUT], t[HELD_OUT] / held_high))
    found = model.predict_interval(X[NEW])
    np.testing.assert_allclose(found, np.stack([low / q, high * q], axis=1), rtol=1e-5)
    assert (found > 0).all()


def sums_above(p):
    return np.where(p[:, np.newaxis, :] > p[:, :, np.newaxis], p[:, np.newaxis, :], 0).sum(axis=2)


def test_a_set_has_the_classes_below_which_little_probability_is_left():
    t = np.digitize(X[:, 0] + NOISE, [-1, 0, 1])
    model = fitted(t, 4, "SoftmaxWithLoss")
    p = model.predict_proba(X[HELD_OUT])
    q = threshold(sums_above(p)[np.arange(len(p)), t[HELD_OUT]])
    sets = model.predict_set(X[NEW])
    new = model.predict_proba(X[NEW])
    certain = abs(sums_above(new) - q) > 1e-5
    assert q > 0
    assert (sets == (sums_above(new) <= q))[certain].all()
    assert sets[np.arange(len(new)), new.argmax(axis=1)].all()
    assert 1 < sets.sum(axis=1).mean() < 4


def test_equally_probable_classes_are_in_a_set_together():
    t = RNG.integers(0, 3, 240)
    model = fitted(t, 3, "SoftmaxWithLoss")
    coverage = model.network.adjustments.coverage
    p = np.array([[0.5, 0.25, 0.25], [0.25, 0.25, 0.5], [0.4, 0.4, 0.2]], np.float32)
    for q, expected in ((0.5, [[1, 1, 1], [1, 1, 1], [1, 1, 0]]), (0.49, [[1, 0, 0], [0, 0, 1], [1, 1, 0]])):
        coverage.threshold.value[...] = q
        np.testing.assert_array_equal(coverage.regions(p)["set"], expected)


def test_rounding_moves_classes_only_where_it_was_said_to():
    coverage = fitted(RNG.integers(0, 4, 240), 4, "SoftmaxWithLoss").network.adjustments.coverage
    p = RNG.dirichlet([0.5] * 4, 4000).astype(np.float32)
    p[:1000] = p[:1000].round(2)  # with ties, and sums equal to the threshold
    coverage.threshold.value[...] = np.float32(0.6)
    sets, hang, moved = coverage.regions(p)["set"], coverage.hang_on_rounding(p, 1e-3), 0
    assert 0.001 < hang.mean() < 0.1
    for _ in range(20):
        other = coverage.regions(np.float32(p + RNG.uniform(-1e-3, 1e-3, p.shape)))["set"]
        moved += (other != sets).sum()
        assert not ((other != sets) & ~hang).any()
    assert moved


@pytest.mark.parametrize("kind", ["values", "classes"])
def test_new_rows_like_the_held_out_ones_are_held_as_often_as_promised(kind):
    values = kind == "values"
    t = X[:, 0] if values else (X[:, 0] > 0).astype(int)
    model = fitted(t, *((1, "MeanSquaredError") if values else (2, "SoftmaxWithLoss")), predict=kind)
    coverage, shares = model.network.adjustments.coverage, []
    for _ in range(300):
        if values:
            p = RNG.normal(size=(119, 1)).astype(np.float32)
            true = p + RNG.normal(size=(119, 1))
        else:
            p = RNG.dirichlet([1, 1], 119).astype(np.float32)
            true = (RNG.random(119) < p[:, 1]).astype(int)
        coverage.fit(p[:19], true[:19], np.ones(19))
        held = coverage.found(p[19:], true[19:], ["0", "1"][: 1 + (not values)], "", {}).of[0]
        shares.append(held.share)
        assert held.rows == 100
    theory = betabinom(100, 16, 4)
    if values:
        assert np.mean(shares) == pytest.approx(theory.mean() / 100, abs=4 * theory.std() / 100 / 300**0.5)
        assert np.std(shares) == pytest.approx(theory.std() / 100, rel=0.15)
    else:
        assert np.mean(shares) >= theory.mean() / 100 - 4 * theory.std() / 100 / 300**0.5


@settings(max_examples=50)
@given(share=SHARES, held_out=st.integers(1, 400), rows=st.integers(1, 400))
def test_the_band_is_that_of_the_beta_binomial_distribution(share, held_out, rows):
    k = rank_of(share, held_out)
    if k > held_out:
        return
    expected = betabinom(rows, k, held_out + 1 - k).ppf([0.025, 0.975]) / rows
    np.testing.assert_allclose(band(share, held_out, rows), expected, atol=1.01 / rows)
    low, high = np.round(np.array(band(share, held_out, rows)) * rows)
    of = betabinom(rows, k, held_out + 1 - k)
    assert of.cdf(low - 1) < 0.025 + 1e-9
    assert of.cdf(high) >= 0.975 - 1e-9


def test_the_band_of_many_rows():
    normal = 0.9 + np.array([-1.96, 1.96]) * np.sqrt(0.09 * (1 / 50_000 + 1 / 20_000))
    np.testing.assert_allclose(band(0.9, 20_000, 50_000), normal, atol=1e-4)


@given(share=SHARES, held_out=st.integers(1, 2000))
def test_the_rows_that_a_share_needs_are_the_fewest_with_a_threshold(share, held_out):
    exact = Fraction(str(share))
    assert rank_of(share, held_out) - 1 < (held_out + 1) * exact <= rank_of(share, held_out)
    assert (
        (rank_of(share, held_out) <= held_out) == (held_out >= rows_needed(share)) == (held_out * (1 - exact) >= exact)
    )


def taking_its_place(share, loss, target, threshold, held_out):
    """Return what finds regions for a target, as if it were fitted."""
    coverage = Coverage(share, loss)
    coverage._take_place("coverage", target, np.dtype(np.float64))
    for state, value in (("threshold", threshold), ("held_out", held_out), ("fitted", 1)):
        getattr(coverage, state).value = np.array(value, float)
    return coverage


def test_what_is_found_for_each_value_and_for_each_group_of_rows():
    coverage = taking_its_place(0.75, MeanSquaredError(), Values((2,)), [1.0, 20.0], 19)
    p = np.array([[0.0, 0], [10, 100], [20, 200], [30, 300]])
    t = p + np.array([[0.5, 20], [-1, 21], [1.5, 0], [-2, -30]])  # the ends of an interval belong to it
    groups = {"old": np.array([1, 2, 3]), "none": np.array([], int), "new": np.array([0])}
    found = coverage.found(p, t, ["price", "size"], "", groups)
    assert (found.promised, found.held_out, found.doubt, found.are_sets) == (0.75, 19, "", False)
    theory = band(0.75, 19, 4)
    assert found.of == [
        ("price", 4, 0.5, 2.0, theory),
        ("size", 4, 0.5, 40.0, theory),
        ("price, old", 3, 1 / 3, 2.0, None),
        ("size, old", 3, 1 / 3, 40.0, None),
        ("price, new", 1, 1.0, 2.0, None),
        ("size, new", 1, 1.0, 40.0, None),
    ]
    only = taking_its_place(0.75, MeanSquaredError(), Values((1,)), [1.0], 19)
    assert only.found(p[:, :1], t[:, :1], ["price"], "", {}).of == [("all rows", 4, 0.5, 2.0, theory)]
    doubted = coverage.found(p, t, ["price", "size"], "split by time", {})
    assert (doubted.doubt, [each.theory for each in doubted.of]) == ("split by time", [None, None])


@pytest.mark.parametrize("one_hot", [False, True])
def test_what_is_found_for_each_class(one_hot):
    coverage = taking_its_place(0.25, SoftmaxWithLoss(), Classes(3, one_hot), 0.6, 11)
    p = np.array([[0.5, 0.3, 0.2], [0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.25, 0.4, 0.35], [0.6, 0.25, 0.15]])
    t = np.array([1, 1, 2, 2, 2])
    found = coverage.found(p, np.eye(3)[t] if one_hot else t, ["a", "b", "c"], "", {"few": np.array([3, 4])})
    # the sets are {a, b}, {a}, {c}, {b, c} and {a, b}, as 0.6 is not above the threshold
    assert found.are_sets
    assert found.of == [
        ("all rows", 5, 3 / 5, pytest.approx(8 / 5), band(0.25, 11, 5)),
        ("b", 2, 1 / 2, 3 / 2, None),
        ("c", 3, 2 / 3, pytest.approx(5 / 3), None),
        ("few", 2, 1 / 2, 2.0, None),
    ]
    coverage.threshold.value = np.array(0.0)  # a network that is right more often than promised
    low, high = coverage.found(p, t, ["a", "b", "c"], "", {}).of[0].theory
    assert (low, high) == (band(0.25, 11, 5)[0], 1)
    assert band(0.25, 11, 5)[1] < 1
    coverage.fitted.value[...] = 0
    coverage.fit(p, t, np.ones(5))
    assert coverage.threshold.value == pytest.approx(0.4)  # the second of 0, 0.4, 0.5, 0.7 and 0.85
    assert (coverage.held_out.value, coverage.is_fitted) == (5, True)


def test_a_model_has_regions_of_its_own_kind_alone():
    t = X[:, 0]
    with pytest.raises(
        UsageError, match=r"real values of shape \(1,\), without a set of classes; use predict_interval"
    ):
        fitted(t, 1, "MeanSquaredError", predict="values").predict_set(X)
    with pytest.raises(UsageError, match="2 classes, without an interval; use predict_set"):
        fitted((t > 0).astype(int), 2, "SoftmaxWithLoss").predict_interval(X)
    with pytest.raises(UsageError, match=r"without an interval; train it with coverage: 0\.9"):
        fitted(t, 1, "MeanSquaredError", coverage=None, predict="values").predict_interval(X)


class Wide(Pinball):
    """Computes an interval that it doesn't predict."""

    def interval_prediction(self, prediction):
        return 2 * super().interval_prediction(prediction)


def test_only_an_interval_that_is_predicted_is_exported():
    def regions(loss):
        coverage = Coverage(0.8, loss)
        coverage._take_place("coverage", Values((1,)), np.dtype(np.float32))
        graph = Graph(np.dtype(np.float32))
        coverage.threshold.value = np.array([0.5], np.float32)
        outputs = coverage.onnx_regions(graph, graph.feed("p", "float32", (3,)))
        p = np.array([[1, 2, 4], [5, 6, 9]], np.float32)
        found = evaluate(graph, {"p": p})
        return [found[outputs[end].name].tolist() for end in ("low", "high")]

    quantiles = [0.1, 0.5, 0.9]
    assert regions(Pinball(quantiles=quantiles)) == [[[0.5], [4.5]], [[4.5], [9.5]]]
    message = "Wide computes its interval, and only one that it predicts can be exported; leave out coverage"
    with pytest.raises(NotExportableError, match=f"^{message}$"):
        regions(Wide(quantiles=quantiles))
