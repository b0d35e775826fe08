"""Optimizers: how a gradient changes the parameters."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from mlpkit.components.component import Component
from mlpkit.components.schedule import START, Progress, Rate, value_now
from mlpkit.errors import ModelFileError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Step(NamedTuple):
    """What an optimizer needs to know about a step.

    Args:
        learning_rate: the learning rate of this step, times the factor that the block's parameters have for it.
        number: number of the step, from 1.
        decay: factor of the weight decay for the block, 0 for none; meaningless if the optimizer's ``uses_decay`` is
            false.
        progress: how far training has come, which schedules follow.
        name: path of the parameter, such as ``Affine1.W``, if the optimizer sees parameters; empty for a block.
    """

    learning_rate: float
    number: int
    decay: float = 1.0
    progress: Progress = START
    name: str = ""


class Optimizer(Component):
    """Updates parameters from their gradients.

    All parameters are in one flat array, their gradients in another, and each slot in one more. The trainer
    calls ``update`` on contiguous blocks of these arrays, in any number and size, and evaluates
    ``learning_rate`` before each step. Several threads may call ``update`` at once, on different blocks. An optimizer
    that sees parameters gets one parameter a call instead, in its shape.

    These are attributes of the class, or set by a constructor whose parameters decide on them.

    Attributes:
        slots: names of the arrays, of the parameters' size and first zero, that ``update`` keeps.
        sees: ``blocks``, if each element is updated from its own values only, or ``parameters``.
        elementwise: false for an optimizer of blocks that are whole parameters, flat; ``sees`` is the better way.
        evaluates: name of the slot that is evaluated and saved in place of the parameters; empty for themselves.
        uses_decay: whether ``update`` uses ``step.decay``; if not, a block may hold values that differ in it.
        slots_version: increase it if the meaning of the slots changes; resuming from slots of another version upgrades
            them.
        learning_rate: a number or a schedule, set by the constructor.
    """

    kind: ClassVar[str] = "optimizer"
    slots = tuple[str, ...]()
    sees = "blocks"
    elementwise = True
    evaluates = ""
    uses_decay = True
    slots_version: ClassVar[int] = 1

    if TYPE_CHECKING:  # no field: the class that takes one declares it

        def _declare(self) -> None:
            self.learning_rate: Rate

    @abstractmethod
    def update(
        self, value: NDArray[Any], gradient: NDArray[Any], slots: Mapping[str, NDArray[Any]], step: Step
    ) -> None:
        """Change ``value`` in place.

        Args:
            value: a block of the parameters, one-dimensional; or a parameter, whose rows may have gaps in memory.
            gradient: the same block of the gradients, or the parameter's; may be overwritten.
            slots: the same block of each slot, or the parameter's slots, by name.
            step: the learning rate and the factor of weight decay for this block, and the number of the step.
        """

    def slots_of(self, name: str, shape: tuple[int, ...]) -> Mapping[str, tuple[int, ...]]:
        """Return the shape of each slot of a parameter, by name; by default the parameter's for each of ``slots``.

        Only an optimizer that sees parameters is asked.

        Args:
            name: path of the parameter, such as ``Affine1.W``.
            shape: shape of the parameter.
        """
        return dict.fromkeys(self.slots, shape)

    def now(self, rate: Rate, step: Step) -> float:
        """Return the value, in a step, of a parameter that may be a schedule.

        Raises:
            ParameterError: the schedule leaves the parameter's range.
        """
        return rate if isinstance(rate, float) else value_now(self, rate, step.progress)

    def upgrade_slots(self, slots: Mapping[str, NDArray[Any]], version: int) -> None:
        """Convert slots of another version to the present one, in place; by default an error.

        Args:
            slots: the slots as saved; of one parameter, if the optimizer sees parameters.
            version: their ``slots_version``.

        Raises:
            ModelFileError: they can't be converted.
        """
        raise ModelFileError(
            f"the checkpoint holds slots of version {version} of optimizer {self.registered_name}, which now keeps "
            f"version {self.slots_version}; resume with the version of its package that wrote the checkpoint"
        )
