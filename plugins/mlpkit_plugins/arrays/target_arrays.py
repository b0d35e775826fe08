"""Targets, classes and weights in memory as arrays."""

from __future__ import annotations

import reprlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, DataError, ModelFileError, did_you_mean
from mlpkit_plugins.arrays.array_targets import Predicted

NO_EXAMPLES: Final = (
    "the examples were passed in Python and aren't in a file; pass them again: mlpkit.fit(x, t, ...), or "
    "mlpkit.resume(RUN, examples=(x, t)) to go on"
)


def classes_of(targets: Array, source: str) -> tuple[Any, ...]:
    """Return the classes of a target, in the order of their numbers: texts, numbers or truth values."""
    return tuple(np.unique(_flat(targets, source)).tolist())


def classes_from_plain(plain: object) -> tuple[Any, ...]:
    """Restore classes from plain data of a model file, which may be anything."""
    if isinstance(plain, list):
        kinds = {type(label) for label in plain}
        if len(kinds) == 1 and kinds <= {str, int, float, bool} and len({*plain}) == len(plain):
            return tuple(plain)
    raise ModelFileError(f"the encoder of the arrays has the classes {reprlib.repr(plain)}")


def names_of(classes: tuple[Any, ...]) -> tuple[str, ...] | None:
    """Return classes as texts; None if they are the numbers from 0."""
    numbered = classes == tuple(range(len(classes))) and type(classes[0]) is int
    return None if numbered else tuple(map(str, classes))


def target_array(t: Any, source: str) -> Array:
    """Return targets as an array, with a row for each example."""
    try:
        array = np.asarray(t)
    except ValueError as error:
        raise DataError(source, f"is not an array: {error}") from error
    if array.ndim == 0:
        raise DataError(source, f"is {reprlib.repr(t)}; expected a target for each example")
    if array.dtype.kind not in "biufOUT":
        raise DataError(source, f"holds {array.dtype}; expected classes or numbers")
    return array


def kind_of_target(targets: Array) -> Predicted:
    """Guess the kind of targets from their type and shape."""
    column = targets.ndim == 1 or (targets.ndim == 2 and targets.shape[1] == 1)
    if targets.dtype.kind == "f":
        return "values"
    if column:
        return "classes"
    are_bits = targets.ndim == 2 and targets.dtype.kind in "biu" and bool(((targets == 0) | (targets == 1)).all())
    return "labels" if are_bits else "values"


def layers_to_begin_with(predict: str) -> list[Any]:
    """Return the layers of a small perceptron for a target, as in a spec."""
    loss = {"labels": "SigmoidWithLoss", "values": "MeanSquaredError"}.get(predict, "SoftmaxWithLoss")
    return [{"Affine": {"units": 64}}, "Relu", {"Affine": {"units": "auto"}}, loss]


def class_numbers(targets: Array, classes: tuple[Any, ...], source: str, unknown: str) -> NDArray[np.int64]:
    """Return the number of each target's class; ``unknown`` is the end of the message for an unknown class."""
    flat = _flat(targets, source)
    position = {label: number for number, label in enumerate(classes)}
    distinct, inverse = np.unique(flat, return_inverse=True)
    numbers = np.array([position.get(label, -1) for label in distinct.tolist()], np.int64)
    if (numbers < 0).any():
        row = int(np.flatnonzero(numbers[inverse] < 0)[0])
        label = flat[row : row + 1].tolist()[0]
        advice = did_you_mean(str(label), list(map(str, classes)))
        message = f"the target of example {row} is {reprlib.repr(label)}, {unknown}"
        raise DataError(source, f"{message}; {advice}" if advice else message)
    return numbers[inverse].reshape(-1)


def _flat(targets: Array, source: str) -> Array:
    """Return classes as a one-dimensional array of sortable values."""
    if targets.ndim > 1 and targets.shape[1:] != (1,):
        message = f"has the shape {targets.shape}; expected a class for each example"
        advice = "if rows are one-hot, give t.argmax(1); if several labels apply at once, predict='labels'"
        raise DataError(source, f"{message}; {advice}")
    flat = targets.reshape(-1)
    if flat.dtype.kind == "O":
        kinds = sorted({type(value).__name__.rstrip("_") for value in flat})  # np.str_ is a str
        if len(kinds) > 1:
            remedy = "leave out the examples without a class, or give all classes one type"
            raise DataError(source, f"holds values of the types {' and '.join(kinds)}; {remedy}")
        if kinds and kinds[0] not in ("str", "int", "float", "bool"):
            raise DataError(source, f"holds values of the type {kinds[0]}; expected texts, numbers or truth values")
        flat = np.array(flat.tolist())
    if flat.dtype.kind == "f" and not np.isfinite(flat).all():
        row = int(np.flatnonzero(~np.isfinite(flat))[0])
        raise DataError(source, f"the target of example {row} is {flat[row]}; leave out the example")
    return flat


def weight_array(weights: Any, examples: int, source: str) -> NDArray[np.float64]:
    """Return weights as an array with a number from 0 up for each example, not all 0."""
    try:
        array = np.asarray(weights, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(source, f"is not an array of numbers: {error}") from error
    check_weights_shape(array.shape, examples, source)
    wrong = np.flatnonzero(~(np.isfinite(array) & (array >= 0)))
    if len(wrong):
        remedy = "expected 0 or more; write such a number, or leave out the example"
        raise DataError(source, f"the weight of example {wrong[0]} is {array[wrong[0]]:g}; {remedy}")
    if not array.any():
        raise DataError(source, "the weight of every example is 0")
    return array


def check_weights_shape(shape: tuple[int, ...], examples: int, source: str) -> None:
    """Check that an array of weights has a number for each example."""
    if shape != (examples,):
        raise DataError(source, f"has the shape {shape}; expected ({examples},), a number for each example")
