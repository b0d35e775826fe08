"""Chooses how to show trainings; what isn't chosen isn't imported."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from mlpkit.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from mlpkit.display.display import Display
    from mlpkit.display.run_names import RunNames


def expect_one_way(quiet: bool, as_json: bool) -> None:
    """Make sure that a run is not to be shown in two ways at once.

    Raises:
        UsageError: it is.
    """
    if quiet and as_json:
        raise UsageError("--quiet and --json can't both be given")


def make_display(
    title: str,
    folder: Path,
    quiet: bool,
    as_json: bool,
    names: RunNames | None = None,
    *,
    each_evaluation: bool = True,
) -> Display:
    """Return what shows trainings: nothing, JSON, a screen on a terminal, or lines.

    Args:
        title: what is trained.
        folder: where it is kept.
        quiet: whether ``--quiet`` was given.
        as_json: whether ``--json`` was given.
        names: what the runs are called; by default it is a single run.
        each_evaluation: whether evaluations have lines.
    """
    if quiet:
        from mlpkit.display.display import Display  # noqa: PLC0415 - only what is chosen

        return Display(names)
    if as_json:
        from mlpkit.display.json_events import JsonEvents  # noqa: PLC0415 - for the same reason

        return JsonEvents(names)
    if on_screen():
        from mlpkit.display.screen import Screen  # noqa: PLC0415 - for the same reason

        return Screen(title, str(folder), names)
    from mlpkit.display.lines import Lines  # noqa: PLC0415 - for the same reason

    return Lines(names, each_evaluation=each_evaluation)


def on_screen() -> bool:
    """Return whether standard output is a terminal that can be drawn on."""
    return sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
