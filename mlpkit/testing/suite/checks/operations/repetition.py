"""Repetition: nothing but its arguments decides what a step gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlpkit.testing.suite.check import checks_examples
from mlpkit.testing.suite.comparison import expect_close, expect_same_bits

if TYPE_CHECKING:
    from mlpkit.testing.suite.examples.operation import OperationExample


@checks_examples("layer", "loss")
def a_repeated_step_gives_the_same_bits(example: OperationExample) -> None:
    """Does the same step, repeated, give the same bits?

    A run that is repeated or resumed must come to the same parameters.
    """
    operation, batch = example.ready(), example.batch()
    first = example.run(operation, batch)
    remedy = "keep nothing from step to step but what self.state declares, and draw from self.rng alone"
    expect_same_bits(example.run(operation, batch), first, "when a step was repeated", remedy)


@checks_examples("layer", "loss")
def other_steps_leave_no_trace(example: OperationExample) -> None:
    """Does a step give the same after other steps, on more rows and on fewer?

    What is kept for ``backward`` must be that of the latest ``forward``, whole.
    """
    sizes = (7, 7, 3, 7, 1, 5)
    used = example.ready()
    for number, rows in enumerate(sizes):
        batch = example.batch(rows, number=number)
        found = example.run(used, batch)
        expected = example.run(example.ready(), batch)
        remedy = "compute everything anew in each forward; mind caches that were made for another number of rows"
        expect_close(found, expected, f"in a step on {rows} rows after others", remedy, tolerance=1e-9)


@checks_examples("layer", "loss")
def scratch_is_written_before_it_is_read(example: OperationExample) -> None:
    """Does a step give the same bits whatever ``self.buffer`` held before?

    The content of scratch arrays is undefined: whatever was left there by another step, or by nobody.
    """
    operation, batch = example.ready(), example.batch()
    first = example.run(operation, batch)
    for each in operation.operations():
        for storage in each._storage.values():
            storage[...] = np.uint8(0x7F)  # in either dtype a number far from any other
    remedy = "write every element of a buffer in each pass; what must survive a step is declared with self.state"
    expect_same_bits(example.run(operation, batch), first, "with other content in its buffers", remedy)
