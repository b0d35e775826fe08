"""Watching over a training: when a network is probed, and how new symptoms are reported."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from mlpkit.components.callback import TrainingView
from mlpkit.jobs.open_training import OpenTraining
from mlpkit.network.sequential import Sequential
from mlpkit.runs.folder import RunFolder
from mlpkit.training.events import Observer, Watch
from mlpkit.training.health import Health
from mlpkit.verbs.doctor.health_history import HealthHistory, facts_of
from mlpkit.verbs.doctor.probe import Probe
from mlpkit.verbs.doctor.symptoms import new_symptoms

STEPS_APART: Final = 8
"""Steps between two probes of a network, at least: a probe takes as long as one or two."""


def is_probed(evaluation: int) -> bool:
    """Whether the network is probed after an evaluation; evaluations are counted from 1.

    It's probed after each of the first 15, every second up to 31, every fourth up to 63, and so on: eight per doubling.
    """
    return evaluation % (1 << max(0, evaluation.bit_length() - 4)) == 0


class HealthMonitor(Watch):
    """Probes a network before the first step and after evaluations, and reports new symptoms."""

    def __init__(self, training: OpenTraining, network: Sequential, observer: Observer, steps: int | None) -> None:
        proved, splits = training.proved, training.splits
        self._probe = Probe(network, splits["train"], proved.description, splits.get("validation"))
        self._healths: list[Health] = []
        self._history = HealthHistory(facts_of(proved, network, steps), [], self._healths)
        self._observer = observer

    def began(self, view: TrainingView, learning_rate: float) -> None:
        """Probe the network before the first step; after a resume, read the earlier probes."""
        self._progress, self._history.evaluations = view.progress, view.history
        if view.progress.step == 0:
            self._probe_now(learning_rate)
        elif view.folder is not None:
            self._healths += RunFolder(view.folder).read_health()
            self._history.known = {symptom["name"] for health in self._healths for symptom in health["symptoms"]}

    def before_evaluated_step(self) -> None:
        """Remember the parameters, to see how far the step moves them."""
        self._probe.remember(self._progress.step)

    def evaluated(self, learning_rate: float, *, last: bool) -> None:
        """Probe the network, if it is time to."""
        due = is_probed(len(self._history.evaluations)) and self._progress.step >= self._last_step + STEPS_APART
        if last or due:
            self._probe_now(learning_rate)

    def diverged(self, learning_rate: float) -> None:
        """Probe the diverged network."""
        with suppress(Exception):  # whatever a layer makes of such numbers, the divergence is the error to report
            self._probe_now(learning_rate)

    @property
    def _last_step(self) -> int:
        """Steps done at the last probe."""
        return int(self._healths[-1]["iteration"]) if self._healths else -STEPS_APART

    def _probe_now(self, learning_rate: float) -> None:
        progress = self._progress
        if self._last_step >= progress.step:
            return
        health = self._probe(progress.step, progress.epoch, learning_rate)
        self._healths.append(health)
        symptoms = new_symptoms(self._history)
        health["symptoms"] = [symptom.to_plain() for symptom in symptoms]
        self._observer.probed(health)
        for symptom in symptoms:
            self._observer.diagnosed(symptom)
