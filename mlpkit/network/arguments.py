"""Checks of what a network is given: its seed, shapes and names, arrays of examples, and their weights."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from mlpkit.array import Array
from mlpkit.components.dataset import Dataset
from mlpkit.components.input_columns import InputShape, columns_of
from mlpkit.components.loss import Loss
from mlpkit.components.metric import Metric
from mlpkit.components.operation import Shape
from mlpkit.components.schema.wording import counted
from mlpkit.errors import ShapeError, UsageError, WrongUseError
from mlpkit.network.component_errors import component_errors

DTYPES = ("float32", "float64")


def network_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return the dtype that a network computes in, or raise ``UsageError``."""
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found.name not in DTYPES:
        raise UsageError(f"a network can't compute in {dtype!r}; expected {' or '.join(DTYPES)}")
    return found


def network_seed(seed: int) -> int:
    """Return the seed as an integer of Python, or raise ``UsageError``."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise UsageError(f"{seed!r} can't be a network's seed; expected an integer, at least 0")
    return int(seed)


def input_shape_of(shape: Sequence[int]) -> InputShape:
    """Return the shape of one example, or raise ``UsageError`` if its lengths aren't integers from 1 up."""
    if not isinstance(shape, tuple | list) or not all(isinstance(n, int | np.integer) and n >= 1 for n in shape):
        raise UsageError(f"the input shape {shape!r} is not the shape of an example; expected one such as (784,)")
    return InputShape((int(n) for n in shape), columns_of(shape))


def check_names(names: Sequence[str], members: int) -> None:
    """Raise ``UsageError`` unless each member of the stack has its own name, without dots."""
    if len(names) != members:
        given, needed = counted(len(names), "name"), counted(members, "member")
        raise UsageError(f"{given} can't name {needed} of the stack; expected as many")
    taken = set()
    for name in names:
        if not name or "." in name:
            raise UsageError(f"{name!r} can't be a layer's name; expected a string without dots")
        if name in taken:
            raise UsageError(f"two members of the stack are called '{name}'; expected different names")
        taken.add(name)


ENCODES_RAW_ROWS: Final = (
    "a network takes encoded inputs; for raw ones, mlpkit.load(RUN).predict(rows), or 'mlpkit predict RUN FILE'"
)


def shape_of_rows(shape: Shape) -> str:
    """Return the shape of rows for a message, such as (rows, 28, 28)."""
    return f"({', '.join(['rows', *map(str, shape)])})"


def encoded_inputs(x: ArrayLike, input_shape: Shape, encoder: Dataset | None) -> Array:
    """Return inputs as an array of shape (rows, *input_shape), or raise ``UsageError`` or ``ShapeError``."""
    remedy = ENCODES_RAW_ROWS if encoder is not None else ""
    inputs = number_array(x, "inputs", remedy)
    if inputs.shape[1:] != input_shape or inputs.ndim == 0:
        message = f"the network can't take inputs of shape {inputs.shape}"
        raise ShapeError(message, expected=shape_of_rows(input_shape), remedy=remedy)
    if len(inputs) == 0:
        raise UsageError("no rows are given; expected at least one")
    if encoder is not None:
        _require_encoded(encoder, inputs)
    return inputs


def _require_encoded(encoder: Dataset, inputs: Array) -> None:
    with component_errors(f"dataset {encoder.registered_name} failed in why_not_encoded"):
        reason = encoder.why_not_encoded(inputs)
    if reason:
        raise UsageError(f"the inputs are not encoded as in training: {reason}; {ENCODES_RAW_ROWS}")
    with component_errors(f"dataset {encoder.registered_name} failed in why_perhaps_not_encoded"):
        reason = encoder.why_perhaps_not_encoded(inputs)
    if reason:
        warnings.warn(f"the inputs don't look encoded as in training: {reason}; {ENCODES_RAW_ROWS}", stacklevel=5)


def number_array(values: ArrayLike, what: str, remedy: str = "") -> Array:
    """Return an array of numbers, or raise ``UsageError``, which calls them ``what`` and ends with the remedy."""
    advice = f"; {remedy}" if remedy else ""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise UsageError(f"the {what} are not numeric: {error}{advice}") from error
    if array.dtype.kind not in "biuf":
        raise UsageError(f"the {what} are an array of {array.dtype}; expected numbers{advice}")
    return array


def require_takes_weights(*components: Loss | Metric) -> None:
    """Check that a loss, or metrics, take weights of examples, or raise ``WrongUseError``."""
    for component in components:
        if not component.takes_weights:
            message, remedy = takes_no_weights(component.registered_name, type(component))
            raise WrongUseError(message, remedy=remedy)


def takes_no_weights(name: str, component: type[Loss | Metric]) -> tuple[str, str]:
    """Return what is wrong, and what to do, if a loss or a metric of a name takes no weights of examples."""
    return f"{name} doesn't take weights of examples", f"use another {component.kind}, or leave out the weights"


def weights_of_examples(weights: Array, rows: int) -> NDArray[np.float64]:
    """Return the weight of each example, shape (rows,), as losses and metrics take them, or raise ``UsageError``."""
    if weights.shape != (rows,):
        raise ShapeError(f"weights of shape {weights.shape} don't fit {rows} rows", expected=f"({rows},)")
    found = np.asarray(weights, np.float64)
    wrong = np.flatnonzero(~(np.isfinite(found) & (found >= 0)))
    if len(wrong):
        row = int(wrong[0])
        raise UsageError(f"the weight of row {row}, counted from 0, is {weights[row]}; expected a number, at least 0")
    if not found.any():
        raise UsageError("all weights of the examples are 0; expected at least one above 0")
    return found
