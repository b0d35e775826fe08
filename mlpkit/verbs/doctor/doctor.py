"""Saying afterwards what was wrong with a training."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from types import ModuleType
from typing import Any

from mlpkit.errors import MlpkitError, UsageError
from mlpkit.jobs.leaks import leaks_in
from mlpkit.jobs.run_inputs import parse_resolved, prove_again
from mlpkit.jobs.spec_data import open_data
from mlpkit.pages.notebook_tables import html_table
from mlpkit.registry.registry import Registry
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import RunArgument, directory_of, require_one_network
from mlpkit.training.health import Symptom, recorded_symptoms


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
        leaks: a sentence for each column of a table that tells the target on its own.
        unread: why the data wasn't looked at for such columns; empty if it was.
    """

    directory: Path
    symptoms: tuple[Symptom, ...]
    probes: tuple[int, ...]
    rows: int
    layers: int
    evaluations: int
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
        UsageError: no folder keeps the run, or it has no health record.
        RunFolderError: the folder isn't a run folder, or damaged, or the data isn't there any more.
        SpecError: a plugin that the spec needs is missing.
        DataError: a data file is not what it should be.
    """
    directory, registry = directory_of(run), Registry.discover(plugins=plugins, blocked=blocked)
    found = diagnose(directory)
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


def diagnose(directory: Path) -> Diagnosis:
    """Return what mlpkit noticed during a training."""
    require_one_network(directory, "doctor")
    folder = RunFolder.open(directory)
    healths = folder.read_health()
    if not healths:
        raise UsageError(f"{directory}: has no health record; train it again to record one")
    symptoms = recorded_symptoms(folder, healths)
    probes = tuple(health["iteration"] for health in healths)
    rows, layers = healths[-1]["rows"], len(healths[-1]["layers"])
    return Diagnosis(directory, tuple(symptoms), probes, rows, layers, len(folder.read_history()))
