"""What a run would cost, estimated from a few real steps; nothing is written."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from mlpkit.cli.options import given_spec
from mlpkit.components.callback import Callback, TrainingView
from mlpkit.components.schema.wording import counted, memory_size
from mlpkit.errors import UsageError
from mlpkit.groups.several_runs import shared_out
from mlpkit.groups.several_specs import group_of
from mlpkit.jobs.load_model import Origin, model_of
from mlpkit.jobs.open_training import OpenTraining, open_training
from mlpkit.jobs.prove import prove
from mlpkit.jobs.train import WATCHES
from mlpkit.lazy_names import load
from mlpkit.specfile.spec import Spec
from mlpkit.system import peak_memory
from mlpkit.terminal.figures import duration, short_duration
from mlpkit.terminal.output import document, print_warnings, result
from mlpkit.training.events import Observer, Watch
from mlpkit.training.loop import Trainer
from mlpkit.training.ranks import Ranks
from mlpkit.verbs.run.training import TrainingOptions

SECONDS: Final = 1.0
"""How long to measure steps; a step that takes longer is measured once."""


class Cost(NamedTuple):
    """What a run of a spec would cost, in seconds and bytes; the last evaluation is that of the trained network."""

    spec: str
    runs: int
    steps: int
    evaluations: int
    seconds_per_step: float
    seconds_per_evaluation: float
    seconds: float
    disk: int
    threads: int


def print_costs(paths: Sequence[str], overrides: Sequence[str], wanted: TrainingOptions, ranks: Ranks) -> None:
    """Print what it would cost to train specs, given by their files, in this process alone."""
    if ranks.size > 1:
        raise UsageError("--dry-run measures a single process; start mlpkit without mpiexec")
    costs = [_cost(path, given_spec(path, overrides, **wanted.plugin_options)) for path in paths]
    runs = sum(cost.runs for cost in costs)
    at_once, _ = shared_out(runs, max(cost.threads for cost in costs), wanted.workers)
    total: dict[str, Any] = {
        "runs": runs,
        "at_once": at_once,
        "seconds": sum(cost.runs * cost.seconds for cost in costs) / at_once,
        "memory": at_once * peak_memory(),
        "disk": sum(cost.runs * cost.disk for cost in costs),
    }
    if wanted.as_json:
        document({**total, "specs": [cost._asdict() for cost in costs]})
    else:
        result("\n".join(_lines(costs, total)))


def _lines(costs: Sequence[Cost], total: Mapping[str, Any]) -> Iterator[str]:
    for cost in costs:
        runs = "" if cost.runs == 1 else f"{cost.runs} runs, each of "
        steps = f"{cost.steps:,} steps of {short_duration(cost.seconds_per_step)}"
        evaluations = f"{counted(cost.evaluations, 'evaluation')} of {short_duration(cost.seconds_per_evaluation)}"
        yield f"{cost.spec}: {runs}{steps}, {evaluations}"
    several = f", {total['runs']} runs, {total['at_once']} at once" if total["runs"] > 1 else ""
    seconds = total["seconds"]
    yield f"time: about {short_duration(seconds) if seconds < 10 else duration(seconds)}{several}"
    yield f"memory: about {memory_size(total['memory'])}"
    yield f"disk: {memory_size(total['disk'])}"


def _cost(path: str, spec: Spec) -> Cost:
    """Return what the runs of a spec would cost, each like the first."""
    print_warnings(spec.warnings)
    group = group_of(spec)
    first, runs = (
        (spec.with_seed(spec.seeds[0]), 1) if group is None else (group.spec_of(group.numbers[0]), len(group.numbers))
    )
    began = time.perf_counter()
    proved = prove(first)
    print_warnings(proved.warnings)
    clock, section = _Clock(), proved.spec.training
    with open_training(proved) as training:
        network = training.network()
        measured = replace(section, callbacks=(), checkpoint=None, evaluate_every=sys.maxsize)
        watches = [load(place)(training, network, Observer(), None) for place in WATCHES]
        trainer = training.trainer(network, measured, callbacks=[clock], watches=[*watches, clock])
        opened = time.perf_counter() - began
        trainer.train()
        step, evaluation = clock.of_step, clock.of_evaluation
        every = section.evaluate_every or trainer.steps_per_epoch
        steps = trainer.total_steps
        if section.seconds is not None:  # the clock ends such a run
            steps = math.ceil(section.seconds / (step + evaluation / every))
        evaluations = math.ceil(steps / every) + 1
        seconds = opened + steps * step + evaluations * evaluation
        disk = _disk(training, trainer, steps, seconds, averaged=spec.trains_ensemble)
    return Cost(path, runs, steps, evaluations, step, evaluation, seconds, disk, training.plan.threads)


def _disk(training: OpenTraining, trainer: Trainer, steps: int, seconds: float, *, averaged: bool) -> int:
    """Return the bytes of the files that grow with the network; an ensemble keeps each network twice."""
    proved, kept = training.proved, training.proved.spec.training.checkpoint
    arrays, _ = model_of(trainer.network, Origin("", proved.dataset))
    model = sum(array.nbytes for array in arrays.values()) * (2 if averaged else 1)
    if kept is None:
        return model
    periods = (kept.every, (kept.every_epochs or 0) * trainer.steps_per_epoch)
    saved = max(int(seconds / (kept.every_seconds or math.inf)), *(steps // period for period in periods if period), 0)
    number = min(kept.keep, saved) + (kept.best is not None)
    return model + (number * sum(array.nbytes for array in trainer.snapshot().arrays.values()) if number else 0)


class _Clock(Callback, Watch):
    """Measures steps and the evaluation after them, and ends the training when that is enough."""

    def began(self, view: TrainingView, learning_rate: float) -> None:
        """Note when the first step starts."""
        self._times = [time.perf_counter()]

    def on_step(self, training: TrainingView, loss: float) -> None:
        """Note when a step is done."""
        self._times.append(time.perf_counter())
        if self._times[-1] - self._times[0] >= SECONDS:
            training.stop("enough steps are measured")

    def evaluated(self, learning_rate: float, *, last: bool) -> None:
        """Measure the evaluation, which follows the last step."""
        self.of_evaluation = time.perf_counter() - self._times[-1]

    @property
    def of_step(self) -> float:
        """The mean time of a step, without the first half of them, in which caches warm up."""
        times = self._times[(len(self._times) - 1) // 2 :]
        return (times[-1] - times[0]) / (len(times) - 1)
