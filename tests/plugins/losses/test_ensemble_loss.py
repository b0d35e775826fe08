"""The loss of an ensemble inside a network."""

from __future__ import annotations

import numpy as np
import pytest

import mlpkit
from mlpkit import Classes, Sequential, ShapeError, Values
from mlpkit.components.target import ValuesScaling
from mlpkit.errors import WrongUseError
from mlpkit.network.shape_proof import StackError
from mlpkit.testing import standalone
from mlpkit_plugins.layers.ensemble_affine import EnsembleAffine
from mlpkit_plugins.layers.ensemble_view import EnsembleView
from mlpkit_plugins.losses.ensemble_loss import EnsembleLoss
from mlpkit_plugins.losses.huber import Huber
from mlpkit_plugins.losses.mean_squared_error import MeanSquaredError
from mlpkit_plugins.losses.poisson import Poisson
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

ROWS, MEMBERS, CLASSES = 5, 3, 4
WEIGHTS = np.array([1.0, 0, 2, 0.5, 3])
CASES = {
    "classes": (SoftmaxWithLoss, Classes(CLASSES)),
    "weighted classes": (lambda: SoftmaxWithLoss(class_weights=[1.0, 2, 0, 3]), Classes(CLASSES)),
    "one-hot": (SoftmaxWithLoss, Classes(CLASSES, one_hot=True)),
    "values": (MeanSquaredError, Values((CLASSES,))),
}


def targets(target):
    rng = np.random.default_rng(1)
    if isinstance(target, Values):
        return rng.normal(size=(ROWS, CLASSES))
    labels = rng.integers(0, CLASSES, ROWS)
    return np.eye(CLASSES)[labels] if target.one_hot else labels


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "with weights"])
@pytest.mark.parametrize("case", CASES)
def test_is_the_mean_of_the_members_losses_and_predictions(case, weights):
    make, target = CASES[case]
    loss = standalone(EnsembleLoss(make()), (MEMBERS, CLASSES), target=target)
    x, t = np.random.default_rng(0).normal(size=(ROWS, MEMBERS, CLASSES)), targets(target)
    value, dx = loss.forward(x, t, weights), loss.backward().copy()
    single = standalone(make(), (CLASSES,), target=target)
    values, predictions = [], []
    for k in range(MEMBERS):
        member = x[:, k].copy()
        values.append(single.forward(member, t, weights))
        np.testing.assert_allclose(dx[:, k], single.backward() / MEMBERS, rtol=1e-12, atol=1e-15)
        predictions.append(single.predict(member).copy())
    assert value == pytest.approx(np.mean(values), rel=1e-12)
    np.testing.assert_allclose(loss.predict(x), np.mean(predictions, axis=0), rtol=1e-12)
    assert loss.weight(t, weights) == single.weight(t, weights)


def test_says_of_itself_what_the_loss_does():
    values, counts = EnsembleLoss(MeanSquaredError()), EnsembleLoss(Poisson())
    assert (values.compares_values, values.unit) == (True, "{target}²")
    assert (counts.compares_values, counts.takes_negative_values) == (False, False)


def test_asks_for_as_many_units_as_a_member_needs():
    assert EnsembleLoss(SoftmaxWithLoss()).expected_inputs(Classes(CLASSES)) == (1, CLASSES)
    assert EnsembleLoss(SoftmaxWithLoss()).expected_inputs(Values((2,))) is None


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "with weights"])
def test_has_the_best_constant_of_the_loss_for_each_member_if_there_is_one(weights):
    t = np.random.default_rng(2).normal(size=(ROWS, CLASSES))
    of_loss, none = (
        standalone(EnsembleLoss(make()), (MEMBERS, CLASSES), target=Values((CLASSES,)))
        for make in (MeanSquaredError, Huber)
    )
    expected = np.average(t, axis=0, weights=weights)
    np.testing.assert_allclose(of_loss.best_constant(t, weights), [expected] * MEMBERS)
    assert none.best_constant(t, weights) is None


def test_the_exponential_is_that_of_the_loss():
    class Halved(Poisson):
        def exp(self, x, out):
            return np.divide(np.exp(x), 2, out=out)

    x = np.array([0.5, 3.0])
    np.testing.assert_array_equal(EnsembleLoss(Halved()).exp(x, np.empty(2)), np.exp(x) / 2)


def test_predicts_scaled_values_in_their_own_unit():
    def network(scaling):
        stack = [EnsembleView(MEMBERS), EnsembleAffine(1), EnsembleLoss(MeanSquaredError())]
        return Sequential(stack, (2,), target=Values((1,), scaling), dtype="float64")

    x = np.random.default_rng(0).normal(size=(ROWS, 2))
    plain, logarithms = network(None), network(ValuesScaling((5.0,), (2.0,), log=True))
    members = plain.replicas[0].forward(x).copy()
    np.testing.assert_allclose(logarithms.predict(x), np.exp(5 + 2 * members).mean(axis=1), rtol=1e-12)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (
            (MEMBERS, 2),
            "EnsembleLoss1.SoftmaxWithLoss1 gets 2 logits for 4 classes; expected inputs of shape (4,), one logit per "
            "class; give the last layer before it 4 units",
        ),
        (
            (CLASSES,),
            "EnsembleLoss1 gets inputs of shape (4,), without an axis of members; expected inputs of shape "
            "(members, ...); put EnsembleView before the members' layers",
        ),
    ],
)
def test_refuses_other_shapes(shape, message):
    with pytest.raises(StackError) as refused:
        standalone(EnsembleLoss(SoftmaxWithLoss()), shape, target=Classes(CLASSES))
    assert isinstance(refused.value.cause, ShapeError)
    assert str(refused.value.cause) == message


class WithoutWeights(MeanSquaredError):  # noqa: N818 - a loss, not an exception
    """Takes no weights of examples."""

    takes_weights = False


def test_takes_weights_if_the_loss_does():
    network = Sequential([EnsembleView(MEMBERS), EnsembleAffine(1), EnsembleLoss(WithoutWeights())], (2,))
    with pytest.raises(WrongUseError, match="doesn't take weights of examples; use another loss"):
        network.evaluate(np.zeros((ROWS, 2)), np.zeros((ROWS, 1)), weights=WEIGHTS)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "with weights"])
@pytest.mark.parametrize("case", CASES)
def test_the_loss_of_a_prediction_is_that_of_one_member_at_it(case, weights):
    make, target = CASES[case]
    loss = standalone(EnsembleLoss(make()), (MEMBERS, CLASSES), target=target)
    single = standalone(make(), (CLASSES,), target=target)
    x, t = np.random.default_rng(0).normal(size=(ROWS, CLASSES)), targets(target)
    expected = single.forward(x, t, weights)
    assert loss.prediction_loss(single.predict(x), t, weights) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("loss", "units", "target"),
    [
        ("SoftmaxWithLoss", 2, "classes"),
        ("SigmoidWithLoss", 1, "classes"),
        ("Ordinal", 1, "classes"),
        ("MeanSquaredError", 1, "values"),
    ],
)
def test_the_loss_of_one_member_and_an_affine_for_one_say_what_is_for_all(loss, units, target):
    x = np.random.default_rng(0).normal(size=(8, 3))
    t = np.arange(8) % 2 if target == "classes" else x[:, 0]
    view, affine = {"EnsembleView": {"members": 4}}, {"units": units}
    options = {"optimizer": "sgd", "iterations": 1, "quiet": True}
    members = [view, {"EnsembleAffine": affine}]
    with pytest.raises(mlpkit.MlpkitError, match="; for members of an ensemble, put the loss into EnsembleLoss"):
        mlpkit.fit(x, t, layers=[*members, loss], **options)
    whole = {"EnsembleLoss": {"loss": loss}}
    with pytest.raises(mlpkit.MlpkitError, match="for members of an ensemble, use EnsembleAffine or BatchE"):
        mlpkit.fit(x, t, layers=[view, {"Affine": affine}, whole], **options)
    mlpkit.fit(x, t, layers=[*members, whole], **options)
