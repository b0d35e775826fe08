"""``mlpkit report``: write a page about a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpkit.cli import completion, options
from mlpkit.terminal.output import document, result

if TYPE_CHECKING:
    from mlpkit.registry.discovery import PluginOptions


@options.verb("report")
@click.argument(
    "directory", metavar="RUN", type=click.Path(path_type=Path), shell_complete=completion.runs_and_folders_of_runs
)
@click.option(
    "--to", metavar="FILE", type=click.Path(path_type=Path), help="The file to write; by default report.html in RUN."
)
@options.by_option
@options.plugins_option
@options.json_option
def command(
    directory: Path, to: Path | None, by: tuple[str, ...], plugin_options: PluginOptions, as_json: bool
) -> None:
    """Write a report on a run: results, curves, mistakes, layers.

    RUN is a run folder; the run may be unfinished. For the runs of several seeds, the page shows means with intervals,
    and all curves; for a sweep, its trials and the effect of each searched key. The page is one file that works
    offline.
    """
    from mlpkit.verbs.report.report import report  # noqa: PLC0415 - loads NumPy, which --help doesn't need

    file = report(directory, to, by=by, **plugin_options)
    if as_json:
        document({"out": file})
    else:
        result(f"report in {file}")
