"""Saying afterwards what was wrong with a training."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from mlpkit.errors import MlpkitError, UsageError
from mlpkit.jobs.leaks import leaks_in
from mlpkit.jobs.open_training import open_training
from mlpkit.jobs.run_inputs import contents_of, parse_resolved, prove_again
from mlpkit.jobs.spec_data import open_data
from mlpkit.network.sequential import Sequential
from mlpkit.pages.notebook_tables import html_table
from mlpkit.registry.registry import Registry
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import RunArgument, directory_of, require_one_network
from mlpkit.runs.layout import MODEL
from mlpkit.training.checkpointing import restore_arrays
from mlpkit.training.divergence import without_warnings
from mlpkit.training.evaluation import Record
from mlpkit.training.health import Health, Symptom, recorded_symptoms
from mlpkit.verbs.doctor.health_history import HealthHistory, facts_of
from mlpkit.verbs.doctor.probe import Probe
from mlpkit.verbs.doctor.symptoms import new_symptoms


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """What was found in a run.

    Args:
        directory: the run folder.
        symptoms: what was not as it should be, in the order in which it was noticed.
        probes: after how many steps the network was probed.
        rows: how many training rows were followed each time.
        layers: how many layers were looked at.
        evaluations: how many evaluations there are.
        afresh: whether it was looked at only now, because the run kept no record.
        leaks: a sentence for each column of a table that tells the target on its own.
        unread: why the data wasn't looked at for such columns; empty if it was.
    """

    directory: Path
    symptoms: tuple[Symptom, ...]
    probes: tuple[int, ...]
    rows: int
    layers: int
    evaluations: int
    afresh: bool
    leaks: tuple[str, ...] = ()
    unread: str = ""

    @property
    def healthy(self) -> bool:
        """Whether nothing was found."""
        return not self.symptoms

    def __repr__(self) -> str:
        """Return the findings, and what to try."""
        return f"<Diagnosis of {self.directory}: {'; '.join(map(str, self.symptoms)) or 'healthy'}>"

    def _repr_html_(self) -> str:
        """Return a line for each symptom as a table for a notebook."""
        if self.healthy:
            return f"<p>{escape(str(self.directory))}: healthy</p>"
        rows = [[each.title, each.finding, f"{each.iteration:,}", "; or ".join(each.advice)] for each in self.symptoms]
        return html_table(["symptom", "what was found", "after step", "what to try"], rows, texts=[0, 1, 3])

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "run": str(self.directory),
            "healthy": self.healthy,
            "symptoms": [symptom.to_plain() for symptom in self.symptoms],
            "looks": list(self.probes),
            "rows": self.rows,
            "layers": self.layers,
            "evaluations": self.evaluations,
            "afresh": self.afresh,
            "leaks": list(self.leaks),
            "unread": self.unread,
        }


def doctor(
    run: RunArgument, *, plugins: Iterable[str | Path | ModuleType] = (), blocked: Iterable[str] = ()
) -> Diagnosis:
    """Diagnose a training, and suggest what to try.

    Args:
        run: the run, or its folder; it may be unfinished.
        plugins: modules, or paths of Python files, that are plugins too.
        blocked: namespaces, or names of components, to disable.

    Raises:
        UsageError: no folder keeps the run, or it kept no record, and its examples came from Python.
        RunFolderError: the folder isn't a run folder, or damaged, or the data isn't there any more.
        SpecError: a plugin that the spec needs is missing.
        DataError: a data file is not what it should be.
    """
    directory, registry = directory_of(run), Registry.discover(plugins=plugins, blocked=blocked)
    found = diagnose(directory, registry)
    try:
        return replace(found, leaks=_leaks(RunFolder.open(directory), registry))
    except MlpkitError as error:  # the run's own record needs no data
        return replace(found, unread=str(error))


def _leaks(folder: RunFolder, registry: Registry) -> tuple[str, ...]:
    """Return a sentence for each column of a table that tells the target on its own."""
    spec = parse_resolved(folder.directory, folder.resolved_text(), registry)
    dataset = spec.new_dataset()
    if dataset.in_memory:
        return ()
    description = prove_again(folder.directory, spec, dataset).description
    return leaks_in(open_data(spec, dataset)["train"], description, dataset) if description.columns else ()


def diagnose(directory: Path, registry: Registry | None = None) -> Diagnosis:
    """Return what was wrong with a run.

    mlpkit noticed it during the training. Without a record, the network is looked at now: as it was at the beginning,
    at its checkpoints and at the end.
    """
    require_one_network(directory, "doctor")
    folder = RunFolder.open(directory)
    history, healths = folder.read_history(), folder.read_health()
    afresh = not healths
    if afresh:
        healths = _probes_now(folder, history, registry or Registry.discover())
    symptoms = recorded_symptoms(folder, healths)
    probes = tuple(health["iteration"] for health in healths)
    rows, layers = healths[-1]["rows"], len(healths[-1]["layers"])
    return Diagnosis(directory, tuple(symptoms), probes, rows, layers, len(history), afresh)


def _probes_now(folder: RunFolder, records: list[Record], registry: Registry) -> list[Health]:
    """Probe all saved states of a run's network."""
    spec = parse_resolved(folder.directory, folder.resolved_text(), registry)
    dataset = spec.new_dataset()
    if dataset.in_memory:
        raise UsageError(
            f"{folder.directory}: has no health record, and its examples came from Python; train it again to record one"
        )
    proved = prove_again(folder.directory, spec, dataset)
    with open_training(proved) as training, without_warnings():
        splits, network = training.splits, training.network()
        network.freeze(proved.frozen)
        history = HealthHistory(facts_of(proved, network), evaluations=[], healths=[], single_probe=True)
        with network.computing():
            probe = Probe(network, splits["train"], proved.description, splits.get("validation"))
            for step in _states(folder, network, records):
                history.evaluations = [record for record in records if record["iteration"] <= step]
                rate = history.evaluations[-1]["learning_rate"] if history.evaluations else 0.0
                health = probe(step, step / history.facts.steps_per_epoch, rate)
                history.healths = [*history.healths, health]
                health["symptoms"] = [symptom.to_plain() for symptom in new_symptoms(history)]
    return list(history.healths)


def _states(folder: RunFolder, network: Sequential, history: list[Record]) -> Iterator[int]:
    """Put a network into each state that is left of it, the first one first, and yield the steps done."""
    yield 0
    checkpoints = map(contents_of, folder.checkpoints.load_before(sys.maxsize, lambda _: None))
    snapshots = {snapshot.step: snapshot for snapshot, _ in checkpoints if snapshot.step > 0}
    for step in sorted(snapshots):
        restore_arrays(network, {}, snapshots[step].arrays)
        yield step
    last = int(history[-1]["iteration"]) if history else 0
    if last > max(snapshots, default=0) and (folder.directory / MODEL).exists():
        model = folder.load_model()
        for name, array in (*network.parameters.items(), *network.states.items()):
            np.copyto(array, model.arrays[name])
        yield last
