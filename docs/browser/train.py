"""Trains a spec in a browser, and tells the page how it goes; ``worker.js`` runs it in Pyodide."""

from __future__ import annotations

import json
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import mlpkit
from mlpkit.training.events import Observer

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlpkit.components.schedule import Progress
    from mlpkit.training.evaluation import Record

SECONDS_BETWEEN_STEPS = 0.1


class Teller(Observer):
    """Passes events on to the page.

    Args:
        tell: takes an event as JSON.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._told = 0.0

    def stepped(self, progress: Progress, loss: float) -> None:
        """Tell how many steps are done, ten times a second."""
        if monotonic() - self._told > SECONDS_BETWEEN_STEPS:
            self._told = monotonic()
            self._tell(json.dumps({"step": progress.step, "of": progress.total_steps}))

    def evaluated(self, record: Record, seconds: float) -> None:
        """Tell loss and metrics."""
        self._tell(json.dumps({"record": record, "seconds": seconds}))


def train(text: str, tell: Callable[[str], None]) -> None:
    """Train a spec, and tell how it goes.

    Args:
        text: the spec.
        tell: takes an event as JSON.
    """
    try:
        Path("spec.yaml").write_text(text, encoding="utf-8")
        run = mlpkit.run(mlpkit.load_spec("spec.yaml"), observer=Teller(tell))
    except mlpkit.MlpkitError as error:
        tell(json.dumps({"error": str(error)}))
    else:
        tell(json.dumps({"metrics": run.metrics}))
