"""Making sure that layers keep what they promise: shape and dtype of what they return."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlpkit.errors import ComponentFailure, ShapeError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from mlpkit.components.operation import Operation, Shape


def expect_shape(name: str, shape: object) -> Shape:
    """Return what ``build`` returned, if it is the shape of one example.

    Raises:
        ShapeError: it is not.
    """
    if not isinstance(shape, tuple) or not all(isinstance(n, int) and n >= 1 for n in shape):
        raise ShapeError(
            f"build of {name} returned {shape!r}", expected="the outputs' shape, a tuple of integers from 1 up"
        )
    return shape


def expect_outputs(operation: Operation, y: object, shape: Shape, dtype: DTypeLike) -> None:
    """Make sure that what a layer's ``forward`` returned is what its ``build`` declared.

    Args:
        operation: the layer.
        y: what it returned.
        shape: what was declared, and before it the number of rows.
        dtype: the dtype of its inputs.

    Raises:
        ComponentFailure: it is not.
    """
    got = getattr(y, "shape", None), getattr(y, "dtype", None)
    if got != (shape, dtype):
        raise ComponentFailure(
            f"{operation.kind} {operation.path} ({operation.type_name}) returned {got[1]} of shape {got[0]} for "
            f"{shape[0]} rows, but its build declared {dtype} of shape {shape}"
        )


def expect_gradient(operation: Operation, dx: object, shape: Shape) -> None:
    """Make sure that what an operation's ``backward`` returned can be handed on.

    Raises:
        ComponentFailure: it is not a writable array of the inputs' shape and dtype.
    """
    expected = f"a writable array of {operation.dtype} of shape {shape}, as its inputs have"
    who = f"{operation.kind} {operation.path} ({operation.type_name})"
    if not isinstance(dx, np.ndarray):
        raise ComponentFailure(f"{who} returned {type(dx).__name__} from backward; expected {expected}")
    if dx.shape != shape or dx.dtype != operation.dtype or not dx.flags.writeable:
        kind = "writable" if dx.flags.writeable else "read-only"
        raise ComponentFailure(
            f"{who} returned a {kind} array of {dx.dtype} of shape {dx.shape} from backward; expected {expected}"
        )
