"""What surrounds a training on the command line: its folder, what shows it, and what follows once it is finished."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mlpkit.display.display import Display, RunNames
from mlpkit.display.json_events import JsonEvents
from mlpkit.display.lines import Lines
from mlpkit.lazy_names import load
from mlpkit.runs.folder import RunFolder
from mlpkit.terminal.output import on_screen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from mlpkit.cli.interrupt import Interrupts
    from mlpkit.registry.discovery import PluginOptions
    from mlpkit.specfile.spec import Spec

RUNS: Final = Path("runs")


@contextmanager
def run_folder(spec: Spec, out: Path | None, interrupts: Interrupts) -> Iterator[Path]:
    """Choose the run folder; if training never starts, none is left, and if it fails, the error names it."""
    folder = out or RunFolder.next_free(RUNS, spec.name)
    with _removed_if_unused([] if out else [folder], f"the run so far is saved in {folder}", interrupts):
        yield folder


@contextmanager
def run_folders(names: Sequence[str], parent: Path, interrupts: Interrupts) -> Iterator[list[Path]]:
    """Choose folders for several specs; if training never starts, none is left; if it fails, the error names them."""
    folders: list[Path] = []
    with _removed_if_unused(folders, f"the runs so far are saved in {parent}", interrupts):
        folders += (RunFolder.next_free(parent, name) for name in names)
        yield folders


@contextmanager
def _removed_if_unused(made: Sequence[Path], saved: str, interrupts: Interrupts) -> Iterator[None]:
    """If the block fails, remove folders that are still empty, and say where the rest is saved once training began."""
    try:
        yield
    except BaseException as error:
        if interrupts.training_began:
            error.add_note(f"note: {saved}")
        for folder in made:
            with suppress(OSError):  # not empty: something is there to be kept
                folder.rmdir()
        raise


LIVE_PAGE: Final = "mlpkit.verbs.live.server:live_page"
LIVE_FOLDER: Final = "mlpkit.verbs.live.server:live_folder"

AFTER_RUN: Final = {
    "report": "mlpkit.verbs.report.command:report_at_the_end",
    "card": "mlpkit.verbs.card.card:card_at_the_end",
}
"""What may follow a finished run; each takes the folder, and what ``after_run`` takes last."""


def live_page(
    port: int | None, title: str, folder: Path, spec: str, interrupts: Interrupts
) -> AbstractContextManager[Any]:
    """Serve a page about a run until the end of the block; yield an observer with ``finished``, or None."""
    return nullcontext() if port is None else load(LIVE_PAGE)(port, title, folder, spec, interrupts)


def live_folder(port: int | None, title: str, folder: Path, interrupts: Interrupts) -> AbstractContextManager[None]:
    """Serve a page about the runs in a folder until the end of the block, as ``live_page`` does about one."""
    return nullcontext() if port is None else load(LIVE_FOLDER)(port, title, folder, interrupts)


def after_run(folder: Path, wanted: Sequence[str], plugin_options: PluginOptions, *, shown: bool) -> None:
    """Do what is wanted after a finished run, such as ``report``."""
    for name in wanted:
        load(AFTER_RUN[name])(folder, plugin_options, shown=shown)


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
