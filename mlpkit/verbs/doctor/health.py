"""Watching over a training: when a network is probed, and how new symptoms are reported."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from mlpkit.verbs.doctor.course import Course
from mlpkit.verbs.doctor.probe import Probe
from mlpkit.verbs.doctor.symptoms import new_symptoms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlpkit.components.dataset import Description, Split
    from mlpkit.components.schedule import Progress
    from mlpkit.network.sequential import Sequential
    from mlpkit.training.evaluation import Record
    from mlpkit.training.events import Observer
    from mlpkit.training.health import Health
    from mlpkit.verbs.doctor.course import TrainingFacts


STEPS_APART: Final = 8
"""Steps between two looks at a network, at least: a look takes as long as one or two."""


def is_probed(evaluation: int) -> bool:
    """Whether the network is looked at after an evaluation, counted from 1, as far as their number says.

    It is after each of the first 15, after every second up to 31, every fourth up to 63, and so on: eight a doubling.
    """
    return evaluation % (1 << max(0, evaluation.bit_length() - 4)) == 0


class HealthMonitor:
    """Looks at a network before the first step and after evaluations, and reports new symptoms.

    Args:
        network: the network.
        split: the training data.
        description: its shapes.
        facts: what else is known of the training.
        history: the evaluations, which grow.
        observer: receives what is found.
        validation: the validation data, if it is evaluated.
    """

    def __init__(
        self,
        network: Sequential,
        split: Split,
        description: Description,
        facts: TrainingFacts,
        history: list[Record],
        observer: Observer,
        validation: Split | None = None,
    ) -> None:
        self._probe = Probe(network, split, description, validation)
        self._healths: list[Health] = []
        self._course = Course(facts, history, self._healths)
        self._observer = observer

    def resume(self, healths: Iterable[Health]) -> None:
        """Go on from what was found before a resume."""
        self._healths[:] = healths
        self._course.known = {symptom["name"] for health in self._healths for symptom in health["symptoms"]}

    def begin(self, progress: Progress, learning_rate: float) -> None:
        """Look at the network before the first step."""
        if progress.step == 0:
            self._look(progress, learning_rate)

    def before_step(self, step: int) -> None:
        """Remember the parameters before a step after which the network will be looked at.

        Args:
            step: steps done.
        """
        self._probe.remember(step)

    def after_evaluation(self, progress: Progress, learning_rate: float, *, last: bool) -> None:
        """Look at the network, if it is time to.

        Args:
            progress: how far training has come.
            learning_rate: the learning rate of the last step.
            last: whether training is over.
        """
        if last or (is_probed(len(self._course.history)) and progress.step >= self._last_step + STEPS_APART):
            self._look(progress, learning_rate)

    def after_failure(self, progress: Progress, learning_rate: float) -> None:
        """Look at what a training that diverged has left."""
        with suppress(Exception):  # whatever a layer makes of such numbers, the divergence is the error to report
            self._look(progress, learning_rate)

    @property
    def _last_step(self) -> int:
        """Steps that had been done at the last look."""
        return int(self._healths[-1]["iteration"]) if self._healths else -STEPS_APART

    def _look(self, progress: Progress, learning_rate: float) -> None:
        if self._last_step >= progress.step:
            return
        health = self._probe(progress.step, progress.epoch, learning_rate)
        self._healths.append(health)
        symptoms = new_symptoms(self._course)
        health["symptoms"] = [symptom.to_plain() for symptom in symptoms]
        self._observer.probed(health)
        for symptom in symptoms:
            self._observer.diagnosed(symptom)
