"""Blocks: an optimizer sees stretches of flat arrays, cut anywhere, and keeps nothing but its slots."""

from __future__ import annotations

import copy
import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit.testing.suite.check import checks_examples
from mlpkit.testing.suite.comparison import expect_same_bits
from mlpkit.testing.suite.examples.optimizer import SIZE
from mlpkit.testing.suite.nonconformity import Nonconformity

if TYPE_CHECKING:
    from mlpkit.testing.suite.comparison import Arrays
    from mlpkit.testing.suite.examples.optimizer import OptimizerExample

CUTS: Final = ((0, 1, 20, SIZE), (0, 26, SIZE), (0, 16, 32, 48, SIZE))
STEPS: Final = 3


@checks_examples("optimizer")
def blocks_may_be_cut_anywhere(example: OptimizerExample) -> None:
    """If the optimizer is elementwise, does it give the same bits wherever blocks begin and end?

    Blocks are cut so that they stay in the processor's cache, and shared out to threads.
    """
    if not example.make().elementwise:
        return
    whole = example.run(STEPS)
    remedy = "update each element from its own values only, or set elementwise = False"
    for cuts in CUTS:
        optimizer = example.make()
        arrays = example.start(optimizer)
        for step in range(1, STEPS + 1):
            gradient = example.gradient(step)
            for begin, end in itertools.pairwise(cuts):
                block = {what: array[begin:end] for what, array in arrays.items()}
                example.step(optimizer, block, gradient[begin:end], step=step)
        expect_same_bits(arrays, whole, f"in blocks that begin at {cuts[:-1]}", remedy)


@checks_examples("optimizer")
def slots_are_all_that_it_keeps(example: OptimizerExample) -> None:
    """Does a new object go on from the slots as the old one would have?

    A checkpoint holds parameters, slots and the number of the step, and nothing else.
    """
    expected = example.run(STEPS)
    arrays = example.start(example.make())
    for step in range(1, STEPS + 1):
        example.step(example.make(), arrays, example.gradient(step), step=step)
    remedy = "keep everything that must survive a step in slots; step.number counts steps from 1"
    expect_same_bits(arrays, expected, "when a new object took over after each step", remedy)


@checks_examples("optimizer")
def update_leaves_no_trace_in_the_object(example: OptimizerExample) -> None:
    """Are the object's attributes the same after ``update`` as before?

    Several threads call ``update`` of one object at once, on different blocks.
    """
    optimizer = example.make()
    before = _attributes(optimizer)
    example.step(optimizer, example.start(optimizer), example.gradient(1))
    after = _attributes(optimizer)
    changed = [name for name in after if before.get(name) != after[name]]
    if changed:
        raise Nonconformity(
            f"update changed self.{', self.'.join(changed)}",
            expected="an object that stays as it is",
            remedy="keep figures in slots, and scratch arrays in local variables",
        )


@checks_examples("optimizer")
def several_threads_may_update(example: OptimizerExample) -> None:
    """Do several threads, each on a block of its own, give the same bits as one?

    The trainer shares blocks out to its workers.
    """
    size, blocks = 4096, 4
    results: list[Arrays] = []
    for workers in (1, blocks):
        optimizer = example.make()
        arrays = example.start(optimizer, size=size)

        def update(begin: int, optimizer: Any = optimizer, arrays: Arrays = arrays) -> None:
            part = slice(begin, begin + size // blocks)
            block = {what: array[part] for what, array in arrays.items()}
            example.step(optimizer, block, example.gradient(1, size=size)[part])

        with ThreadPoolExecutor(workers) as threads:
            list(threads.map(update, range(0, size, size // blocks)))
        results.append(arrays)
    expect_same_bits(results[1], results[0], "on several threads", "share no scratch arrays between calls of update")


def _attributes(optimizer: Any) -> dict[str, Any]:
    return {
        name: value.tobytes() if isinstance(value, np.ndarray) else copy.deepcopy(value)
        for name, value in vars(optimizer).items()
        if not hasattr(value, "kind")  # components, such as a schedule, are checked by themselves
    }
