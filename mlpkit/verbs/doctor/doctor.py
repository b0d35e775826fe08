"""Saying afterwards what was wrong with a training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlpkit.errors import UsageError
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
    """

    directory: Path
    symptoms: tuple[Symptom, ...]
    probes: tuple[int, ...]
    rows: int
    layers: int
    evaluations: int

    @property
    def healthy(self) -> bool:
        """Whether nothing was found."""
        return not self.symptoms

    def __repr__(self) -> str:
        """Return the findings, and what to try."""
        return f"<Diagnosis of {self.directory}: {'; '.join(map(str, self.symptoms)) or 'healthy'}>"

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
            "afresh": False,  # a key that programs may read
        }


def doctor(run: RunArgument) -> Diagnosis:
    """Tell what mlpkit noticed during a training, and what to try.

    Args:
        run: the run, or its folder; it may be unfinished.

    Raises:
        UsageError: no folder keeps the run, or it has no health record.
        RunFolderError: the folder isn't a run folder, or damaged.
    """
    directory = directory_of(run)
    require_one_network(directory, "doctor")
    folder = RunFolder.open(directory)
    healths = folder.read_health()
    if not healths:
        raise UsageError(f"{directory}: has no health record; train it again to record one")
    symptoms = recorded_symptoms(folder, healths)
    probes = tuple(health["iteration"] for health in healths)
    rows, layers = healths[-1]["rows"], len(healths[-1]["layers"])
    return Diagnosis(directory, tuple(symptoms), probes, rows, layers, len(folder.read_history()))
