"""Chooses how to show a training run; what isn't chosen isn't imported."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from mlpkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlpkit.display.display import Display
    from mlpkit.display.runs_lines import RunsDisplay


def expect_one_way(quiet: bool, as_json: bool) -> None:
    """Make sure that a run is not to be shown in two ways at once.

    Raises:
        UsageError: it is.
    """
    if quiet and as_json:
        raise UsageError("--quiet and --json can't both be given")


def make_display(title: str, folder: Path, quiet: bool, as_json: bool) -> Display:
    """Return what shows the run: nothing, JSON, a screen on a terminal, or lines.

    Args:
        title: what is trained.
        folder: where it is kept.
        quiet: whether ``--quiet`` was given.
        as_json: whether ``--json`` was given.
    """
    if quiet:
        from mlpkit.display.display import Display  # noqa: PLC0415 - only what is chosen

        return Display()
    if as_json:
        from mlpkit.display.lines import JsonEvents  # noqa: PLC0415 - for the same reason

        return JsonEvents()
    if on_screen():
        from mlpkit.display.screen import Screen  # noqa: PLC0415 - for the same reason

        return Screen(title, str(folder))
    from mlpkit.display.lines import Lines  # noqa: PLC0415 - for the same reason

    return Lines()


def make_runs_display(
    title: str, folder: Path, quiet: bool, as_json: bool, begun: Callable[[], None], what: str = "seed"
) -> RunsDisplay:
    """Return what shows several runs, as ``make_display`` does for one.

    Args:
        title: what is trained.
        folder: where it is kept.
        quiet: whether ``--quiet`` was given.
        as_json: whether ``--json`` was given.
        begun: called when training begins.
        what: what the number of a run is, such as ``seed``.
    """
    from mlpkit.display.runs_lines import RunNames, RunsDisplay, RunsJson, RunsLines  # noqa: PLC0415 - few get here

    if quiet:
        return RunsDisplay(begun, RunNames(what))
    if as_json:
        return RunsJson(begun, RunNames(what))
    if on_screen():
        from mlpkit.display.runs_screen import RunsScreen  # noqa: PLC0415 - only what is chosen

        return RunsScreen(title, str(folder), begun, names=RunNames(what))
    return RunsLines(begun, RunNames(what))


def make_specs_display(title: str, parent: Path, quiet: bool, as_json: bool, begun: Callable[[], None]) -> RunsDisplay:
    """Return what shows several specs, as ``make_display`` does for one run.

    Args:
        title: what is trained.
        parent: the folder that holds those of the specs.
        quiet: whether ``--quiet`` was given.
        as_json: whether ``--json`` was given.
        begun: called when training begins.
    """
    from mlpkit.display.runs_lines import RunsDisplay  # noqa: PLC0415 - few get here
    from mlpkit.display.specs_lines import FolderNames, SpecsJson, SpecsLines  # noqa: PLC0415 - for the same reason

    names = FolderNames(parent)
    if quiet:
        return RunsDisplay(begun, names)
    if as_json:
        return SpecsJson(begun, names)
    if on_screen():
        from mlpkit.display.runs_screen import RunsScreen  # noqa: PLC0415 - only what is chosen

        return RunsScreen(title, str(parent), begun, names=names)
    return SpecsLines(begun, names)


def on_screen() -> bool:
    """Return whether standard output is a terminal that can be drawn on."""
    return sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
