"""Trainings as JSON, one object an event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlpkit.display.display import Display, Outcome
from mlpkit.terminal.output import document
from mlpkit.training.events import Event


class JsonEvents(Display):
    """Prints each event as a JSON object; that of an evaluation is as in ``history.jsonl``.

    Events of several runs have the number of the run as ``seed``, the network of an ensemble as ``member``, the run of
    several specs as ``run``, a folder. The last event is ``done`` or ``stopped``, as an ``Outcome`` has it; a single
    run that fails has neither. Events of runs that train at once come in any order. No event has a time in it, so that
    the same spec gives the same text; times are in ``timing.jsonl``.
    """

    def __call__(self, event: Event) -> None:
        """Print an event."""
        super().__call__(event)
        match event:
            case Event(_, "began", (runs, _)):
                plain = [each for number in runs for each in self.names.plain(number).values()]
                document({"event": "began", f"{self.names.what}s": plain})
            case Event(run, "resumed", (step,)):
                self._print("resumed", run, {"step": step})
            case Event(run, "started", (total_steps,)):
                self._print("started", run, {"steps": total_steps})
            case Event(run, "evaluated", (record, _)):
                self._print("evaluation", run, record)
            case Event(run, "diagnosed", (symptom,)):
                self._print("symptom", run, symptom.to_plain())
            case Event(run, "over", (end,)) if end.failure:
                self._print("failed", run, {"error": end.failure})
            case Event(run, "over", (end,)) if not end.stopped:
                self._print("finished", run, {"steps": end.steps, "metrics": end.metrics})

    def finished(self, outcome: Outcome) -> None:
        """Print the last event."""
        document({"event": "stopped" if outcome.stopped else "done", **outcome.plain})
        if outcome.print_stop is not None:
            outcome.print_stop()

    def _print(self, event: str, run: int, data: Mapping[str, Any]) -> None:
        document({"event": event, **self.names.plain(run), **data})
