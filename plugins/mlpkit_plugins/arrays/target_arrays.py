"""Targets, classes and weights in memory as arrays."""

from __future__ import annotations

import reprlib
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, DataError, ModelFileError, did_you_mean
from mlpkit_plugins.arrays.array_targets import Predicted

NO_EXAMPLES: Final = (
    "the examples were passed in Python and aren't in a file; pass them again: mlpkit.fit(x, t, ...), or "
    "mlpkit.resume(RUN, examples=(x, t)) to go on"
)


class Labelled(NamedTuple):
    """The classes of a target, in the order of their numbers: texts, numbers or truth values."""

    classes: tuple[Any, ...]

    @classmethod
    def of(cls, targets: Array, source: str) -> Labelled:
        """Find the classes of a target."""
        return cls(tuple(np.unique(_flat(targets, source)).tolist()))

    @classmethod
    def from_plain(cls, plain: object) -> Labelled:
        """Restore classes from plain data of a model file, which may be anything."""
        labels = plain if isinstance(plain, list) else [plain]
        kinds = {type(label) for label in labels}
        if (
            labels is not plain
            or len(kinds) != 1
            or not kinds <= {str, int, float, bool}
            or len({*labels}) < len(labels)
        ):
            raise ModelFileError(f"the encoder of the arrays has the classes {reprlib.repr(plain)}")
        return cls(tuple(labels))

    def names(self) -> tuple[str, ...] | None:
        """Return the classes as texts; None if they are the numbers from 0."""
        numbered = self.classes == tuple(range(len(self.classes))) and type(self.classes[0]) is int
        return None if numbered else tuple(map(str, self.classes))


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
    return "labels" if targets.ndim == 2 and targets.dtype.kind in "biu" and _are_bits(targets) else "values"


def layers_to_begin_with(predict: str) -> list[Any]:
    """Return the layers of a small perceptron for a target, as in a spec."""
    loss = {"labels": "SigmoidWithLoss", "values": "MeanSquaredError"}.get(predict, "SoftmaxWithLoss")
    return [{"Affine": {"units": 64}}, "Relu", {"Affine": {"units": "auto"}}, loss]


def class_numbers(targets: Array, labelled: Labelled, source: str, unknown: str) -> NDArray[np.int64]:
    """Return the number of each target's class; ``unknown`` is the end of the message for an unknown class."""
    flat = _flat(targets, source)
    position = {label: number for number, label in enumerate(labelled.classes)}
    distinct, inverse = np.unique(flat, return_inverse=True)
    numbers = np.array([position.get(label, -1) for label in distinct.tolist()], np.int64)
    if (numbers < 0).any():
        row = int(np.flatnonzero(numbers[inverse] < 0)[0])
        label = flat[row : row + 1].tolist()[0]
        advice = did_you_mean(str(label), list(map(str, labelled.classes)))
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


def _are_bits(targets: Array) -> bool:
    return bool(((targets == 0) | (targets == 1)).all())


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
