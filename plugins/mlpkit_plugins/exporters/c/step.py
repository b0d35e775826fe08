"""One step of a program in C: an operator, with what it takes and what it computes."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np

from mlpkit import NotExportableError
from mlpkit_plugins.exporters.c.shared_functions import pieces
from mlpkit_plugins.exporters.c.syntax import INDENT, Names, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlpkit import Array
    from mlpkit.graph import Node


MATH: Final = frozenset({"ceil", "cos", "erf", "exp", "fabs", "floor", "log", "pow", "rint", "sin", "sqrt", "tanh"})
"""Functions of C's ``math.h``, by their names for ``double``."""


class Operand(NamedTuple):
    """What a value is in C: one example's part of it, or all of it if it doesn't change.

    Args:
        name: a pointer to its first element; of a variable that isn't an array, the variable.
        shape: its shape, without the batch axis unless it doesn't change.
        dtype: its dtype.
        constant: its elements, if they don't change.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    constant: Array | None = None

    @property
    def size(self) -> int:
        """How many elements it has."""
        return prod(self.shape)

    @property
    def pointer(self) -> str:
        """A pointer to its first element."""
        return f"&{self.name}" if self.size == 1 and self.constant is None else self.name

    def at(self, index: str) -> str:
        """Return the element with that index."""
        if self.size == 1:
            return self.name if self.constant is None else literal(self.constant.ravel()[0])
        return f"{self.name}[{index}]"


@dataclass
class Step:
    """An operator in a program in C.

    Args:
        node: the operator.
        inputs: what it takes; None for an optional input that is left out.
        output: what it computes.
        arrays: the arrays of the file that don't change, by their names; a step may add its own.
        names: the names that the file has used.
        quantized: whether weights that are integers times a scale are written as such.
        multiplications: how many products of inputs and weights it adds up, which the operator sets.
        stack: the bytes of the variables of its own, which the operator sets.
    """

    node: Node
    inputs: list[Operand | None]
    output: Operand
    arrays: dict[str, Array]
    names: Names
    quantized: bool = False
    multiplications: int = 0
    stack: int = 0

    def function(self, name: str) -> str:
        """Return a mathematical function for the dtype of the first input: mlpkit's own, or that of ``math.h``.

        Args:
            name: its name for ``double``.

        Raises:
            NotExportableError: there is no such function.
        """
        dtype, own = self.input(0).dtype, f"mlpkit_{name}f"
        if dtype == np.float32 and own in pieces():
            return own
        if dtype.kind != "f" or name not in MATH:
            raise self.refused(f"on {dtype.name}")
        return name if dtype == np.float64 else f"{name}f"

    def input(self, number: int) -> Operand:
        """Return an input.

        Raises:
            NotExportableError: it is left out.
        """
        operand = self.inputs[number] if number < len(self.inputs) else None
        if operand is None:
            raise self.refused(f"without its input {number + 1}")
        return operand

    def varying(self, number: int) -> Operand:
        """Return an input that is computed for each example.

        Raises:
            NotExportableError: it doesn't change.
        """
        operand = self.input(number)
        if operand.constant is not None:
            raise self.refused(f"with an input {number + 1} that doesn't change")
        return operand

    def floats(self) -> Operand:
        """Return the first input, which is computed for each example in float32.

        Raises:
            NotExportableError: it doesn't change, or has another dtype.
        """
        operand = self.varying(0)
        if operand.dtype != np.float32:
            raise self.refused(f"on {operand.dtype.name}")
        return operand

    def fixed(self, number: int) -> Array:
        """Return the elements of an input that doesn't change.

        Raises:
            NotExportableError: it is computed for each example.
        """
        constant = self.input(number).constant
        if constant is None:
            raise self.refused(f"with an input {number + 1} that is computed for each example")
        return constant

    def has(self, number: int) -> bool:
        """Return whether an input is there."""
        return number < len(self.inputs) and self.inputs[number] is not None

    def expect(self, **values: Any) -> None:
        """Check that attributes, if given, have the only values that C knows.

        Raises:
            NotExportableError: one has another value.
        """
        for name, value in values.items():
            given = self.node.attributes.get(name, value)
            if np.any(np.asarray(given) != np.asarray(value)):
                raise self.refused(f"with {name} = {given}")

    def axis(self, default: int = -1) -> int:
        """Return the attribute ``axis`` as an axis of one example.

        Raises:
            NotExportableError: it is the batch axis.
        """
        return self.own_axis(int(self.node.attributes.get("axis", default)))

    def own_axis(self, axis: int) -> int:
        """Return an axis of the first input that varies as an axis of one example.

        Raises:
            NotExportableError: it is the batch axis.
        """
        rank = 1 + next(len(each.shape) for each in self.inputs if each is not None and each.constant is None)
        if axis % rank == 0:
            raise self.refused("along the batch axis")
        return axis % rank - 1

    def array(self, what: str, array: Array) -> str:
        """Add an array that doesn't change to the file, and return its name.

        Args:
            what: a word that its name ends in.
            array: its elements.
        """
        name = self.names.new(f"{self.node.made_by}_{what}")
        self.arrays[name] = np.ascontiguousarray(array)
        return name

    def refused(self, what: str) -> NotExportableError:
        """Return the error that C doesn't know an operator in this form.

        Args:
            what: the form, such as "with ceil_mode = 1".
        """
        who = self.node.made_by or "the graph"
        return NotExportableError(
            f"{who} uses the operator {self.node.operator} {what}, which can't be written in C; "
            "export the model to .onnx, or write the layer in other operators",
            self.node.made_by,
        )


Operator: TypeAlias = "Callable[[Step], list[str]]"
"""Returns the statements that compute an operator."""


def loops(
    shape: tuple[int, ...], strides: Sequence[tuple[int, ...]], statement: str, begins: Sequence[int] = ()
) -> list[str]:
    """Return loops over the elements of an array of a shape, the last axis innermost, around a statement.

    Axes that all operands go through in one are one loop.

    Args:
        shape: the shape.
        strides: of each operand, how far apart neighbours along each axis are.
        statement: what to do; ``{0}``, ``{1}``, ... stand for the index of each operand.
        begins: index of each operand's first element; 0 for those that are left out.
    """
    axes = _merged([(size, *(each[axis] for each in strides)) for axis, size in enumerate(shape) if size != 1])
    variables = "ijkl" if len(axes) <= 4 else [f"i{axis}" for axis in range(len(axes))]
    lines = [
        f"{INDENT * depth}for (size_t {variable} = 0; {variable} < {size}; {variable}++) {{"
        for depth, (variable, (size, *_)) in enumerate(zip(variables, axes, strict=False))
    ]
    begins = [*begins, *[0] * (len(strides) - len(begins))]
    indices = [_index(begin, variables, [axis[1 + operand] for axis in axes]) for operand, begin in enumerate(begins)]
    lines.append(INDENT * len(axes) + statement.format(*indices))
    return lines + [INDENT * depth + "}" for depth in reversed(range(len(axes)))]


def _merged(axes: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Return axes, each a size and a stride per operand, with neighbours joined if that changes no index."""
    merged: list[tuple[int, ...]] = []
    for size, *strides in axes:
        if merged and list(merged[-1][1:]) == [size * stride for stride in strides]:
            merged[-1] = (merged[-1][0] * size, *strides)
        else:
            merged.append((size, *strides))
    return merged


def _index(begin: int, variables: Sequence[str], strides: list[int]) -> str:
    terms = [
        variable if stride == 1 else f"{stride} * {variable}"
        for variable, stride in zip(variables, strides, strict=False)
        if stride
    ]
    return " + ".join([*([str(begin)] if begin or not terms else []), *terms])


def row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return how far apart neighbours along each axis are in an array without gaps."""
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))


def broadcast(shape: tuple[int, ...], to: tuple[int, ...]) -> tuple[int, ...]:
    """Return how far apart neighbours along the axes of a shape are in an array that is stretched to it; 0 if alike.

    Args:
        shape: the array's shape, with as many axes or fewer.
        to: the shape.
    """
    strides = [0 if size == 1 else stride for size, stride in zip(shape, row_major(shape), strict=True)]
    return (*[0] * (len(to) - len(shape)), *strides)
