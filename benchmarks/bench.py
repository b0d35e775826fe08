"""Options of all workloads: contestants, rounds, durations."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contestants.roster import PEERS, PREDICTORS

if TYPE_CHECKING:
    from pathlib import Path

    from contestants.roster import Entry

STEP_RUNS = 7
LONG_RUNS = 3
"""Rounds of a workload that takes minutes."""


@dataclass(frozen=True)
class Bench:
    """The options of a comparison.

    Args:
        folder: the workspace.
        cores: cores of the machine.
        only: names of the peers that take part.
        runs: rounds; None for each workload's own number.
        seconds: how long a process times its steps.
        warm_up: how long it trains before that.
        shapes: (units, examples of a minibatch) of the step workloads.
        job_steps: steps of the whole job.
    """

    folder: Path
    cores: int
    only: tuple[str, ...]
    runs: int | None
    seconds: float
    warm_up: float
    shapes: tuple[tuple[int, int], ...]
    job_steps: int

    @property
    def peers(self) -> list[Entry]:
        """The peers that take part in training: selected, with all their requirements installed."""
        return [entry for entry in self.predictors if entry in PEERS]

    @property
    def predictors(self) -> list[Entry]:
        """The same of predictions."""
        return [entry for entry in PREDICTORS if entry.name in self.only and not entry.missing]

    @property
    def left_out(self) -> dict[str, str]:
        """Why peers are left out, by their names."""
        return {entry.name: entry.missing for entry in PREDICTORS if entry.name in self.only and entry.missing}

    def rounds(self, usual: int = STEP_RUNS) -> int:
        """Return the number of rounds.

        Args:
            usual: the workload's default.
        """
        return self.runs if self.runs is not None else usual


def say(text: str) -> None:
    """Report progress on stderr."""
    print(text, file=sys.stderr, flush=True)
