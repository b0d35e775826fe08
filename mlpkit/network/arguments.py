"""Checks of what a network is given in Python; a spec has checked the same already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from mlpkit.components.operation import Shape

DTYPES = ("float32", "float64")


def network_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return the dtype that a network computes in.

    Raises:
        UsageError: it is neither float32 nor float64.
    """
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found.name not in DTYPES:
        raise UsageError(f"a network can't compute in {dtype!r}; expected {' or '.join(DTYPES)}")
    return found


def input_shape_of(shape: Sequence[int]) -> Shape:
    """Return the shape of one example.

    Raises:
        UsageError: it is not a sequence of integers from 1 up.
    """
    if not isinstance(shape, tuple | list) or not all(isinstance(n, int | np.integer) and n >= 1 for n in shape):
        raise UsageError(f"the input shape {shape!r} is no shape of an example; expected one such as (784,)")
    return tuple(int(n) for n in shape)


def expect_names(names: Sequence[str], members: int) -> None:
    """Make sure that each member of the stack has a name of its own.

    Raises:
        UsageError: there are too many or too few, or one is empty, has a dot, or is there twice.
    """
    if len(names) != members:
        raise UsageError(f"there are {len(names)} names for {members} members of the stack; expected as many")
    taken = set()
    for name in names:
        if not name or "." in name:
            raise UsageError(f"{name!r} can't be a layer's name; expected a string without dots")
        if name in taken:
            raise UsageError(f"two members of the stack are called '{name}'; expected names that differ")
        taken.add(name)


def expect_slices(slices: int) -> None:
    """Make sure that a minibatch is cut into at least one slice.

    Raises:
        UsageError: it is not.
    """
    if slices < 1:
        raise UsageError(f"a minibatch can't be cut into {slices} slices; expected at least 1")


def number_array(values: ArrayLike, dtype: np.dtype[Any] | None, what: str) -> NDArray[Any]:
    """Return an array of numbers.

    Args:
        values: what was given.
        dtype: the dtype to convert to; None keeps the array's own.
        what: what the values are, for messages.

    Raises:
        UsageError: it is none, such as a list whose rows differ in length, or an array of strings.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise UsageError(f"the {what} are no array of numbers: {error}") from error
    if array.dtype.kind not in "biuf":
        raise UsageError(f"the {what} are an array of {array.dtype}; expected numbers")
    return np.asarray(array, dtype)
