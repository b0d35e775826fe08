"""What a network is given in Python, checked."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import ComponentFailure, Dataset, MlpkitError, Sequential, ShapeError, UsageError
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss


def network(input_shape=(4,), **options):
    return Sequential([Affine(3), SoftmaxWithLoss()], input_shape, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": "int32"}, "a network can't compute in 'int32'; expected float32 or float64"),
        ({"dtype": "float"}, None),
        ({"dtype": np.float16}, "a network can't compute in <class 'numpy.float16'>; expected float32 or float64"),
        ({"dtype": "many"}, "a network can't compute in 'many'; expected float32 or float64"),
        ({"input_shape": 784}, "the input shape 784 is not the shape of an example; expected one such as (784,)"),
        ({"input_shape": (0,)}, "the input shape (0,) is not the shape of an example; expected one such as (784,)"),
        ({"input_shape": ("4",)}, "the input shape ('4',) is not the shape of an example; expected one such as (784,)"),
        ({"input_shape": [4]}, None),
        ({"input_shape": (np.int64(4),)}, None),
        ({"names": ["a"]}, "1 name can't name 2 members of the stack; expected as many"),
        ({"names": ["a", "a"]}, "two members of the stack are called 'a'; expected different names"),
        ({"names": ["a.b", "c"]}, "'a.b' can't be a layer's name; expected a string without dots"),
        ({"names": ["", "c"]}, "'' can't be a layer's name; expected a string without dots"),
        ({"names": ["a", "b"]}, None),
        ({"slices": 0}, "a minibatch can't be cut into 0 slices; expected at least 1"),
        ({"slices": 7}, None),
        ({"seed": -1}, "-1 can't be a network's seed; expected an integer, at least 0"),
        ({"seed": 0.5}, "0.5 can't be a network's seed; expected an integer, at least 0"),
        ({"seed": True}, "True can't be a network's seed; expected an integer, at least 0"),
        ({"seed": None}, "None can't be a network's seed; expected an integer, at least 0"),
        ({"seed": 10**30}, None),
    ],
)
def test_what_a_network_is_built_from(options, message):
    if message is None:
        assert network(**options).predict([[1, 2, 3, 4]]).shape == (1, 3)
        return
    with pytest.raises(UsageError) as caught:
        network(**options)
    assert str(caught.value) == message


def test_a_seed_may_be_an_integer_of_numpy():
    x = np.ones((2, 4))
    assert network(seed=np.int64(3)).predict(x).tobytes() == network(seed=3).predict(x).tobytes()


X, T = np.ones((2, 4)), np.array([0, 1])


@pytest.mark.parametrize("call", ["loss", "gradient", "accuracy", "evaluate"])
@pytest.mark.parametrize(
    ("x", "t", "error", "message"),
    [
        (np.ones(4), T, ShapeError, "the network can't take inputs of shape (4,); expected (rows, 4)"),
        (np.ones((2, 5)), T, ShapeError, "the network can't take inputs of shape (2, 5); expected (rows, 4)"),
        (1.0, T, ShapeError, "the network can't take inputs of shape (); expected (rows, 4)"),
        (np.ones((0, 4)), T[:0], UsageError, "no rows are given; expected at least one"),
        ([["a"] * 4], T[:1], UsageError, "the inputs are an array of <U1; expected numbers"),
        ([[1j] * 4], T[:1], UsageError, "the inputs are an array of complex128; expected numbers"),
        ([[1, 2, 3, None]], T[:1], UsageError, "the inputs are an array of object; expected numbers"),
        (X, T[:1], ShapeError, "targets of shape (1,) don't fit 2 rows; expected (2, ...)"),
        (X, 1, ShapeError, "targets of shape () don't fit 2 rows; expected (2, ...)"),
        (X, ["a", "b"], UsageError, "the targets are an array of <U1; expected numbers"),
        (X, [0, 3], UsageError, "SoftmaxWithLoss1 got the label 3; expected class numbers from 0 to 2"),
    ],
)
def test_what_a_network_is_called_with(call, x, t, error, message):
    with pytest.raises(error) as caught:
        getattr(network(), call)(x, t)
    assert str(caught.value) == message


def test_rows_of_unlike_lengths_are_no_array():
    with pytest.raises(UsageError, match=r"^the inputs are not numeric: "):
        network().predict([[1, 2, 3, 4], [1, 2]])


def test_inputs_may_be_anything_that_makes_an_array_of_numbers():
    expected = network(dtype="float64").predict(np.arange(8.0).reshape(2, 4))
    for x in (
        [[0, 1, 2, 3], [4, 5, 6, 7]],
        np.arange(8, dtype=np.uint8).reshape(2, 4),
        np.asfortranarray(np.arange(8, dtype=np.float16).reshape(2, 4)),
    ):
        np.testing.assert_array_equal(network(dtype="float64").predict(x), expected)


def test_predictions_are_checked_too():
    with pytest.raises(MlpkitError, match=r"can't take inputs of shape \(2, 5\)"):
        network().predict(np.ones((2, 5)))


class Doubting(Dataset):
    """Takes all inputs for raw ones, or fails if there are several."""

    def describe(self):
        raise NotImplementedError

    def open(self, seed):
        raise NotImplementedError

    def why_perhaps_not_encoded(self, inputs):
        return {1: "they are large"}[len(inputs)]


def test_a_doubt_about_inputs_is_a_warning_where_they_are_given():
    made = network()
    made.encoder = Doubting()
    with pytest.warns(UserWarning, match="^the inputs don't look encoded as in training: they are large; a ") as caught:
        made.predict(X[:1])
    assert caught[0].filename == __file__
    with pytest.raises(ComponentFailure, match=r"^dataset Doubting failed in why_perhaps_not_encoded: KeyError: 2$"):
        made.predict(X)
