"""Sigmoid and cross-entropy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import mlpkit
from mlpkit import Classes, Labels, ParameterError, Progress, Sequential, ShapeError, UsageError, Values
from mlpkit.testing import check_gradients, standalone
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.losses.sigmoid_with_loss import SigmoidWithLoss
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss
from mlpkit_plugins.schedules.flat_cosine import FlatCosine


def loss_of(labels, dtype="float64", target=None):
    return standalone(SigmoidWithLoss(), (labels,), target=target or Labels(labels), dtype=dtype)


@st.composite
def logits_and_labels(draw, largest):
    shape = draw(arrays.array_shapes(min_dims=2, max_dims=2, max_side=6))
    x = draw(arrays.arrays(np.float64, shape, elements=st.floats(-largest, largest)))
    return x, draw(arrays.arrays(np.float64, shape, elements=st.sampled_from([0.0, 0.25, 1.0])))


@settings(max_examples=60, deadline=None)
@given(logits_and_labels(20))
def test_gradients_are_those_of_central_differences(drawn):
    x, t = drawn
    check_gradients(SigmoidWithLoss(), x.shape[1:], x=x, t=t, target=Labels(x.shape[1]))


def test_is_the_formula():
    loss = loss_of(3)
    x, t = np.array([[1.0, -2, 3], [0, 0, 0]]), np.array([[1, 0, 0], [1, 1, 0]])
    p = 1 / (1 + np.exp(-x))
    assert loss.forward(x, t) == pytest.approx(-np.log(np.where(t, p, 1 - p)).mean(), rel=1e-14)
    np.testing.assert_allclose(loss.backward(), (p - t) / 6, rtol=1e-14, atol=1e-16)
    np.testing.assert_allclose(loss.predict(x), p, rtol=1e-14)


@pytest.mark.parametrize("kind", ["uint8", "int64", "bool"])
def test_two_classes_by_number_one_hot_and_as_one_label_agree(kind):
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(7, 1)), rng.integers(0, 2, 7)
    by_label = loss_of(1)
    expected, gradient = by_label.forward(x, t.reshape(7, 1)), by_label.backward().copy()
    for target, given_t in ((Classes(2), t.astype(kind)), (Classes(2, one_hot=True), np.eye(2)[t]), (None, t)):
        loss = standalone(SigmoidWithLoss(), (1,), target=target)
        assert loss.forward(x, given_t) == expected
        np.testing.assert_array_equal(loss.backward(), gradient)


def test_the_prediction_for_two_classes_is_the_probability_of_each():
    loss = loss_of(1, target=Classes(2))
    x = np.array([[0.0], [-50], [50]])
    small = np.exp(-50)
    np.testing.assert_allclose(loss.predict(x), [[0.5, 0.5], [1, small], [small, 1]], rtol=1e-14)
    np.testing.assert_allclose(loss_of(1).predict(x), [[0.5], [small], [1]], rtol=1e-14)
    network = Sequential([Affine(1), SigmoidWithLoss()], (1,), target=Classes(2))
    network.parameters["Affine1.W"][...] = 1
    assert network.accuracy([[-1], [1], [2], [3]], [0, 1, 1, 0]) == 0.75


@pytest.mark.parametrize("class_weights", [None, [0.5, 3]])
@pytest.mark.parametrize("weights", [None, np.random.default_rng(5).uniform(0, 2, 9)])
def test_smoothed_labels_of_two_classes_are_those_of_softmax(class_weights, weights):
    parameters = {"label_smoothing": 0.2, "class_weights": class_weights}
    ours = standalone(SigmoidWithLoss(**parameters), (1,), target=Classes(2))
    peer = standalone(SoftmaxWithLoss(**parameters), (2,), target=Classes(2))
    x, t = np.random.default_rng(0).normal(size=(9, 1)), np.arange(9) % 2
    logits = np.concatenate([np.zeros_like(x), x], axis=1)
    assert ours.forward(x, t, weights) == pytest.approx(peer.forward(logits, t, weights), rel=1e-12)
    np.testing.assert_allclose(ours.backward(0.5)[:, 0], peer.backward(0.5)[:, 1], rtol=1e-12)


def test_smoothed_labels_are_as_if_they_were_given():
    x, t = np.random.default_rng(0).normal(size=(6, 3)), np.random.default_rng(1).integers(0, 2, (6, 3))
    smoothed = standalone(SigmoidWithLoss(label_smoothing=0.1), (3,), target=Labels(3))
    expected = loss_of(3).forward(x, 0.9 * t + 0.05)
    assert smoothed.forward(x, t) == pytest.approx(expected, rel=1e-12)


def test_smoothing_may_be_scheduled():
    x, t = np.random.default_rng(0).normal(size=(6, 3)), np.random.default_rng(1).integers(0, 2, (6, 3))
    loss = standalone(SigmoidWithLoss(label_smoothing=FlatCosine(0.1)), (3,), target=Labels(3))
    at_first = loss.forward(x, t)
    loss._position.progress = Progress(step=10, epoch=1.0, total_steps=10)
    assert loss.forward(x, t) == pytest.approx(loss_of(3).forward(x, t), rel=1e-12)
    assert at_first == pytest.approx(loss_of(3).forward(x, 0.9 * t + 0.05), rel=1e-12)


def test_stays_finite_for_logits_of_any_size():
    x = np.array([[-1e38, -1e4, -100, 0, 1, 1e4, 1e38]], np.float32)
    loss = loss_of(7, "float32")
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        wrong = loss.forward(x, x < 0)
        assert np.isfinite(loss.backward()).all()
        right = loss.forward(x, x > 0)
        assert np.isfinite(loss.backward()).all()
        assert np.isfinite(loss.predict(x)).all()
    assert 1e37 < wrong < 1e38
    assert right == pytest.approx((np.log(2) + np.log1p(np.exp(-1))) / 7, rel=1e-6)


@pytest.mark.parametrize("sign", [-1, 1])
def test_small_losses_keep_their_digits(sign):
    loss = loss_of(1)
    assert loss.forward(np.array([[sign * 50.0]]), np.array([[sign > 0]])) == pytest.approx(np.exp(-50), rel=1e-13)


@pytest.mark.parametrize(
    ("target", "t", "error", "message"),
    [
        (Labels(1), [[2], [0]], UsageError, "got the label 2; expected numbers from 0 to 1"),
        (Labels(1), [[1], [3]], UsageError, "got the label 3; expected numbers from 0 to 1"),
        (Labels(1), [[0], [-1]], UsageError, "got the label -1; expected numbers from 0 to 1"),
        (Labels(1), [[np.nan], [0]], UsageError, "got the label nan; expected numbers from 0 to 1"),
        (
            Labels(1),
            [1, 0],
            ShapeError,
            "can't take targets of int64 of shape (2,); expected rows of zeros and ones of shape (2, 1)",
        ),
        (Classes(2), [0, 2], UsageError, "got the label 2; expected numbers from 0 to 1"),
        (Classes(2), [[1, 1], [0, 1]], UsageError, "got a target row whose sum is not 1; expected one-hot rows"),
        (
            Classes(2),
            [[0.0], [1.0]],
            ShapeError,
            "can't take targets of float64 of shape (2, 1); "
            "expected class numbers, integers of shape (2,), or one-hot rows of shape (2, 2)",
        ),
    ],
)
def test_targets_that_are_none_are_refused(target, t, error, message):
    with pytest.raises(error) as caught:
        loss_of(1, target=target).forward(np.zeros((2, 1)), np.asarray(t))
    assert str(caught.value) == f"SigmoidWithLoss1 {message}"


@pytest.mark.parametrize(
    ("target", "logits", "message"),
    [
        (
            Classes(3),
            3,
            "compares logits with labels or with two classes, but the data gives 3 classes; .*SoftmaxWithLoss",
        ),
        (
            Classes(2),
            2,
            r"gets 2 logits for 2 classes; expected inputs of shape \(1,\); give the last layer before it 1",
        ),
        (Labels(3), 2, r"gets 2 logits for 3 labels; expected inputs of shape \(3,\); give the last layer before it 3"),
        (Values((2,)), 2, "compares logits with labels or with two classes, but the data gives real values"),
    ],
)
def test_data_that_does_not_fit_is_refused(target, logits, message):
    with pytest.raises(ShapeError, match=message):
        SigmoidWithLoss().build((logits,), target)


def test_inputs_have_one_axis():
    with pytest.raises(ShapeError, match="put Flatten before it"):
        SigmoidWithLoss().build((3, 4), None)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), weights=st.lists(st.sampled_from([0.0, 0.5, 3.0]), min_size=2, max_size=2).filter(any))
def test_class_weights_are_those_of_softmax_with_a_logit_of_0(data, weights):
    rows = data.draw(st.integers(1, 6))
    x = data.draw(arrays.arrays(np.float64, (rows, 1), elements=st.floats(-20, 20)))
    t = data.draw(arrays.arrays(np.int64, rows, elements=st.integers(0, 1)))
    of_rows = data.draw(st.none() | arrays.arrays(np.float64, rows, elements=st.sampled_from([0.0, 1.0, 2.5])))
    given_weights = () if of_rows is None else (of_rows,)
    softmax = standalone(SoftmaxWithLoss(class_weights=weights), (2,), target=Classes(2))
    expected = softmax.forward(np.concatenate([np.zeros_like(x), x], axis=1), t, *given_weights)
    soft = np.eye(2)[t] * 0.5 + 0.25
    for target, labels in ((Classes(2), t), (Classes(2, one_hot=True), np.eye(2)[t])):
        loss = standalone(SigmoidWithLoss(class_weights=weights), (1,), target=target)
        assert loss.forward(x, labels, *given_weights) == pytest.approx(expected, rel=1e-12, abs=1e-15)
        np.testing.assert_allclose(loss.backward(0.5), softmax.backward(0.5)[:, 1:], rtol=1e-10, atol=1e-15)
        assert loss.weight(labels, *given_weights) == pytest.approx(softmax.weight(t, *given_weights))
        softmax.forward(np.concatenate([np.zeros_like(x), x], axis=1), t, *given_weights)
    expected = softmax.forward(np.concatenate([np.zeros_like(x), x], axis=1), soft, *given_weights)
    assert loss.forward(x, soft, *given_weights) == pytest.approx(expected, rel=1e-12, abs=1e-15)
    np.testing.assert_allclose(loss.backward(), softmax.backward()[:, 1:], rtol=1e-10, atol=1e-15)


def test_class_weights_stay_in_the_dtype_of_the_network():
    loss = standalone(SigmoidWithLoss(class_weights=[1, 3]), (1,), target=Classes(2), dtype="float32")
    loss.forward(np.ones((3, 1), np.float32), np.array([0, 1, 1], np.uint8))
    assert loss.backward().dtype == np.float32


def test_class_weights_are_for_two_classes():
    with pytest.raises(ParameterError) as caught:
        SigmoidWithLoss(class_weights=[0, 0])
    assert str(caught.value) == "class_weights: all weights are 0; expected a number greater than 0 among them"
    with pytest.raises(ShapeError, match="has 3 class weights for 2 classes; expected 2 numbers in class_weights"):
        SigmoidWithLoss(class_weights=[1, 2, 3]).build((1,), Classes(2))
    for labels, target in ((3, Labels(3)), (1, Labels(1)), (3, None)):
        with pytest.raises(ShapeError, match=f"weights, but compares {labels} labels; .*; leave out class_weights"):
            SigmoidWithLoss(class_weights=[1, 2]).build((labels,), target)


@pytest.mark.parametrize(("said", "expected"), [("balanced", [30 / 36, 30 / 24]), ({"yes": 4}, [1, 4])])
def test_class_weights_may_be_balanced_or_by_name(tmp_path, said, expected):
    rows = [f"{i},{'yes' if i % 5 > 2 else 'no'}" for i in range(30)]
    (tmp_path / "table.csv").write_text("\n".join(["a,kind", *rows]))
    spec = mlpkit.load_spec(
        {
            "mlpkit": 1,
            "data": {"csv": {"file": str(tmp_path / "table.csv"), "target": "kind", "validation": 0, "test": 0}},
            "layers": [{"Affine": {"units": "auto"}}, {"SigmoidWithLoss": {"class_weights": said}}],
            "training": {"optimizer": "sgd", "epochs": 1},
        }
    )
    assert mlpkit.build(spec).loss_layer.class_weights == pytest.approx(expected)
