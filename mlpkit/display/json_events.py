"""Trainings as JSON, one object an event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlpkit.display.display import Display
from mlpkit.display.outcomes import Outcome
from mlpkit.terminal.output import document
from mlpkit.training.events import Event


class JsonEvents(Display):
    """Prints each event as a JSON object.

        {"event": "resumed", "step": 4000}                   the first, where a run continues from a checkpoint
        {"event": "started", "steps": 10000}                 null where a time is set
        {"event": "evaluation", "iteration": 500, ...}       as in history.jsonl
        {"event": "symptom", "name": "dead_units", "layer": "Relu1", ...}    as ``mlpkit doctor`` has it
        {"event": "done", "steps": 10000, "metrics": {"test": {"loss": 0.1, ...}, ...}, "folder": "runs/x"}
        {"event": "done", ..., "reason": "no better for 5 evaluations"}    where a callback ended the run early
        {"event": "stopped", "steps": 1234, "reason": "SIGINT", "folder": "runs/x"}

    Events of several runs have the number of the run as ``seed``, the network of an ensemble as ``member``, the run of
    several specs as ``run``, a folder; and there are three more:

        {"event": "began", "seeds": [0, 1, 2]}               the runs that are not finished
        {"event": "finished", "seed": 0, "steps": 10000, "metrics": {"test": {"loss": 0.1, ...}, ...}}
        {"event": "failed", "seed": 2, "error": "..."}
        {"event": "done", "metrics": {"test": {"loss": {"n": 2, "mean": ..., ...}, ...}, ...}, "failed": [2], ...}
        {"event": "done", "specs": [{"spec": "digits.yaml", "state": "finished", "folder": "runs/digits", ...}, ...]}
        {"event": "stopped", "reason": "SIGINT", "folder": "runs/x"}

    The last event is ``done`` or ``stopped``; a single run that fails has neither. Events of runs that train at once
    come in any order. No event has a time in it, so that the same spec gives the same text; times are in
    ``timing.jsonl``.
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
