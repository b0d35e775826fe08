"""Checks of layers and losses: shapes, dtypes, inputs, and independence of examples and modes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit.components.layer import Layer
from mlpkit.testing.suite.check import CheckFailure, checks_examples
from mlpkit.testing.suite.comparison import expect_close, expect_same_bits
from mlpkit.testing.suite.examples.operation import INPUT_GRADIENT, OUTPUTS, Batch

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mlpkit.testing.suite.comparison import Arrays
    from mlpkit.testing.suite.examples.layer import LayerExample
    from mlpkit.testing.suite.examples.operation import OperationExample


@checks_examples("layer")
def outputs_have_the_declared_shape(example: LayerExample) -> None:
    """Does ``forward`` return the shape that ``build`` declared, for minibatches of 1 and of 7 rows?

    The next layers were built for that shape, and the last minibatch of an epoch may have any size.
    """
    for rows in (1, 7):
        y = example.forward(example.ready(), example.batch(rows))
        expected = (rows, *example.output_shape)
        if not isinstance(y, np.ndarray) or y.shape != expected:
            found = f"an array of shape {y.shape}" if isinstance(y, np.ndarray) else type(y).__name__
            raise CheckFailure(
                f"forward returned {found} for {rows} rows",
                expected=f"shape {expected}, as build declared",
                remedy="return from build the shape of one example's outputs, without the batch axis",
            )


@checks_examples("layer")
def takes_an_empty_minibatch(example: LayerExample) -> None:
    """Can a minibatch without rows go forward and backward?

    A slice may be empty, and so may the rows that a filter leaves.
    """
    layer, batch = example.ready(), example.batch(0)
    y = np.asarray(example.forward(layer, batch))
    dx = np.asarray(example.backward(layer, batch))
    for what, shape, expected in (("forward", y.shape, example.output_shape), ("backward", dx.shape, example.shape)):
        if shape != (0, *expected):
            raise CheckFailure(
                f"{what} returned shape {shape} for a minibatch without rows", expected=f"shape {(0, *expected)}"
            )


@checks_examples("layer", "loss")
def input_gradient_has_the_inputs_shape(example: OperationExample) -> None:
    """Is what ``backward`` returns a writable array of the inputs' shape, for minibatches of 1 and of 7 rows?

    It is the dy of the layer before, which may overwrite it.
    """
    for rows in (1, 7):
        operation, batch = example.ready(), example.batch(rows)
        example.forward(operation, batch)
        dx = example.backward(operation, batch)
        if not isinstance(dx, np.ndarray) or dx.shape != batch.x.shape:
            found = f"an array of shape {dx.shape}" if isinstance(dx, np.ndarray) else type(dx).__name__
            raise CheckFailure(f"backward returned {found}", expected=f"shape {batch.x.shape}, as the inputs have")
        if not dx.flags.writeable:
            raise CheckFailure(
                "backward returned a read-only array", expected="one that can be written", remedy="return a copy"
            )


@checks_examples("layer", "loss")
def float32_stays_float32(example: OperationExample) -> None:
    """In a float32 network, are all results float32?

    One float64 array makes everything after it twice as slow, and NumPy makes one easily: ``np.sqrt(2.0) * x`` is one,
    ``math.sqrt(2.0) * x`` is not.
    """
    _expect_dtype(example, "float32", "look for NumPy's own numbers and for arrays made without a dtype")


@checks_examples("layer", "loss")
def float64_stays_float64(example: OperationExample) -> None:
    """In a float64 network, are all results float64?

    A float64 network needs the digits, and gradients can't be checked without them.
    """
    _expect_dtype(example, "float64", "make arrays with dtype=self.dtype, not float32")


def _expect_dtype(example: OperationExample, dtype: str, remedy: str) -> None:
    operation, batch = example.ready(dtype), example.batch(dtype=dtype)
    outputs = example.forward(operation, batch)
    found = {"backward": example.backward(operation, batch)}
    if isinstance(operation, Layer):
        found["forward"] = outputs
    for method, array in found.items():
        if np.asarray(array).dtype != dtype:
            raise CheckFailure(
                f"{method} returned {np.asarray(array).dtype} for {dtype} inputs", expected=dtype, remedy=remedy
            )


KEPT = slice(2, 4)
"""The rows that stay as they are while the others change."""


@checks_examples("layer", "loss")
def examples_do_not_affect_each_other(example: OperationExample) -> None:
    """In training, does each row of the outputs depend on its own row of the inputs alone?

    Minibatches are cut into slices. If that changes what the layer computes, the class must say so with
    ``couples_examples = True``.
    """
    operation, batch = example.ready(), example.batch()
    if type(operation).couples_examples:
        return
    others = example.batch(number=1)
    for array, kept in zip(others, batch, strict=True):
        array[KEPT] = kept[KEPT]
    found, expected = _kept_rows(example.run(operation, others)), _kept_rows(example.run(operation, batch))
    remedy = "compute each row from its own inputs, or set couples_examples = True in the class"
    expect_close(found, expected, "in the rows that stayed, when the other rows changed", remedy, tolerance=1e-9)


@checks_examples("layer")
def in_evaluation_examples_stand_alone(example: LayerExample) -> None:
    """In evaluation, does a row give the same alone and among others, up to rounding?

    A prediction must not depend on the other rows, even if rows are coupled in training.
    """
    layer, batch = example.ready(training=False), example.batch()
    together = np.array(example.forward(layer, batch))[KEPT]
    alone = np.array(example.forward(layer, Batch(batch.x[KEPT].copy(), batch.t[KEPT].copy())))
    remedy = "if self.training is false, use running statistics declared with self.state"
    expect_close({OUTPUTS: alone}, {OUTPUTS: together}, "for rows by themselves", remedy, tolerance=1e-6)


def _kept_rows(arrays: Arrays) -> Arrays:
    rows: dict[str, Any] = {what: arrays[what] for what in (OUTPUTS, INPUT_GRADIENT)}
    return {what: array[KEPT] for what, array in rows.items() if array.ndim}


LAYOUTS: Final[dict[str, Callable[[NDArray[Any]], NDArray[Any]]]] = {
    "columns in order": np.asfortranarray,
    "every other row of a larger array": lambda x: np.repeat(x, 2, axis=0)[::2],
    "rows backwards": lambda x: np.ascontiguousarray(x[::-1])[::-1],
    "part of a wider array": lambda x: np.pad(x, [(0, 0)] * (x.ndim - 1) + [(1, 2)])[..., 1:-2],
}
"""Memory layouts of the same values that a network may get."""


@checks_examples("layer", "loss")
def leaves_its_inputs_alone(example: OperationExample) -> None:
    """Are the inputs, and the targets of a loss, the same after ``forward`` and ``backward`` as before?

    They belong to the layer before, which keeps them for its own ``backward``, or to the data set.
    """
    operation, batch = example.ready(), example.batch()
    before = batch.copy()
    example.forward(operation, batch)
    _expect_unchanged("forward", batch, before)
    example.backward(operation, batch)
    _expect_unchanged("backward", batch, before)


@checks_examples("layer", "loss")
def works_on_read_only_inputs(example: OperationExample) -> None:
    """Do ``forward`` and ``backward`` work on inputs that can't be written?

    Data sets may hand out memory maps, which are read-only.
    """
    operation, batch = example.ready(), example.batch()
    for array in batch:
        array.flags.writeable = False
    try:
        example.run(operation, batch)
    except ValueError as error:
        raise CheckFailure(
            f"on inputs that are read-only: {error}", expected="no writing into them", remedy="write into a new array"
        ) from error


@checks_examples("layer", "loss")
def works_on_any_memory_layout(example: OperationExample) -> None:
    """Are the results the same for inputs that aren't contiguous, or in Fortran order?

    A minibatch may be a view of a larger array, and a layer may return a transposed one.
    """
    operation, batch = example.ready(), example.batch()
    expected = example.run(operation, batch)
    for layout, lay_out in LAYOUTS.items():
        given = Batch(lay_out(batch.x), lay_out(batch.t))
        found = example.run(operation, given)
        remedy = "don't reshape or view x and dy in place; np.ascontiguousarray makes a copy where one is needed"
        expect_close(found, expected, f"for inputs laid out as {layout}", remedy, tolerance=1e-9)


@checks_examples("layer")
def works_on_any_memory_layout_of_dy(example: OperationExample) -> None:
    """Are the results the same for a dy that isn't contiguous?

    It comes from the layer that follows, which may return a view.
    """
    operation, batch = example.ready(), example.batch()
    expected = example.run(operation, batch)
    for layout, lay_out in LAYOUTS.items():
        example.forward(operation, batch)
        dx = operation.backward(lay_out(batch.t.copy()))
        remedy = "np.ascontiguousarray makes a copy where one is needed"
        what = "what backward returns"
        when = f"for a dy laid out as {layout}"
        expect_close({what: dx}, {what: expected[what]}, when, remedy, tolerance=1e-9)


def _expect_unchanged(method: str, batch: Batch, before: Batch) -> None:
    for what, array, old in (("x", batch.x, before.x), ("its second argument", batch.t, before.t)):
        if array.tobytes() != old.tobytes():
            raise CheckFailure(
                f"{method} wrote into {what}",
                expected="inputs that are left unchanged",
                remedy="write into a new array",
            )


@checks_examples("layer")
def evaluation_changes_no_state(example: LayerExample) -> None:
    """Is all state the same after ``forward`` in evaluation as before?

    Evaluating more often must not change the training.
    """
    layer, batch = example.ready(training=False), example.batch()
    example.forward(layer, batch)
    before = {f"the state {state.path}": np.full(state.shape, state.initial) for state in layer.declared_states()}
    found = {f"the state {state.path}": state.value.copy() for state in layer.declared_states()}
    expect_same_bits(found, before, "in evaluation", "change state only if self.training is true")


@checks_examples("layer")
def evaluation_draws_no_random_numbers(example: LayerExample) -> None:
    """In evaluation, does ``forward`` give the same bits for any random numbers?

    A prediction must be the same each time.
    """
    layer, batch = example.ready(training=False), example.batch()
    first = np.array(example.forward(layer, batch))
    for each in layer.operations():
        each._position.step += 1
    found = np.array(example.forward(layer, batch))
    remedy = "use self.rng only if self.training is true"
    expect_same_bits({OUTPUTS: found}, {OUTPUTS: first}, "in evaluation, with other random numbers", remedy)
