"""Checks of layers and losses: gradients, and side effects of repeated and concurrent steps."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from math import isnan
from typing import Any

import numpy as np

from mlpkit.components.operation import Operation
from mlpkit.components.randomness import keyed_generator
from mlpkit.network.sequential import Sequential
from mlpkit.testing.outside_network import GradientMismatch, gradient_mismatches, standalone
from mlpkit.testing.suite.check import Arrays, CheckFailure, check_close, check_same_bits, checks_examples
from mlpkit.testing.suite.checks.operation import INPUT_GRADIENT, OUTPUTS, OperationExample, gradients


@checks_examples("layer", "loss")
def input_gradient_is_the_derivative(example: OperationExample) -> None:
    """Does ``backward`` return the derivative by the inputs, compared with differences in float64?

    All previous layers learn from it.
    """
    wrong = [mismatch for mismatch in _mismatches(example) if mismatch.parameter == "x"]
    _require_none(wrong, "look at the dx of backward")


@checks_examples("layer", "loss")
def parameter_gradients_are_the_derivatives(example: OperationExample) -> None:
    """Is the gradient of every parameter the derivative by it, compared with differences in float64?

    The parameters are moved off their initial values, and their gradients are set to NaN beforehand.
    """
    wrong = [mismatch for mismatch in _mismatches(example) if mismatch.parameter != "x"]
    remedy = "look at the formula of that gradient in backward"
    if wrong and isnan(wrong[0].relative_error):
        remedy = f"overwrite that gradient, as in self.{wrong[0].parameter}.grad[...] = ..."
    _require_none(wrong, remedy)


@checks_examples("layer")
def input_gradient_outside_training_is_the_derivative(example: OperationExample) -> None:
    """If ``forward`` computes something else outside training, does ``backward`` return the derivative of that?

    A frozen layer computes as in evaluation, and the previous layers still learn from its ``backward``.
    """
    batch = example.batch(3)
    in_training, outside = (np.array(example.forward(example.ready(training=mode), batch)) for mode in (True, False))
    if np.array_equal(in_training, outside, equal_nan=True):
        return
    wrong = [mismatch for mismatch in _mismatches(example, training=False) if mismatch.parameter == "x"]
    _require_none(wrong, "store self.training in forward, and let backward follow the same branch")


@checks_examples("layer")
def gradients_are_overwritten(example: OperationExample) -> None:
    """Does ``backward`` overwrite the gradients, rather than add to them?

    They are not set to zero between steps.
    """
    first, found = (_gradients_of_pass(example, example.ready(), before) for before in (0.0, 1000.0))
    remedy = "assign with self.W.grad[...] = ..., or write with out=self.W.grad"
    check_same_bits(found, first, "with other numbers in the array beforehand", remedy)


@checks_examples("layer")
def works_where_no_input_gradient_is_needed(example: OperationExample) -> None:
    """Are the gradients of the parameters the same if that of the inputs isn't needed?

    The first layer with parameters doesn't need it: there, ``needs_input_gradient`` is False.
    """
    operation = example.ready()
    first = _gradients_of_pass(example, operation, 0.0)
    operation.needs_input_gradient = False
    found = _gradients_of_pass(example, operation, 1000.0)
    check_same_bits(found, first, "with needs_input_gradient = False", "set the gradients before checking the flag")


def _gradients_of_pass(example: OperationExample, operation: Operation, before: float) -> Arrays:
    """Go forward and backward once, and return the gradients of the parameters, whose arrays hold a number before."""
    for parameter in operation.declared_parameters():
        parameter.grad[...] = before
    batch = example.batch()
    example.forward(operation, batch)
    example.backward(operation, batch)
    return gradients(operation)


def _mismatches(example: OperationExample, *, training: bool = True) -> list[GradientMismatch]:
    batch = example.batch(3)
    operation = standalone(example.make(), example.shape, target=example.target, resolver=example.registry.create)
    rng = keyed_generator(0, "check_gradients")
    return gradient_mismatches(operation, *batch, example.target, rng, training=training)


def _require_none(mismatches: list[GradientMismatch], remedy: str) -> None:
    if mismatches:
        raise CheckFailure(str(mismatches[0]), expected="the derivative of what forward computes", remedy=remedy)


@checks_examples("layer", "loss")
def backward_twice_gives_the_same_bits(example: OperationExample) -> None:
    """Does a second ``backward`` after one ``forward`` give the same gradients, even if the first was overwritten?

    The previous layer may overwrite what ``backward`` returned, which is its dy. A loss with a term added in Python, or
    a comparison of gradients, calls ``backward`` twice.
    """
    for dtype in ("float32", "float64"):
        operation, batch = example.ready(dtype), example.batch(dtype=dtype)
        example.forward(operation, batch)
        passes = []
        for _ in range(2):
            dx = np.asarray(example.backward(operation, batch))
            passes.append({INPUT_GRADIENT: dx.copy()} | gradients(operation))
            dx[...] = 1000.0
        first, second = passes
        remedy = "write into dy, or into a separate array that forward doesn't keep for backward"
        check_same_bits(second, first, "when backward was called again", remedy)


@checks_examples("layer", "loss")
def a_repeated_step_gives_the_same_bits(example: OperationExample) -> None:
    """Does the same step, repeated, give the same bits?

    A run that is repeated or resumed must end with the same parameters.
    """
    operation, batch = example.ready(), example.batch()
    first = example.run(operation, batch)
    remedy = "keep only what self.state declares from step to step, and draw only from self.rng"
    check_same_bits(example.run(operation, batch), first, "when a step was repeated", remedy)


@checks_examples("layer", "loss")
def other_steps_leave_no_trace(example: OperationExample) -> None:
    """Does a step give the same after other steps, with more rows and with fewer?

    ``backward`` must only use what the latest ``forward`` kept.
    """
    sizes = (7, 7, 3, 7, 1, 5)
    used = example.ready()
    for number, rows in enumerate(sizes):
        batch = example.batch(rows, number=number)
        found = example.run(used, batch)
        expected = example.run(example.ready(), batch)
        remedy = "compute everything again in each forward; beware of caches made for another number of rows"
        check_close(found, expected, f"in a step on {rows} rows after others", remedy, tolerance=1e-9)


@checks_examples("layer", "loss")
def scratch_is_written_before_it_is_read(example: OperationExample) -> None:
    """Does a step give the same bits for any previous content of ``self.buffer``?

    The content of scratch arrays is undefined, since other steps may have written to them.
    """
    operation, batch = example.ready(), example.batch()
    first = example.run(operation, batch)
    for each in operation.operations():
        for storage in each._storage.values():
            storage[...] = np.uint8(0x7F)  # a very large number in either dtype
    remedy = "write every element of a buffer in each pass; declare what must survive a step with self.state"
    check_same_bits(example.run(operation, batch), first, "with other content in its buffers", remedy)


SLICES = 4


@checks_examples("layer", "loss")
def replicas_share_nothing(example: OperationExample) -> None:
    """Do two copies, both forward before both backward, give the same bits as one after the other?

    What one copy keeps for its ``backward`` must not affect the other.
    """
    operations = _copies(example)
    batches = [example.batch(number=number) for number in range(len(operations))]
    expected = [example.run(*pair) for pair in zip(operations, batches, strict=True)]
    outputs = [example.forward(*pair) for pair in zip(operations, batches, strict=True)]
    for operation, batch, y, alone in zip(operations, batches, outputs, expected, strict=True):
        found: Arrays = {OUTPUTS: np.array(y), INPUT_GRADIENT: np.array(example.backward(operation, batch))}
        remedy = "keep arrays in self, never in the class or the module; copies are made with copy.deepcopy"
        check_same_bits(found | gradients(operation), alone, "when another copy worked in between", remedy)


@checks_examples("layer", "loss")
def replicas_run_in_threads(example: OperationExample) -> None:
    """Do the slices of a minibatch give the same bits on several threads as on one?

    Results must not depend on the number of cores.
    """
    batch = example.batch(3 * SLICES)
    expected = _step(example.network(SLICES), batch.x, batch.t)
    remedy = "share nothing between copies, and call nothing that only works in the main thread"
    with ThreadPoolExecutor(SLICES) as threads:
        for _ in range(3):
            network = example.network(SLICES)
            network.map = lambda function, items: list(threads.map(function, items))
            check_same_bits(_step(network, batch.x, batch.t), expected, "on several threads", remedy)


def _copies(example: OperationExample) -> list[Any]:
    try:
        network = example.network(2)
    except (TypeError, RecursionError) as error:
        raise CheckFailure(
            f"a new object can't be copied: {error}",
            expected="an object that copy.deepcopy can copy before it has arrays",
            remedy="don't open files or make locks in __init__ or build",
        ) from error
    return [replica.operations()[0] for replica in network.replicas]


def _step(network: Sequential, x: Any, t: Any) -> Arrays:
    loss = network.loss_and_gradient(x, t)
    return {"the loss": np.array(loss), "the gradients": network.gradient_values.copy()}
