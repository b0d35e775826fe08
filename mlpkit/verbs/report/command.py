"""``mlpkit report``: write a page about a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpkit.cli import completion, options
from mlpkit.errors import UsageError
from mlpkit.terminal.output import document, message, result

if TYPE_CHECKING:
    from mlpkit.registry.discovery import PluginOptions


@options.verb("report")
@click.argument(
    "directory", metavar="RUN", type=click.Path(path_type=Path), shell_complete=completion.runs_and_folders_of_runs
)
@click.option(
    "--to", metavar="FILE", type=click.Path(path_type=Path), help="The file to write; by default report.html in RUN."
)
@options.takes_plugins
@options.takes_json
def command(directory: Path, to: Path | None, plugin_options: PluginOptions, as_json: bool) -> None:
    """Write a page about a run: results, curves, mistakes, layers.

    RUN is a run folder; the run may be unfinished. Of a folder with the runs of several seeds, the page has means with
    intervals, and all curves; of a sweep, its trials, and what each searched key does. It is one file that works from
    disk, without a network.
    """
    from mlpkit.verbs.report.report import report  # noqa: PLC0415 - loads NumPy, which --help does without

    file = report(directory, to, **plugin_options)
    if as_json:
        document({"out": file})
    else:
        result(f"report in {file}")


def report_at_the_end(directory: Path, plugin_options: PluginOptions, *, shown: bool) -> None:
    """Write the report of a run that is finished; whatever goes wrong is a message, and the run stays a good one.

    Args:
        directory: the run folder.
        plugin_options: the keywords of ``Registry.discover``.
        shown: whether to say where it is, or why it is missing.
    """
    from mlpkit.verbs.report.report import report  # noqa: PLC0415 - only once a run is finished

    try:
        said = f"report in {report(directory, **plugin_options)}"
    except UsageError as error:
        said = f"note: no report.html: {error}"
    except Exception as error:  # the run is finished, whatever went wrong with a page about it
        said = f"warning: no report.html: {error}"
    if shown:
        (result if said.startswith("report") else message)(said)
