"""What other verbs add to a training on the command line: a live page, and what follows once it is finished."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

from mlpkit.lazy_names import load

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from mlpkit.cli.interrupt import Interrupts
    from mlpkit.registry.discovery import PluginOptions

LIVE_PAGE: Final = "mlpkit.verbs.live.live_page:live_page"
LIVE_FOLDER: Final = "mlpkit.verbs.live.live_page:live_folder"

AFTER_RUN: Final = ("mlpkit.verbs.report.after_run:report_at_the_end",)
"""What follows a finished run; the arguments are those of ``after_run``."""


def live_page(
    port: int | None, title: str, folder: Path, spec: str, interrupts: Interrupts
) -> AbstractContextManager[Any]:
    """Serve a page about a run until the end of the block; yield an observer with ``finished``, or None without a page.

    Args:
        port: where; 0 for any port that is free, None for no page.
        title: what is trained.
        folder: the run folder.
        spec: the text of the spec.
        interrupts: stops the run; it can be paused, too, if there is a page.
    """
    return nullcontext() if port is None else load(LIVE_PAGE)(port, title, folder, spec, interrupts)


def live_folder(port: int | None, title: str, folder: Path, interrupts: Interrupts) -> AbstractContextManager[None]:
    """Serve a page about the runs in a folder until the end of the block.

    Args:
        port: as for ``live_page``.
        title: what is trained.
        folder: the folder that holds the run folders, or will.
        interrupts: stops the runs.
    """
    return nullcontext() if port is None else load(LIVE_FOLDER)(port, title, folder, interrupts)


def after_run(folder: Path, plugin_options: PluginOptions, *, shown: bool) -> None:
    """Do what follows a finished run."""
    for place in AFTER_RUN:
        load(place)(folder, plugin_options, shown=shown)
