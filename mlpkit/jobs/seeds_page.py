"""A page about the runs of several seeds: their results with mean and interval, and their curves together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.jobs.compare import Side, read_runs
from mlpkit.jobs.compare_page import curves_section, results_table
from mlpkit.pages.page import page
from mlpkit.pages.parts import paragraph, section, table
from mlpkit.progress.run_html import SUMMARY_TITLES, summary_rows
from mlpkit.runs.files import write_atomically
from mlpkit.runs.layout import REPORT
from mlpkit.runs.seeds_folder import SeedsFolder

if TYPE_CHECKING:
    from pathlib import Path


def write_seeds_page(directory: Path, to: Path | None = None) -> Path:
    """Write a page about the runs of several seeds, and return where it is.

    Args:
        directory: their folder.
        to: the file to write; by default ``report.html`` in the folder.

    Raises:
        UsageError: vl-convert isn't installed.
        RunFolderError: a file of a run is damaged.
        StorageError: the page can't be written.
    """
    folder = SeedsFolder.open(directory)
    runs = tuple(read_runs(directory))
    each = results_table([Side(run.directory.name, (run,)) for run in runs], "At the end of each")
    unfinished = [paragraph(f"Not finished: {', '.join(map(str, folder.unfinished))}.")] if folder.unfinished else []
    summary = table(SUMMARY_TITLES, summary_rows(folder.summary()), caption="At the end, over the seeds", texts=[0])
    parts = [
        section("Mean and interval", summary, *unfinished),
        section("Runs", each),
        curves_section([Side(directory.name, runs)]),
    ]
    file = directory / REPORT if to is None else to
    write_atomically(file, page(f"{directory.name}: {len(folder.seeds)} seeds", parts).encode())
    return file
