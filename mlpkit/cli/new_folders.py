"""The folder of a new run: chosen before it starts, and gone again if it never does."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mlpkit.runs.folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlpkit.cli.interrupt import Interrupts
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
