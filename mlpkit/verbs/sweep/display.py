"""Chooses how to show a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.display.make_display import on_screen
from mlpkit.verbs.sweep.lines import SweepDisplay, SweepJson, SweepLines

if TYPE_CHECKING:
    from pathlib import Path


def make_sweep_display(title: str, folder: Path, quiet: bool, as_json: bool) -> SweepDisplay:
    """Return what shows a sweep: nothing, JSON, a screen on a terminal, or lines; see ``make_display``."""
    if quiet:
        return SweepDisplay()
    if as_json:
        return SweepJson()
    if on_screen():
        from mlpkit.verbs.sweep.screen import SweepScreen  # noqa: PLC0415 - only a screen needs rich

        return SweepScreen(title, str(folder))
    return SweepLines()
