"""Replicas: every slice of a minibatch has a copy of the operation, and they run at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.testing.suite.check import checks_examples
from mlpkit.testing.suite.comparison import expect_same_bits
from mlpkit.testing.suite.examples.operation import INPUT_GRADIENT, OUTPUTS, gradients
from mlpkit.testing.suite.nonconformity import Nonconformity

if TYPE_CHECKING:
    from mlpkit.network.sequential import Sequential
    from mlpkit.testing.suite.comparison import Arrays
    from mlpkit.testing.suite.examples.operation import OperationExample

SLICES = 4


@checks_examples("layer", "loss")
def replicas_share_nothing(example: OperationExample) -> None:
    """Can two copies take turns, both forward before both backward, and give the bits they give one after the other?

    What one copy keeps for its ``backward`` must not be in the way of the other.
    """
    operations = _copies(example)
    batches = [example.batch(number=number) for number in range(len(operations))]
    expected = [example.run(*pair) for pair in zip(operations, batches, strict=True)]
    outputs = [example.forward(*pair) for pair in zip(operations, batches, strict=True)]
    for operation, batch, y, alone in zip(operations, batches, outputs, expected, strict=True):
        found: Arrays = {OUTPUTS: np.array(y), INPUT_GRADIENT: np.array(example.backward(operation, batch))}
        remedy = "keep arrays in self, never in the class or the module; copies are made with copy.deepcopy"
        expect_same_bits(found | gradients(operation), alone, "when another copy worked in between", remedy)


@checks_examples("layer", "loss")
def replicas_run_in_threads(example: OperationExample) -> None:
    """Do the slices of a minibatch give the same bits on several threads as on one?

    Results must not depend on the number of cores.
    """
    batch = example.batch(3 * SLICES)
    expected = _step(example.network(SLICES), batch.x, batch.t)
    for _ in range(3):
        with ThreadPoolExecutor(SLICES) as threads:
            network = example.network(SLICES)
            network.map = lambda function, items, threads=threads: list(threads.map(function, items))
            found = _step(network, batch.x, batch.t)
        remedy = "share nothing between copies, and call nothing that works in the main thread only"
        expect_same_bits(found, expected, "on several threads", remedy)


def _copies(example: OperationExample) -> list[Any]:
    try:
        network = example.network(2)
    except (TypeError, RecursionError) as error:
        raise Nonconformity(
            f"a new object can't be copied: {error}",
            expected="one that copy.deepcopy can copy before it has arrays",
            remedy="open files and make locks later than in __init__ and build",
        ) from error
    return [replica.operations()[0] for replica in network.replicas]


def _step(network: Sequential, x: Any, t: Any) -> Arrays:
    loss = network.loss_and_gradient(x, t)
    return {"the loss": np.array(loss), "the gradients": network.gradient_values.copy()}
