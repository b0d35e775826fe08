"""Following a training from inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from mlpkit.lazy_names import load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit.components.callback import TrainingView
    from mlpkit.components.dataset import Dataset, Description, Split
    from mlpkit.network.sequential import Sequential
    from mlpkit.specfile.spec import Spec
    from mlpkit.training.events import Observer


class Watch:
    """Looks into a network while it is trained, and changes nothing; every method does nothing by default."""

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


WATCHES: Final = ("mlpkit.verbs.doctor.health:HealthMonitor",)
"""The watches that look into each training, imported when it begins."""


class WatchedTraining(NamedTuple):
    """A training that is about to begin.

    Args:
        spec: its spec.
        steps: how many steps to do in place of the time that the spec sets; None to look at the clock.
        network: its network, with the layers frozen that are not trained.
        dataset: its data.
        description: the data's shapes.
        splits: the data, by split.
        observer: receives what a watch finds.
    """

    spec: Spec
    steps: int | None
    network: Sequential
    dataset: Dataset
    description: Description
    splits: Mapping[str, Split]
    observer: Observer


def watches_of(training: WatchedTraining) -> list[Watch]:
    """Return what follows a training."""
    return [load(place)(training) for place in WATCHES]
