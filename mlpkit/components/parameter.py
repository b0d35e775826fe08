"""Parameters and states of layers, and the layout of their rows in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.components.initializer import Fans, InitializerLike


COMPETING = 512
"""Elements; rows compete if their length is a multiple: in float32, of 2 KiB."""

GAP = 16
"""Elements; in float32 a cache line."""


def row_stride(shape: tuple[int, ...]) -> int:
    """Return the distance of an array's rows, along the last axis, in elements: their length, or a little more."""
    length = shape[-1] if shape else 1
    return length + GAP if len(shape) > 1 and length and length % COMPETING == 0 else length


def padded_view(memory: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return the array of a shape, its rows at that distance, in contiguous memory of its ``gapped_size``."""
    stride = row_stride(shape)
    if not shape or stride == shape[-1]:
        return memory.reshape(shape)
    return memory.reshape(*shape[:-1], stride)[..., : shape[-1]]


def gapped_size(shape: tuple[int, ...]) -> int:
    """Return the elements of memory that an array takes if its rows have that distance."""
    return row_stride(shape) * prod(shape[:-1])


class StepFactors(NamedTuple):
    """What weight decay, 0 for none, and learning rate are multiplied by for a parameter."""

    decay: float = 1.0
    rate: float = 1.0


@dataclass(slots=True, eq=False)
class Parameter:
    """An array that training changes.

    The network lays all parameters out in one flat array and sets ``value`` and ``grad`` to views of it and
    of the flat gradient; before that neither exists.

    Args:
        name: its name within its layer, such as ``W``.
        path: its name within the network, such as ``Affine1.W``.
        shape: its shape.
        initializer: where its first values come from.
        fans: its fan-in and fan-out.
        decay: factor of the weight decay for it; 0 for none.
        rate: factor of the learning rate for it.
        unit_axis: the axis that counts the units, whose incoming weights are along the other axes.
        constraint: changes its value in place after each step, so that it satisfies something; None for nothing.
    """

    name: str
    path: str
    shape: tuple[int, ...]
    initializer: InitializerLike
    fans: Fans
    decay: float = 1.0
    rate: float = 1.0
    unit_axis: int = -1
    constraint: Callable[[NDArray[Any]], None] | None = None
    value: NDArray[Any] = field(init=False, repr=False)
    grad: NDArray[Any] = field(init=False, repr=False)

    @property
    def factors(self) -> StepFactors:
        """Both factors, which a training may replace."""
        return StepFactors(self.decay, self.rate)

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        """Return what a copy or a pickle takes over: all but the gradient."""
        return None, {name: getattr(self, name) for name in self.__slots__ if name != "grad" and hasattr(self, name)}


@dataclass(slots=True, eq=False)
class State:
    """An array that a layer keeps and that is saved, but not trained.

    Args:
        name: its name within its layer, such as ``running_mean``.
        path: its name within the network.
        shape: its shape.
        initial: the number that fills it at first.
        value: the array, once the network has allocated it.
    """

    name: str
    path: str
    shape: tuple[int, ...]
    initial: float
    value: NDArray[Any] = field(init=False, repr=False)
