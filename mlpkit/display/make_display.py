"""Chooses how to show trainings."""

from __future__ import annotations

from pathlib import Path

from mlpkit.display.display import Display, RunNames
from mlpkit.display.json_events import JsonEvents
from mlpkit.display.lines import Lines
from mlpkit.terminal.output import on_screen


def make_display(
    title: str, folder: Path, quiet: bool, as_json: bool, names: RunNames | None = None, *, each_evaluation: bool = True
) -> Display:
    """Return what shows trainings: nothing, JSON, a screen on a terminal, or lines."""
    if quiet:
        return Display(names)
    if as_json:
        return JsonEvents(names)
    if on_screen():
        from mlpkit.display.screen import Screen  # noqa: PLC0415 - only a screen needs rich

        return Screen(title, str(folder), names)
    return Lines(names, each_evaluation=each_evaluation)
