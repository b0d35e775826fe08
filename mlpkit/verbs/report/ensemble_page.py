"""The networks in an ensemble's report: their results with mean and interval, and their curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.groups.folders import EnsembleFolder
from mlpkit.pages.curves import curves_of_sets
from mlpkit.pages.notebook_tables import SUMMARY_TITLES, summary_rows
from mlpkit.pages.parts import section, table
from mlpkit.pages.results import results_table
from mlpkit.pages.run_sets import RunSet, read_runs
from mlpkit.runs.layout import MEMBERS

if TYPE_CHECKING:
    from pathlib import Path


def networks_sections(directory: Path) -> list[str]:
    """Return the sections about the networks of an ensemble.

    Args:
        directory: the ensemble's run folder.

    Raises:
        RunFolderError: a file of a network is damaged.
    """
    runs = tuple(read_runs(directory / MEMBERS))
    rows = summary_rows(EnsembleFolder.open(directory).summary())
    means = [table(SUMMARY_TITLES, rows, caption="One network: mean and interval over all", texts=[0])] if rows else []
    each = results_table([RunSet(run.directory.name, (run,)) for run in runs], "At the end of each network")
    return [section("Networks", *means, each), curves_of_sets([RunSet("networks", runs)])]
