"""Chooses how to show a training run; what isn't chosen isn't imported."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from mlpkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlpkit.cli.progress.display import Display
    from mlpkit.cli.progress.seeds_lines import SeedsDisplay


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
        from mlpkit.cli.progress.display import Display  # noqa: PLC0415 - only what is chosen

        return Display()
    if as_json:
        from mlpkit.cli.progress.lines import JsonEvents  # noqa: PLC0415 - for the same reason

        return JsonEvents()
    if _on_screen():
        from mlpkit.cli.progress.screen import Screen  # noqa: PLC0415 - for the same reason

        return Screen(title, str(folder))
    from mlpkit.cli.progress.lines import Lines  # noqa: PLC0415 - for the same reason

    return Lines()


def make_seeds_display(title: str, folder: Path, quiet: bool, as_json: bool, begun: Callable[[], None]) -> SeedsDisplay:
    """Return what shows the runs of several seeds, as ``make_display`` does for one run.

    Args:
        title: what is trained.
        folder: where it is kept.
        quiet: whether ``--quiet`` was given.
        as_json: whether ``--json`` was given.
        begun: called when training begins.
    """
    from mlpkit.cli.progress.seeds_lines import SeedsDisplay, SeedsJson, SeedsLines  # noqa: PLC0415 - few runs get here

    if quiet:
        return SeedsDisplay(begun)
    if as_json:
        return SeedsJson(begun)
    if _on_screen():
        from mlpkit.cli.progress.seeds_screen import SeedsScreen  # noqa: PLC0415 - only what is chosen

        return SeedsScreen(title, str(folder), begun)
    return SeedsLines(begun)


def _on_screen() -> bool:
    return sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
