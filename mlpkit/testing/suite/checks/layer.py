"""Examples and checks of layers: ``build``, layers inside layers, outputs, and evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final

import numpy as np

from mlpkit.array import Array
from mlpkit.components.layer import Layer
from mlpkit.testing.outside_network import Projection
from mlpkit.testing.suite.check import check_close, check_same_bits, checks_examples, failing_with, require
from mlpkit.testing.suite.checks.operation import KEPT, OUTPUTS, Batch, OperationExample, built_or_refused


class LayerExample(OperationExample):
    """A layer on inputs of some shape."""

    @cached_property
    def output_shape(self) -> tuple[int, ...]:
        """The shape that the layer's ``build`` returns."""
        return self.proved().shapes[-1]

    def compute(self, operation: Layer, batch: Batch) -> Any:
        """Return y."""
        return operation.forward(batch.x)

    def infer(self, operation: Layer, x: Array) -> Any:
        """Return y."""
        return operation.forward(x)

    def backward(self, operation: Layer, batch: Batch) -> Any:
        """Return dx for a copy of dy."""
        return operation.backward(batch.t.copy())

    def _second(self, rows: int, rng: np.random.Generator, dtype: str) -> Array:
        return rng.normal(size=(rows, *self.output_shape)).astype(dtype)

    def _stack(self) -> list[Any]:
        return [self.make(), Projection()]


SHAPES: Final = ((), (1,), (5,), (2, 3), (1, 4, 4), (4, 4, 2), (2, 2, 2, 2))
"""Shapes of many kinds; a layer takes some of them and refuses the others."""


@checks_examples("layer")
def build_only_declares(example: LayerExample) -> None:
    """Does ``build`` leave the creation of arrays to the network, and make the same declarations each time?

    Shapes are checked before anything is allocated, so that ``mlpkit check`` is fast for networks of any size.
    """
    declared = []
    for _ in range(2):
        layer = example.make()
        before = _arrays(layer)
        shapes = example.proved(stack=[layer, Projection()]).shapes
        made = sorted(_arrays(layer) - before)
        require(
            not made,
            f"build made the array self.{', self.'.join(made)}",
            expected="declarations only",
            remedy="declare it with self.parameter or self.state, or make it in forward with self.buffer",
        )
        parameters = [(p.path, p.shape, p.decay) for p in layer.declared_parameters()]
        declared.append((shapes, parameters, [(s.path, s.shape) for s in layer.declared_states()]))
    happened = f"two layers with the same parameters declared {declared[0]} and {declared[1]}"
    expected = "the same declarations for the same parameters and input shape"
    require(declared[0] == declared[1], happened, expected=expected)


@checks_examples("layer")
def refuses_shapes_it_can_not_take(example: LayerExample) -> None:
    """Does ``build`` either refuse a shape with ``ShapeError`` or return the shape of the outputs of ``forward``?

    Shapes are checked before data is read; the error shows the line of the spec, and what would fit.
    """
    remedy = "begin build with self.expect_rank(input_shape, ...), or raise ShapeError"
    for shape in SHAPES:
        layer = built_or_refused(example, shape, None, remedy)
        if layer is not None:
            _require_works(example, layer, shape)


def _arrays(layer: Any) -> set[str]:
    own = {name: value for name, value in vars(layer).items() if not name.startswith("_")}
    return {name for name, value in own.items() if isinstance(value, np.ndarray) and value.size}


def _require_works(example: LayerExample, layer: Any, shape: tuple[int, ...]) -> None:
    declared = example.proved(shape).shapes[-1]
    x = example.random("shape", *shape).normal(size=(2, *shape))
    remedy = "let build raise ShapeError for shapes that the layer can't take"
    expected = "forward to work for every shape that build takes"
    with failing_with(f"build took inputs of shape {shape}, but forward raised", expected=expected, remedy=remedy):
        y = np.asarray(layer.forward(x))
    happened = f"build declared {declared} for inputs of shape {shape}, but forward returned {y.shape[1:]}"
    require(y.shape == (2, *declared), happened, expected="the declared shape", remedy=remedy)


@checks_examples("layer")
def layers_inside_are_declared(example: LayerExample) -> None:
    """Is every layer inside the layer declared with ``self.child``, so that its name begins with the outer layer's?

    Otherwise its parameters are neither trained nor saved, and errors can't locate it.
    """
    layer = example.ready()
    for operation in layer.operations():
        declared = {id(child) for child in operation._children.values()}
        for name, held in _layers_held_by(operation):
            require(
                id(held) in declared,
                f"self.{name} is a layer, {type(held).__name__}, that was not declared",
                expected="layers inside a layer to be its children",
                remedy="in build, call self.child(layer, input_shape) instead of layer.build(input_shape)",
            )


@checks_examples("layer")
def layers_inside_may_overwrite_dy(example: LayerExample) -> None:
    """Are the results the same if every layer inside overwrites its dy?

    A layer may overwrite its dy, so an outer layer that needs it afterwards keeps a copy.
    """
    layer, batch = example.ready(), example.batch()
    expected = example.run(layer, batch)
    for operation in list(layer.operations())[1:]:
        _overwrite_dy(operation)
    remedy = "pass dy.copy() to the layers inside if dy is needed again"
    check_same_bits(example.run(layer, batch), expected, "when a layer inside overwrote its dy", remedy)


def _layers_held_by(operation: Any) -> Iterator[tuple[str, Layer]]:
    for name, value in vars(operation).items():
        if name.startswith("_"):
            continue
        members = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
        yield from ((name, member) for member in members if isinstance(member, Layer))


def _overwrite_dy(layer: Any) -> None:
    """Make a layer overwrite its dy, with its dx in a new array."""
    backward = layer.backward

    def overwriting(dy: Array) -> Array:
        dx = np.array(backward(dy))
        dy[...] = np.nan
        return dx

    layer.backward = overwriting


@checks_examples("layer")
def outputs_have_the_declared_shape(example: LayerExample) -> None:
    """Does ``forward`` return the shape that ``build`` declared, for minibatches of 1 and of 7 rows, and of none?

    The next layers were built for that shape. The last minibatch of an epoch may have any size, and a slice may be
    empty, which also goes backward.
    """
    for rows in (1, 7, 0):
        layer, batch = example.ready(), example.batch(rows)
        y = example.forward(layer, batch)
        example.backward(layer, batch)
        found = f"an array of shape {y.shape}" if isinstance(y, np.ndarray) else type(y).__name__
        shape = (rows, *example.output_shape)
        require(
            isinstance(y, np.ndarray) and y.shape == shape,
            f"forward returned {found} for {rows} rows",
            expected=f"shape {shape}, as build declared",
            remedy="return from build the shape of one example's outputs, without the batch axis",
        )


@checks_examples("layer")
def in_evaluation_examples_stand_alone(example: LayerExample) -> None:
    """In evaluation, does a row give the same alone and among others, up to rounding?

    A prediction must not depend on the other rows, even if rows are coupled in training.
    """
    layer, batch = example.ready(training=False), example.batch()
    together = np.array(example.forward(layer, batch))[KEPT]
    alone = np.array(example.forward(layer, Batch(batch.x[KEPT].copy(), batch.t[KEPT].copy())))
    remedy = "if self.training is false, use running statistics declared with self.state"
    check_close({OUTPUTS: alone}, {OUTPUTS: together}, "for single rows", remedy, tolerance=1e-6)


@checks_examples("layer")
def evaluation_changes_no_state(example: LayerExample) -> None:
    """In evaluation, is all state unchanged, and does ``forward`` give the same bits for any random numbers?

    Evaluating more often must not change the training, and a prediction must be the same each time.
    """
    layer, batch = example.ready(training=False), example.batch()
    first = np.array(example.forward(layer, batch))
    before = {f"the state {state.path}": np.full(state.shape, state.initial) for state in layer.declared_states()}
    found = {f"the state {state.path}": state.value.copy() for state in layer.declared_states()}
    check_same_bits(found, before, "in evaluation", "change state only if self.training is true")
    for each in layer.operations():
        each._position.step += 1
    again = np.array(example.forward(layer, batch))
    remedy = "use self.rng only if self.training is true"
    check_same_bits({OUTPUTS: again}, {OUTPUTS: first}, "in evaluation, with other random numbers", remedy)
