"""The negative log-likelihood of ordered classes, by thresholds on a score."""

from __future__ import annotations

import numpy as np
import pytest

import mlpkit
from mlpkit import Classes, ShapeError, TargetError, UsageError, Values
from mlpkit.network.shape_proof import StackError
from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.losses.ordinal import Ordinal

SCORES = np.random.default_rng(0).normal(scale=2, size=(40, 1))
GRADES = np.random.default_rng(1).integers(0, 4, 40)


def loss_of(thresholds=None, classes=4):
    loss = standalone(Ordinal(), (1,), target=Classes(classes))
    if thresholds is not None:
        loss.theta.value[...] = np.append(thresholds[:1], np.log(np.diff(thresholds)))
    return loss


def probabilities(x, thresholds):
    """Return the differences of the cumulative probabilities, as the paper has them."""
    below = 1 / (1 + np.exp(x - np.array(thresholds)))
    return np.diff(np.concatenate([np.zeros_like(x), below, np.ones_like(x)], axis=1), axis=1)


def test_probabilities_are_differences_of_cumulative_ones():
    thresholds = [-1.0, 0.2, 1.5]
    p = loss_of(thresholds).predict(SCORES)
    np.testing.assert_allclose(p, probabilities(SCORES, thresholds), rtol=1e-12)
    np.testing.assert_allclose(p.sum(axis=1), 1)


def test_is_the_mean_of_their_negative_logarithms():
    thresholds, weights = [-1.0, 0.2, 1.5], np.random.default_rng(2).uniform(0, 2, 40)
    losses = -np.log(probabilities(SCORES, thresholds)[np.arange(40), GRADES])
    loss = loss_of(thresholds)
    assert loss.forward(SCORES, GRADES) == pytest.approx(losses.mean(), rel=1e-12)
    assert loss.forward(SCORES, np.eye(4)[GRADES]) == pytest.approx(losses.mean(), rel=1e-12)
    assert loss.forward(SCORES, GRADES, weights) == pytest.approx(np.average(losses, weights=weights), rel=1e-12)


def test_keeps_its_digits_far_from_the_thresholds():
    loss = loss_of([-1.0, 0.0, 1e-9])
    x = np.array([[-900.0], [900.0]])
    assert loss.forward(x[:1], np.array([3])) == pytest.approx(900 + 1e-9, rel=1e-12)
    assert loss.forward(x[1:], np.array([1])) == pytest.approx(900 - np.log(1 - np.exp(-1)), rel=1e-12)
    assert loss.forward(np.zeros((1, 1)), np.array([2])) == pytest.approx(-np.log(1e-9 / 4), rel=1e-6)


def test_first_thresholds_make_all_classes_equally_likely():
    np.testing.assert_allclose(loss_of(classes=7).predict(np.zeros((1, 1))), np.full((1, 7), 1 / 7))


@pytest.mark.parametrize(
    ("shape", "target", "error", "said"),
    [
        ((1,), Values((1,)), TargetError, "the data gives real values of shape (1,)"),
        ((1,), Classes(3, ordered=False), TargetError, "in the parameter classes of csv, parquet or mlpkit.fit"),
        ((3,), Classes(3), ShapeError, "give the last layer before it 1 unit"),
        ((1,), None, ShapeError, "name it, as in Sequential(..., target=Classes(5))"),
    ],
)
def test_refuses_what_has_no_order(shape, target, error, said):
    with pytest.raises(StackError) as caught:
        standalone(Ordinal(), shape, target=target)
    assert type(caught.value.cause) is error
    assert said in str(caught.value.cause)


def test_takes_one_score_of_classes_and_nothing_else():
    assert Ordinal().expected_inputs(Classes(5)) == (1,)
    assert Ordinal().expected_inputs(Values((1,))) is None


@pytest.mark.parametrize(
    ("t", "message"),
    [
        ([0, 4], "Ordinal1 got the label 4; expected class numbers from 0 to 3"),
        ([-1, 0], "Ordinal1 got the label -1; expected class numbers from 0 to 3"),
        ([[1, 0, 0, 0], [0, 1, 1, 0]], "Ordinal1 got a target row whose sum is not 1; expected one-hot rows"),
    ],
)
def test_refuses_other_targets(t, message):
    with pytest.raises(UsageError) as caught:
        loss_of().forward(SCORES[:2], np.array(t))
    assert str(caught.value) == message


def test_thresholds_never_decay():
    assert (loss_of().theta.shape, loss_of().theta.decay) == ((3,), False)


def fitted(t, **options):
    return mlpkit.fit(
        SCORES, t, layers=[{"Affine": {"units": "auto"}}, "Ordinal"], optimizer="adam", epochs=1, quiet=True, **options
    )


def test_a_network_learns_the_order_of_classes_that_are_listed():
    order = ["low", "middle", "high"]
    t = [order[k] for k in np.digitize(SCORES[:, 0], [-1, 1])]
    run = mlpkit.fit(
        SCORES,
        t,
        classes=order,
        layers=[{"Affine": {"units": "auto"}}, "Ordinal"],
        optimizer={"adam": {"learning_rate": 0.1}},
        epochs=60,
        quiet=True,
    )
    assert np.mean(run.model.predict(SCORES) == t) > 0.9
    assert run.model.predict_proba(SCORES).shape == (40, 3)
    assert run.network.parameters["Ordinal1.theta"].shape == (2,)


def test_texts_have_no_order_of_their_own():
    with pytest.raises(mlpkit.MlpkitError, match=r"lowest first, as in classes: \[low, middle, high\]"):
        fitted(["low", "high"] * 20)


def test_numbers_are_in_their_order():
    assert fitted(GRADES * 10).model.classes == (0, 10, 20, 30)


def test_the_loss_of_a_mean_of_probabilities_is_that_of_no_score():
    thresholds, weights = [-1.0, 0.2, 1.5], np.random.default_rng(2).uniform(0, 2, 40)
    mean = (probabilities(SCORES, thresholds) + probabilities(SCORES[::-1], [-2.0, 0.0, 0.1])) / 2
    losses = -np.log(mean[np.arange(40), GRADES])
    loss = loss_of(thresholds)
    assert loss.prediction_loss(mean, GRADES) == pytest.approx(losses.mean(), rel=1e-12)
    assert loss.prediction_loss(mean, np.eye(4)[GRADES]) == pytest.approx(losses.mean(), rel=1e-12)
    found = loss.prediction_loss(mean, GRADES, weights)
    assert found == pytest.approx(np.average(losses, weights=weights), rel=1e-12)
    assert loss.prediction_loss(loss.predict(SCORES).copy(), GRADES) == pytest.approx(loss.forward(SCORES, GRADES))
    assert np.isfinite(loss.prediction_loss(np.eye(4)[(GRADES + 1) % 4], GRADES))


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_gradients_are_those_of_central_differences(classes):
    t = np.arange(12) % classes
    check_gradients(Ordinal(), (1,), x=SCORES[:12], t=t, target=Classes(classes))
