"""Runs as pages and comparisons take them: one alone, or several together."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlpkit.errors import RunFolderError
from mlpkit.jobs.run_inputs import DATA
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import is_run_folder, runs_in
from mlpkit.runs.layout import LOCK, RESOLVED
from mlpkit.specfile.document import parse_document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mlpkit.training.evaluation import Record


@dataclass(frozen=True)
class RunOnPage:
    """A run as it is compared.

    Args:
        directory: the run folder.
        spec: the resolved spec, its layers by their names.
        lock: versions and checksums.
        history: the evaluations.
        metrics: loss and metrics at the end by split, tables among them; empty if it is not finished.
    """

    directory: Path
    spec: Mapping[str, Any]
    lock: Mapping[str, Any]
    history: Sequence[Record]
    metrics: Mapping[str, Mapping[str, Any]]

    @property
    def seed(self) -> int:
        """Its seed; of a network of an ensemble, its own."""
        ensemble = self.spec.get("ensemble") or {}
        return int(self.spec.get("seed", 0)) + int(ensemble.get("member", 0))

    @property
    def settings(self) -> str:
        """What is the same in two runs that differ in their seeds alone."""
        spec = {key: value for key, value in self.spec.items() if key not in {"name", "seed", "seeds"}}
        return json.dumps([spec, self.lock.get(DATA)], default=str)


@dataclass(frozen=True)
class RunSet:
    """What is compared as one: a run, or several that differ in their seeds alone."""

    name: str
    runs: tuple[RunOnPage, ...]

    @property
    def finished(self) -> int:
        """How many of the runs are finished."""
        return sum(bool(run.metrics) for run in self.runs)

    def samples(self) -> dict[str, dict[int, float]]:
        """Return loss and metrics at the end by name, such as ``test.loss``, and seed; each seed counts once."""
        found: dict[str, dict[int, float]] = {}
        for run in self.runs:
            for split, values in run.metrics.items():
                for name, value in values.items():
                    if not isinstance(value, list):
                        found.setdefault(f"{split}.{name}", {}).setdefault(run.seed, float(value))
        return found


def read_runs(directory: Path) -> list[RunOnPage]:
    """Read a run, or those in a folder of several that have begun.

    Raises:
        RunFolderError: it holds no run, or a file in one is damaged.
    """
    if is_run_folder(directory):
        return [_read(directory)]
    try:
        inside = runs_in(directory)
    except RunFolderError:  # opening it as a run reports what is wrong, and what was expected
        inside = []
    begun = [folder for folder in inside if (folder / LOCK).exists()]
    return [_read(folder) for folder in begun or [directory]]


def _read(directory: Path) -> RunOnPage:
    folder = RunFolder.open(directory)
    metrics = folder.read_metrics() if folder.finished else {}
    return RunOnPage(directory, _spec(folder), folder.read_lock(), folder.read_history(), metrics)


def _spec(folder: RunFolder) -> dict[str, Any]:
    """Return the resolved spec, its layers by their names."""
    values = parse_document(folder.resolved_text(), str(folder.directory / RESOLVED)).values
    layers = {}
    for member in values.get("layers", ()):
        ((kind, parameters),) = member.items()
        layers[parameters["name"]] = {kind: {key: value for key, value in parameters.items() if key != "name"} or True}
    return {**values, "layers": layers}
