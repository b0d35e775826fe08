"""Inputs: they belong to somebody else, and come in any layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit.testing.suite.check import checks_examples
from mlpkit.testing.suite.comparison import expect_close
from mlpkit.testing.suite.examples.operation import Batch
from mlpkit.testing.suite.nonconformity import Nonconformity

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mlpkit.testing.suite.examples.operation import OperationExample

LAYOUTS: Final[dict[str, Callable[[NDArray[Any]], NDArray[Any]]]] = {
    "columns in order": np.asfortranarray,
    "every other row of a larger array": lambda x: np.repeat(x, 2, axis=0)[::2],
    "rows backwards": lambda x: np.ascontiguousarray(x[::-1])[::-1],
    "part of a wider array": lambda x: np.pad(x, [(0, 0)] * (x.ndim - 1) + [(1, 2)])[..., 1:-2],
}
"""Ways to lay out the same values in memory, each of which a network may meet."""


@checks_examples("layer", "loss")
def leaves_its_inputs_alone(example: OperationExample) -> None:
    """Are the inputs, and the targets of a loss, the same after ``forward`` and ``backward`` as before?

    They are what the layer before keeps for its own ``backward``, or the data set itself.
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
        raise Nonconformity(
            f"on inputs that are read-only: {error}", expected="no writing into them", remedy="write into a new array"
        ) from error


@checks_examples("layer", "loss")
def works_on_any_memory_layout(example: OperationExample) -> None:
    """Does the same come out for inputs that aren't contiguous, or lie in memory column by column?

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
    """Does the same come out for a dy that isn't contiguous?

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
            raise Nonconformity(
                f"{method} wrote into {what}",
                expected="inputs that are left as they are",
                remedy="write into a new array",
            )
