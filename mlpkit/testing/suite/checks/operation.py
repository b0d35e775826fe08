"""The common base of examples of layers and losses, and checks of both: shapes, dtypes, inputs, independent rows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from mlpkit.array import Array
from mlpkit.components.graph import Graph
from mlpkit.components.layer import Layer
from mlpkit.components.operation import Operation, Shape, plan_of
from mlpkit.components.schema.component_types import default_names
from mlpkit.components.target import Target
from mlpkit.errors import MlpkitError, NotExportableError
from mlpkit.network.sequential import Sequential
from mlpkit.network.shape_proof import Proof, StackError, prove_shapes
from mlpkit.testing.outside_network import begin_pass, standalone
from mlpkit.testing.suite.check import (
    Arrays,
    CheckFailure,
    check_close,
    check_same_bits,
    checks_examples,
    described,
    evaluated,
    failing_with,
    require,
    unchanged,
)
from mlpkit.testing.suite.plugin_under_test import ROWS, ExampleWithShape

OUTPUTS: Final = "what forward returns"
INPUT_GRADIENT: Final = "what backward returns"
INFERRED: Final = "the result"


class Batch(NamedTuple):
    """A minibatch: inputs (of a metric, predictions) and targets (of a layer, the loss's derivative by its outputs)."""

    x: Array
    t: Array

    def rows(self, rows: slice | Array) -> Batch:
        """Return a copy of some rows."""
        return Batch(self.x[rows].copy(), self.t[rows].copy())


class OperationExample(ExampleWithShape):
    """An example for checking a layer or loss."""

    @property
    def target(self) -> Target | None:
        """The kind of target of a loss; None for a layer."""
        target: Target | None = self.variant
        return target

    def ready(self, dtype: str = "float64", *, training: bool = True) -> Any:
        """Return a new operation, bound to arrays as in a network."""
        operation: Operation = self.make()
        standalone(operation, self.shape, target=self.target, dtype=dtype, resolver=self.registry.create)
        move_parameters(operation, self.random("parameters"))
        for each in operation.operations():
            each.training = training
        return operation

    def proved(self, shape: Shape | None = None, stack: list[Any] | None = None) -> Proof:
        """Prove shapes with a new operation, or another stack, by default with the example's input shape.

        Raises:
            StackError: the operation refuses the shape.
        """
        stack = stack or self._stack()
        names = default_names(member.type_name for member in stack)
        return prove_shapes(stack, names, self.shape if shape is None else shape, self.target, np.dtype("float64"))

    def network(self, slices: int) -> Sequential:
        """Return a new network that contains only the operation, in training; the loss of a layer is Σ y t."""
        network = Sequential(
            self._stack(), self.shape, target=self.target, dtype="float64", slices=slices, resolver=self.registry.create
        )
        network.values[...] += self.random("flat parameters").uniform(-0.1, 0.1, network.values.shape)
        network.set_training(True)
        return network

    def batch(self, rows: int = ROWS, dtype: str = "float64", number: int = 0) -> Batch:
        """Return a random minibatch, always the same for its number."""
        rng = self.random("batch", number)
        x = rng.normal(size=(rows, *self.shape)).astype(dtype)
        return Batch(x, self._second(rows, rng, dtype))

    def run(self, operation: Any, batch: Batch) -> Arrays:
        """Go forward and backward once, and return copies of all results.

        State is reset first, so that it can't make two passes differ.
        """
        outputs = self.forward(operation, batch)
        arrays = {OUTPUTS: np.array(outputs), INPUT_GRADIENT: np.array(self.backward(operation, batch))}
        return arrays | gradients(operation)

    def forward(self, operation: Any, batch: Batch) -> Any:
        """Go forward once, with random numbers and state as for a first pass."""
        begin_pass(operation)
        for state in operation.declared_states():
            state.value[...] = state.initial
        return self.compute(operation, batch)

    @abstractmethod
    def compute(self, operation: Any, batch: Batch) -> Any:
        """Call the operation's ``forward``."""

    @abstractmethod
    def infer(self, operation: Any, x: Array) -> Any:
        """Return the result outside training, as described by ``onnx``."""

    @abstractmethod
    def backward(self, operation: Any, batch: Batch) -> Any:
        """Call the operation's ``backward``."""

    def divided_by(self, operation: Any, batch: Batch) -> float:
        """Return the divisor of each row's part of a minibatch's gradient; 1 for a layer."""
        return 1.0

    def graph(self, operation: Operation) -> Graph:
        """Return the graph of a single operation, from ``x`` to ``y``, or raise ``NotExportableError``."""
        graph = Graph(operation.dtype)
        graph.outputs["y"] = graph.describe(operation, graph.feed("x", operation.dtype.name, self.shape))
        return graph

    def exercise(self) -> Arrays:
        """Go forward and backward in training, and forward in evaluation, in both dtypes."""
        results: Arrays = {}
        for dtype in ("float32", "float64"):
            batch = self.batch(dtype=dtype)
            for what, array in self.run(self.ready(dtype), batch).items():
                results[f"{what} in {dtype}"] = array
            evaluated = self.forward(self.ready(dtype, training=False), batch)
            results[f"{OUTPUTS} in evaluation, in {dtype}"] = np.array(evaluated)
        return results

    @abstractmethod
    def _second(self, rows: int, rng: np.random.Generator, dtype: str) -> Array:
        """Draw the second part of a minibatch."""

    @abstractmethod
    def _stack(self) -> list[Any]:
        """Return a new operation, with the layers needed to make it a network."""


def built_or_refused(example: OperationExample, shape: Shape, target: Target | None, remedy: str) -> Any:
    """Return a new operation, built for a shape and a target; None if ``build`` refuses them."""
    try:
        return standalone(example.make(), shape, target=target, resolver=example.registry.create)
    except StackError as error:
        if isinstance(error.cause, MlpkitError):
            return None
        what = f"inputs of shape {shape}" + (f" and {target}" if target else "")
        happened = f"build raised {described(error.cause)} for {what}"
        raise CheckFailure(happened, expected="ShapeError, or to work", remedy=remedy) from error.cause


def gradients(operation: Operation) -> Arrays:
    """Return a copy of the gradient of each parameter."""
    return {
        f"the gradient of {parameter.path.partition('.')[2]}": parameter.grad.copy()
        for parameter in operation.declared_parameters()
    }


def move_parameters(operation: Operation, rng: np.random.Generator) -> None:
    """Move parameters slightly off their initial values, so that zeros hide nothing."""
    for parameter in operation.declared_parameters():
        parameter.value += rng.uniform(-0.1, 0.1, parameter.shape).astype(parameter.value.dtype)


@checks_examples("layer", "loss")
def input_gradient_has_the_inputs_shape(example: OperationExample) -> None:
    """Does ``backward`` return a writable array of the inputs' shape, for minibatches of 1 and of 7 rows?

    It is the dy of the previous layer, which may overwrite it.
    """
    for rows in (1, 7):
        operation, batch = example.ready(), example.batch(rows)
        example.forward(operation, batch)
        dx = example.backward(operation, batch)
        found = f"an array of shape {dx.shape}" if isinstance(dx, np.ndarray) else type(dx).__name__
        fits = isinstance(dx, np.ndarray) and dx.shape == batch.x.shape
        require(fits, f"backward returned {found}", expected=f"shape {batch.x.shape}, like the inputs")
        happened = "backward returned a read-only array"
        require(dx.flags.writeable, happened, expected="a writable array", remedy="return a copy")


@checks_examples("layer", "loss")
def float32_stays_float32(example: OperationExample) -> None:
    """In a float32 network, are all results float32?

    One float64 array makes everything after it twice as slow, and NumPy creates them easily: ``np.sqrt(2.0) * x`` is
    float64, ``math.sqrt(2.0) * x`` isn't.
    """
    _require_dtype(example, "float32", "look for NumPy scalars, and for arrays created without a dtype")


@checks_examples("layer", "loss")
def float64_stays_float64(example: OperationExample) -> None:
    """In a float64 network, are all results float64?

    A float64 network needs these digits, and gradients can't be checked without them.
    """
    _require_dtype(example, "float64", "create arrays with dtype=self.dtype, not float32")


def _require_dtype(example: OperationExample, dtype: str, remedy: str) -> None:
    operation, batch = example.ready(dtype), example.batch(dtype=dtype)
    outputs = example.forward(operation, batch)
    results = {"backward": example.backward(operation, batch)}
    if isinstance(operation, Layer):
        results["forward"] = outputs
    for method, array in results.items():
        found = np.asarray(array).dtype
        require(found == dtype, f"{method} returned {found} for {dtype} inputs", expected=dtype, remedy=remedy)


KEPT = slice(2, 4)
"""The rows that are kept while the others change."""


@checks_examples("layer", "loss")
def examples_do_not_affect_each_other(example: OperationExample) -> None:
    """In training, does each row of the outputs depend only on the same row of the inputs?

    Minibatches are cut into slices. If that changes the layer's results, the class must declare
    ``couples_examples = True``.
    """
    operation, batch = example.ready(), example.batch()
    if type(operation).couples_examples:
        return
    others = example.batch(number=1)
    for array, kept in zip(others, batch, strict=True):
        array[KEPT] = kept[KEPT]
    found, expected = (_kept_rows(example, operation, each) for each in (others, batch))
    remedy = "compute each row from its own inputs, or set couples_examples = True in the class"
    check_close(found, expected, "in rows that were kept, when the other rows changed", remedy, tolerance=1e-9)


def _kept_rows(example: OperationExample, operation: Any, batch: Batch) -> Arrays:
    arrays = example.run(operation, batch)
    rows = {OUTPUTS: arrays[OUTPUTS], INPUT_GRADIENT: arrays[INPUT_GRADIENT] * example.divided_by(operation, batch)}
    return {what: array[KEPT] for what, array in rows.items() if array.ndim}


LAYOUTS: Final[dict[str, Callable[[Array], Array]]] = {
    "columns in order": np.asfortranarray,
    "every other row of a larger array": lambda x: np.repeat(x, 2, axis=0)[::2],
    "rows backwards": lambda x: np.ascontiguousarray(x[::-1])[::-1],
    "part of a wider array": lambda x: np.pad(x, [(0, 0)] * (x.ndim - 1) + [(1, 2)])[..., 1:-2],
}
"""Memory layouts in which a network may get the same values."""


@checks_examples("layer", "loss")
def leaves_its_inputs_alone(example: OperationExample) -> None:
    """Are the inputs, and the targets of a loss, unchanged after ``forward`` and ``backward``?

    They belong to the previous layer, which keeps them for its own ``backward``, or to the data set.
    """
    operation, batch = example.ready(), example.batch()
    arrays = {"x": batch.x, "its second argument": batch.t}
    with unchanged("forward", arrays):
        example.forward(operation, batch)
    with unchanged("backward", arrays):
        example.backward(operation, batch)


@checks_examples("layer", "loss")
def works_on_read_only_inputs(example: OperationExample) -> None:
    """Do ``forward`` and ``backward`` work on read-only inputs?

    Data sets may return memory maps, which are read-only.
    """
    operation, batch = example.ready(), example.batch()
    for array in batch:
        array.flags.writeable = False
    with failing_with("on read-only inputs:", expected="no writing into inputs", remedy="write into a new array"):
        example.run(operation, batch)


@checks_examples("layer", "loss")
def works_on_any_memory_layout(example: OperationExample) -> None:
    """Are the results the same for inputs and a dy that aren't contiguous, or in Fortran order?

    A minibatch may be a view of a larger array, and layers may return views or transposed arrays.
    """
    operation, batch = example.ready(), example.batch()
    expected = example.run(operation, batch)
    for layout, lay_out in LAYOUTS.items():
        laid_out = Batch(lay_out(batch.x), lay_out(batch.t.copy()))
        found: Arrays = {OUTPUTS: np.array(example.forward(operation, laid_out))}
        is_layer = isinstance(operation, Layer)
        dx = operation.backward(laid_out.t) if is_layer else example.backward(operation, laid_out)
        found |= {INPUT_GRADIENT: np.array(dx)} | gradients(operation)
        remedy = "don't reshape or view x and dy in place; np.ascontiguousarray makes a copy where one is needed"
        check_close(found, expected, f"for arrays laid out as {layout}", remedy, tolerance=1e-9)


@checks_examples("layer", "loss")
def works_on_parameters_whose_rows_lie_apart(example: OperationExample) -> None:
    """Are the results the same if there are gaps in memory between the rows of parameters and their gradients?

    At widths like 512 there are gaps, which make products faster.
    """
    operation, batch = example.ready(), example.batch()
    expected = example.run(operation, batch)
    lay_out = LAYOUTS["part of a wider array"]
    for parameter in operation.declared_parameters():
        if len(parameter.shape) > 1:
            parameter.value, parameter.grad = lay_out(parameter.value), lay_out(np.full_like(parameter.grad, np.nan))
    remedy = "write into grad itself, with grad[...] = or out=grad, since reshape may return a copy"
    found = example.run(operation, batch)
    check_close(found, expected, "for parameters with gaps between rows", remedy, tolerance=1e-9)


@checks_examples("layer", "loss")
def onnx_describes_what_is_computed(example: OperationExample) -> None:
    """If it has ``onnx``, does the graph compute the same as ``forward`` outside training, or as a loss's ``predict``?

    Exporters read only the graph.
    """
    for dtype, tolerance in (("float32", 1e-5), ("float64", 1e-6)):
        operation, batch = example.ready(dtype), example.batch(dtype=dtype)
        if any(True for _ in operation.declared_states()):
            example.run(operation, batch)  # moves running statistics off their initial values
        for each in operation.operations():
            each.training = False
        try:
            graph = example.graph(operation)
        except NotExportableError:
            return
        for rows in (batch.x, batch.x[:1]):
            expected = np.array(example.infer(operation, rows.copy()))
            found = evaluated(graph, {"x": rows}, "y")
            remedy = "describe the whole computation, with every parameter, for any number of rows"
            when = f"in the graph that onnx describes, on {len(rows)} row{'s'[: len(rows) > 1]} of {dtype}"
            check_close({INFERRED: found}, {INFERRED: expected}, when, remedy, tolerance=tolerance)


@checks_examples("layer", "loss")
def plan_computes_the_same(example: OperationExample) -> None:
    """If it has a ``prediction_plan``, does it give the same bits as ``forward`` outside training, or as ``predict``?

    A network uses the plan when it predicts a few rows repeatedly, with other rows and other parameters each time.
    """
    for dtype in ("float32", "float64"):
        operation, x = example.ready(dtype, training=False), example.batch(dtype=dtype).x
        step = plan_of(operation, x)
        if step is None:
            return
        for number in (1, 2):
            move_parameters(operation, example.random("moved", number))
            x[...] = example.batch(dtype=dtype, number=number).x
            expected = np.array(example.infer(operation, x.copy()))
            when = f"in the function from prediction_plan, for other {dtype} inputs and parameters"
            remedy = "compute everything each time, from x and from self.NAME.value"
            check_same_bits({INFERRED: np.array(step())}, {INFERRED: expected}, when, remedy)
