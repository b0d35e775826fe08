"""Copying what goes through a network, forward and backward."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mlpkit.array import Array
from mlpkit.components.operation import Operation
from mlpkit.network.contexts import replaced_methods
from mlpkit.network.sequential import Sequential


@dataclass
class Flow:
    """What an operation took and returned, forward and backward.

    Args:
        input: x.
        output: y; None of a loss, which returns a number.
        output_gradient: dy, as ``backward`` got it; None of a loss, and if nothing went back through the operation.
        input_gradient: dx; None if it isn't needed.
    """

    input: Array
    output: Array | None = None
    output_gradient: Array | None = None
    input_gradient: Array | None = None


@dataclass
class WatchedMinibatch:
    """A minibatch whose gradient was computed; the loss is NaN until it is known.

    For each slice, it has what went through its operations, by path. Of an operation that is called more than once, the
    first call counts.
    """

    x: Array
    t: Array
    weights: Array | None
    slices: list[dict[str, Flow]]
    loss: float = field(default=float("nan"))


@contextmanager
def watched(network: Sequential) -> Iterator[list[WatchedMinibatch]]:
    """Record what goes through a network, nested layers included, for the duration of a block.

    In the block, attributes of the objects shadow the methods of their classes; other networks aren't affected.
    """
    minibatches: list[WatchedMinibatch] = []
    compute = network.loss_and_gradient

    def loss_and_gradient(
        x: Array,
        t: Array,
        step: int = 0,
        weights: Array | None = None,
        rows: int | None = None,
    ) -> float:
        slices: list[dict[str, Flow]] = [{} for _ in network.replicas]
        minibatch = WatchedMinibatch(x.copy(), t.copy(), None if weights is None else weights.copy(), slices)
        minibatches.append(minibatch)
        with ExitStack() as stack:
            for replica, flows in zip(network.replicas, slices, strict=True):
                for operation in replica.operations():
                    stack.enter_context(_watched_operation(operation, flows))
            minibatch.loss = compute(x, t, step, weights, rows)
        minibatch.slices = [flows for flows in slices if flows]  # a small minibatch has fewer
        return minibatch.loss

    with replaced_methods(network, loss_and_gradient=loss_and_gradient):
        yield minibatches


@contextmanager
def _watched_operation(operation: Operation, flows: dict[str, Flow]) -> Iterator[None]:
    member: Any = operation
    forward, backward = member.forward, member.backward

    def watched_forward(x: Array, *targets: Any) -> Any:
        flow = Flow(x.copy())
        y = forward(x, *targets)
        if isinstance(y, np.ndarray):
            flow.output = y.copy()
        flows.setdefault(operation.path, flow)
        return y

    def watched_backward(dy: Any) -> Any:
        flow = flows[operation.path]  # the last backward call belongs to the first forward call
        flow.output_gradient = dy.copy() if isinstance(dy, np.ndarray) else None
        dx = backward(dy)
        flow.input_gradient = dx.copy() if isinstance(dx, np.ndarray) else None
        return dx

    with replaced_methods(operation, forward=watched_forward, backward=watched_backward):
        yield
