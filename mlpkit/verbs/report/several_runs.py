"""Pages about several runs: seeds, or the networks of an ensemble, with means, intervals and curves."""

from __future__ import annotations

import shlex
from pathlib import Path

from mlpkit.groups.folders import EnsembleFolder, SeedsFolder
from mlpkit.groups.several_runs import listed_runs
from mlpkit.pages.curves import curves_of_sets
from mlpkit.pages.notebook_tables import SUMMARY_TITLES, summary_rows
from mlpkit.pages.page import page
from mlpkit.pages.parts import paragraph, preformatted, section, table
from mlpkit.pages.results import RunSet, read_runs, results_table
from mlpkit.runs.files import write_atomically
from mlpkit.runs.layout import MEMBERS


def write_seeds_page(directory: Path, file: Path, *_: object) -> Path:
    """Write a page about the runs of several seeds, and return where it is; see ``mlpkit.report``."""
    folder = SeedsFolder.open(directory)
    runs = tuple(read_runs(directory))
    each = results_table([RunSet(run.directory.name, (run,)) for run in runs], "At the end of each")
    parts = [
        section("Mean and interval", *_summary(folder)),
        section("Runs", each),
        curves_of_sets([RunSet(directory.name, runs)]),
    ]
    write_atomically(file, page(f"{directory.name}: {len(folder.seeds)} seeds", parts).encode())
    return file


def _summary(folder: SeedsFolder) -> list[str]:
    """Return a table of the means over the finished runs, and how to resume the rest."""
    rows = summary_rows(folder.summary())
    means = [table(SUMMARY_TITLES, rows, caption="At the end, over the seeds", texts=[0])] if rows else []
    if not folder.unfinished:
        return means
    text = f"Not finished: {listed_runs(folder.unfinished)}; unless they are still training, resume them with:"
    return [*means, paragraph(text), preformatted(f"mlpkit resume {shlex.quote(str(folder.directory))}")]


def networks_sections(directory: Path) -> list[str]:
    """Return the sections about the networks of an ensemble."""
    runs = tuple(read_runs(directory / MEMBERS))
    rows = summary_rows(EnsembleFolder.open(directory).summary())
    means = [table(SUMMARY_TITLES, rows, caption="One network: mean and interval over all", texts=[0])] if rows else []
    each = results_table([RunSet(run.directory.name, (run,)) for run in runs], "At the end of each network")
    return [section("Networks", *means, each), curves_of_sets([RunSet("networks", runs)])]
