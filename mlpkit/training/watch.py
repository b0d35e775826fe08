"""Following a training from inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from mlpkit.components.callback import TrainingView


class Watch:
    """Looks into a network while it is trained, and changes nothing; every method doesn'thing by default."""

    each_step: ClassVar[bool] = False
    """Whether ``gradient`` and ``clipped`` are called."""

    def began(self, view: TrainingView, learning_rate: float) -> None:
        """The first step is next, or the first one after a resume.

        Args:
            view: how far training has come, and its evaluations; both grow.
            learning_rate: the learning rate of that step.
        """

    def before_evaluated_step(self) -> None:
        """A step is next, and after it an evaluation."""

    def gradient(self) -> None:
        """The gradient of a step is computed, and not clipped yet."""

    def clipped(self) -> None:
        """The gradient is as the optimizer will get it."""

    def evaluated(self, learning_rate: float, *, last: bool) -> None:
        """An evaluation was done.

        Args:
            learning_rate: the learning rate of the last step.
            last: whether training is over.
        """

    def diverged(self, learning_rate: float) -> None:
        """Training diverged, and is over.

        Args:
            learning_rate: the learning rate of the step that failed.
        """
