"""What layers and losses share: declarations, scratch arrays, random numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from mlpkit import Fans, Layer, Loss, ShapeError
from mlpkit.components.operation import MOST_VIEWS
from mlpkit.components.randomness import RunPosition, keyed_generator
from mlpkit.components.schedule import START


class Same(Layer):
    """y = x."""

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


class Weighted(Same):
    """Declares one parameter and one state."""

    def build(self, input_shape):
        self.W = self.parameter("W", (*input_shape, 2), "zeros")
        self.mean = self.state("mean", input_shape, 0.5)
        return (2,)


class Composite(Same):
    """Holds layers."""

    def __init__(self):
        self.layers = [Weighted(), Same(), Weighted()]

    def build(self, input_shape):
        self.gain = self.parameter("gain", (), "zeros", decay=False)
        self.shapes = [self.child(layer, input_shape) for layer in self.layers]
        return input_shape


class Summed(Loss):
    """The sum."""

    def build(self, input_shape, target):
        pass

    def forward(self, x, t):
        return float(x.sum())

    def backward(self, dloss=1.0):
        raise NotImplementedError


def named(layer, path):
    layer.path = path
    return layer


def test_a_parameter_knows_its_name_shape_and_fans():
    layer = named(Same(), "Same1")
    declared = layer.parameter("W", (np.int64(3), 4, 5), "zeros")
    assert (declared.name, declared.path, declared.shape) == ("W", "Same1.W", (3, 4, 5))
    assert all(type(length) is int for length in declared.shape)
    assert (declared.initializer, declared.fans, declared.decay) == ("zeros", Fans(12, 5), True)
    assert layer.parameter("b", (5,), "zeros", decay=False).fans == Fans(1, 5)
    assert layer.parameter("gain", (), "zeros").fans == Fans(1, 1)
    assert layer.parameter("K", (3, 3, 2), "zeros", fans=(18, 9)).fans == Fans(18, 9)
    assert [parameter.path for parameter in layer.declared_parameters()] == [
        "Same1.W",
        "Same1.b",
        "Same1.gain",
        "Same1.K",
    ]
    assert [parameter.decay for parameter in layer.declared_parameters()] == [True, False, True, True]


def test_a_state_knows_its_name_shape_and_first_value():
    layer = named(Same(), "Norm1")
    declared = layer.state("mean", (3,), 1.5)
    assert (declared.name, declared.path, declared.shape, declared.initial) == ("mean", "Norm1.mean", (3,), 1.5)
    assert list(layer.declared_states()) == [declared]
    assert list(layer.declared_parameters()) == []


@pytest.mark.parametrize("second", ["parameter", "state", "child"])
@pytest.mark.parametrize("first", ["parameter", "state", "child"])
def test_no_name_is_declared_twice(first, second):
    layer = named(Same(), "Same1")

    def declare(what):
        if what == "child":
            layer.child(Same(), (2,))
        elif what == "state":
            layer.state("Same1", (2,), 0)
        else:
            layer.parameter("Same1", (2,), "zeros")

    declare(first)
    if first == second == "child":
        declare(second)  # children are numbered
        assert [operation.path for operation in layer.operations()] == ["Same1", "Same1.Same1", "Same1.Same2"]
    else:
        with pytest.raises(ValueError, match=r"^Same1 declares 'Same1' twice$"):
            declare(second)


@pytest.mark.parametrize("name", ["", "a.b"])
def test_names_are_not_empty_and_have_no_dots(name):
    with pytest.raises(ValueError, match=r"^Same declares '.*'; names must not be empty or contain dots$"):
        Same().parameter(name, (1,), "zeros")
    with pytest.raises(ValueError, match=r"^Same1 declares '"):
        named(Same(), "Same1").state(name, (1,), 0)


def test_children_are_named_after_type_and_ordinal():
    layer = named(Composite(), "Composite1")
    layer.dtype = np.dtype(np.float64)
    assert layer.build((3,)) == (3,)
    assert layer.shapes == [(2,), (3,), (2,)]
    assert [operation.path for operation in layer.operations()] == [
        "Composite1",
        "Composite1.Weighted1",
        "Composite1.Same1",
        "Composite1.Weighted2",
    ]
    assert [operation.dtype for operation in layer.operations()] == [np.float64] * 4
    assert [parameter.path for parameter in layer.declared_parameters()] == [
        "Composite1.gain",
        "Composite1.Weighted1.W",
        "Composite1.Weighted2.W",
    ]
    assert [state.path for state in layer.declared_states()] == [
        "Composite1.Weighted1.mean",
        "Composite1.Weighted2.mean",
    ]


def test_a_child_has_one_place():
    layer, child = named(Same(), "Same1"), Same()
    layer.child(child, (3,))
    with pytest.raises(
        ValueError, match=r"^Same1 takes Same1\.Same1 as a child, which is already part of a network; make a new layer$"
    ):
        layer.child(child, (3,))


def test_flops_are_six_for_each_weight_unless_a_layer_knows_better():
    layer = named(Composite(), "Composite1")
    layer.build((3,))
    assert layer.flops((3,)) == 6 * (1 + 6 + 6)
    assert Same().flops((3,)) == 0
    assert Summed().flops((3,)) == 0


def test_what_layers_and_losses_do_unless_they_say_otherwise():
    x, t = np.ones((3, 2)), np.zeros(3)
    assert Same().build((4, 5)) == (4, 5)
    assert Same.examples() == []
    assert Same.couples_examples is False
    loss = Summed()
    assert loss.predict(x) is x
    assert loss.weight(t) == 3.0
    assert type(loss.weight(t)) is float
    assert Summed.examples() == []


def test_a_rank_is_expected_with_a_remedy():
    assert Same().expect_rank((3,), 1) == (3,)
    with pytest.raises(ShapeError) as caught:
        named(Same(), "Same1").expect_rank((3, 4), 1, remedy="put Flatten before it")
    assert str(caught.value) == (
        "Same1 can't take inputs of shape (3, 4); expected a shape with 1 axis (the batch axis not counted); "
        "put Flatten before it"
    )
    with pytest.raises(ShapeError, match=r"^Same can't take inputs of shape \(\); expected a shape with 2 axes"):
        Same().expect_rank((), 2)


def address(array):
    return array.__array_interface__["data"][0]


def test_a_buffer_is_the_same_memory_at_each_call():
    layer = Same()
    first = layer.buffer("y", (4, 3))
    assert (first.shape, first.dtype) == ((4, 3), np.float32)
    assert layer.buffer("y", (4, 3)) is first
    assert address(layer.buffer("y", (2, 3))) == address(first)
    assert address(layer.buffer("y", (4, 3), np.float32)) == address(first)
    assert not np.shares_memory(first, layer.buffer("x", (4, 3)))
    assert not np.shares_memory(first, Same().buffer("y", (4, 3)))


def test_a_buffer_is_of_the_networks_dtype_unless_another_is_asked_for():
    layer = Same()
    layer.dtype = np.dtype(np.float64)
    assert layer.buffer("y", (2,)).dtype == np.float64
    assert layer.buffer("y", (2,), bool).dtype == bool
    assert layer.buffer("y", (2,), np.int64).dtype == np.int64


def test_a_buffer_that_grows_forgets_its_old_memory():
    layer = Same()
    small, other = layer.buffer("y", (2,)), layer.buffer("x", (2,))
    large = layer.buffer("y", (100,))
    assert not np.shares_memory(small, large)
    assert np.shares_memory(layer.buffer("y", (2,)), large)
    assert layer.buffer("x", (2,)) is other


@given(st.lists(st.tuples(array_shapes(min_dims=0, min_side=0), st.sampled_from([None, bool, "float64"])), max_size=8))
def test_a_buffer_has_the_shape_and_dtype_asked_for_whatever_came_before(requests):
    layer = Same()
    for shape, dtype in requests:
        array = layer.buffer("y", shape, dtype)
        assert array.shape == shape
        assert array.dtype == (dtype or np.float32)
        assert array.flags.c_contiguous
        assert array.flags.writeable
        array.fill(1)


def laid_out(shape, order, backwards):
    """Return an array whose axes, slowest first, are those in ``order``, some of them backwards."""
    in_memory = np.empty([shape[axis] for axis in order])[
        tuple(slice(None, None, -1 if back else 1) for back in backwards)
    ]
    return in_memory.transpose(np.argsort(order))


orders = st.permutations(range(4)).map(tuple)
directions = st.lists(st.booleans(), min_size=4, max_size=4)


@given(order=orders, backwards=directions, contiguous=st.sampled_from([None, True, False]))
def test_a_buffer_like_an_array_has_its_shape_and_its_order_in_memory(order, backwards, contiguous):
    layer = Same()
    x = laid_out((3, 4, 5, 512), order, backwards)
    array = layer.buffer("y", like=x, contiguous=contiguous)
    assert (array.shape, array.dtype) == (x.shape, np.float32)
    assert array.transpose(order).flags.c_contiguous
    assert layer.buffer("y", like=x, contiguous=contiguous) is array
    assert np.shares_memory(layer.buffer("y", x.shape), array)


@given(order=orders, backwards=directions)
def test_a_buffer_of_another_shape_takes_the_order_in_memory(order, backwards):
    array = Same().buffer("y", (7, 8, 9, 10), bool, like=laid_out((3, 4, 5, 6), order, backwards))
    assert (array.shape, array.dtype) == ((7, 8, 9, 10), bool)
    assert array.transpose(order).flags.c_contiguous


@pytest.mark.parametrize(("units", "stride"), [(511, 511), (512, 528), (1024, 1040)])
def test_only_a_matrix_that_need_not_be_contiguous_has_gaps_between_rows_that_would_compete(units, stride):
    layer, x = Same(), np.empty((3, units), np.float32)
    gapped = [layer.buffer("y", like=x), layer.buffer("y", x.shape, contiguous=False), layer.buffer("y", like=x.T).T]
    assert [(array.shape, array.strides) for array in gapped] == [(x.shape, (4 * stride, 4))] * 3
    dense = [layer.buffer("y", x.shape), layer.buffer("y", like=x, contiguous=True), layer.buffer("y", x.shape, bool)]
    assert all(array.flags.c_contiguous for array in dense)


def test_a_buffer_without_a_shape_is_an_error():
    with pytest.raises(TypeError, match=r"^buffer 'y' of Same has neither a shape nor an array to copy it from$"):
        Same().buffer("y")


def test_views_of_ever_new_shapes_do_not_pile_up():
    layer = Same()
    whole = layer.buffer("y", (10 * MOST_VIEWS,))
    for rows in range(1, 10 * MOST_VIEWS):
        assert np.shares_memory(layer.buffer("y", (rows,)), whole)
    assert len(layer._views) <= MOST_VIEWS


def test_random_numbers_are_keyed_by_seed_path_step_and_slice_and_restart_at_each_pass():
    layer = named(Same(), "Dropout1")
    layer._position = RunPosition(START, seed=5, slice=2, step=7, forwards=1)
    expected = keyed_generator(5, "layer", "Dropout1", 7, 2).random(4)
    assert layer.rng.random(2).tolist() == expected[:2].tolist()
    assert layer.rng.random(2).tolist() == expected[2:].tolist()
    layer._position.forwards += 1
    assert layer.rng.random(4).tolist() == expected.tolist()
    layer._position.forwards += 1
    layer._position.step = 8
    assert layer.rng.random(4).tolist() != expected.tolist()
