"""Serves a live page: at first a frame, then what changes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any, Final

from mlpkit.pages.charts import require_chart_library
from mlpkit.pages.server import PageServer
from mlpkit.verbs.live.content import evaluations_of, frame, state_of
from mlpkit.verbs.live.watched import WatchedRun

SECONDS_BETWEEN_STATES: Final = 0.25
SECONDS_BETWEEN_EVALUATIONS: Final = 1.0
SECONDS_OF_SILENCE: Final = 10.0
"""After which a line is sent that says nothing, to notice that a browser has left."""


class LiveServer(PageServer):
    """A page about runs, served by background threads until the end of the block."""

    def __init__(
        self,
        title: str,
        runs: Callable[[], Sequence[WatchedRun]],
        actions: Mapping[str, Callable[[], None]],
        *,
        spec: str = "",
        port: int = 0,
    ) -> None:
        require_chart_library()
        self.title = title
        self.runs = runs
        self.actions = actions
        self.spec = spec
        super().__init__(port=port)

    def page(self) -> str:
        """Return the page."""
        script = (files("mlpkit.verbs.live") / "live.js").read_text("utf-8")
        return frame(self.title, script, self.actions, self.spec)

    def answer(self, what: str, message: bytes) -> str | None:
        """Do what a button asks for."""
        action = self.actions.get(what)
        if action is None:
            return None
        action()
        return ""

    def write_stream(self, send: Callable[[str], None]) -> None:
        """Send the state when it changes, and the evaluations less often."""
        sent: tuple[Any, Any] = (None, None)
        spoke = evaluated = 0.0
        while True:
            last, now = self.closing.is_set(), time.monotonic()
            runs = self.runs()
            news = state = state_of(runs)
            counted = [(run.name, run.state if len(runs) > 1 else "", len(run.records)) for run in runs]
            if counted != sent[1] and (last or now >= evaluated + SECONDS_BETWEEN_EVALUATIONS):
                news, evaluated = state | evaluations_of(runs), now
            else:
                counted = sent[1]
            if (state, counted) != sent:
                send(f"data: {json.dumps(news, separators=(',', ':'))}\n\n")
                sent, spoke = (state, counted), now
            elif now >= spoke + SECONDS_OF_SILENCE:
                send(":\n\n")
                spoke = now
            if last:
                return
            self.closing.wait(SECONDS_BETWEEN_STATES)
