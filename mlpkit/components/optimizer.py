"""Optimizers: how a gradient changes the parameters."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from mlpkit.components.component import Component

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlpkit.components.schedule import Rate


class Optimizer(Component):
    """Updates parameters from their gradients.

    All parameters lie in one flat array, their gradients in another, and each slot in one more. The trainer
    calls ``update`` on contiguous blocks of these arrays, in any number and size, and evaluates
    ``learning_rate`` before each step. Several threads may call ``update`` at once, on different blocks.

    ``slots``, ``elementwise`` and ``uses_decay`` are attributes of the class, or set by a constructor whose parameters
    decide on them.

    Attributes:
        slots: names of the arrays, of the parameters' size and first zero, that ``update`` keeps.
        elementwise: whether each element is updated from its own values only; if not, blocks are whole arrays.
        uses_decay: whether ``update`` looks at ``decay``; if not, a block may hold both what decays and what doesn't.
        learning_rate: a number or a schedule, set by the constructor.
    """

    kind: ClassVar[str] = "optimizer"
    slots: tuple[str, ...] = ()
    elementwise: bool = True
    uses_decay: bool = True
    learning_rate: Rate

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Return parameters that show the optimizer at work, for tests and ``show``; by default its defaults."""
        return []

    @abstractmethod
    def update(
        self,
        value: NDArray[Any],
        gradient: NDArray[Any],
        slots: Mapping[str, NDArray[Any]],
        *,
        learning_rate: float,
        step: int,
        decay: bool,
    ) -> None:
        """Change ``value`` in place.

        Args:
            value: a block of the parameters, one-dimensional.
            gradient: the same block of the gradients; may be overwritten.
            slots: the same block of each slot.
            learning_rate: the learning rate for this step.
            step: number of this step, from 1.
            decay: whether weight decay applies to this block: it doesn't where a layer declared the parameter with
                ``decay=False``. Without meaning if ``uses_decay`` is false.
        """
