"""What a layer declares: parameters, which are trained, and state, which is only kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.components.initializer import Fans, InitializerLike


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
        decay: whether weight decay applies to it.
    """

    name: str
    path: str
    shape: tuple[int, ...]
    initializer: InitializerLike
    fans: Fans
    decay: bool = True
    value: NDArray[Any] = field(init=False, repr=False)
    grad: NDArray[Any] = field(init=False, repr=False)


@dataclass(slots=True, eq=False)
class State:
    """An array that a layer keeps from step to step and that is saved, but not trained.

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
