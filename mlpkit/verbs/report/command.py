"""``mlpkit report``: write a page about a run; and the page about a run that was just trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from mlpkit.cli import options
from mlpkit.errors import UsageError
from mlpkit.lazy_names import load
from mlpkit.terminal.output import document, message, result

if TYPE_CHECKING:
    from mlpkit.registry.discovery import PluginOptions

REPORT: Final = "mlpkit.verbs.report.report:report"
"""Loads NumPy, which --help doesn't need."""


@options.verb("report")
@options.run_argument
@options.path_option("--to", metavar="FILE", help="The file to write; by default report.html in RUN.")
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
    file = load(REPORT)(directory, to, by=by, **plugin_options)
    if as_json:
        document({"out": file})
    else:
        result(f"report in {file}")


def report_at_the_end(directory: Path, plugin_options: PluginOptions, *, shown: bool) -> None:
    """Write the report of a finished run. If that fails, warn; the run still succeeds."""
    try:
        load("mlpkit.pages.charts:prepare_charts")()  # every finished run has some; without them, REPORT isn't needed
        text = f"report in {load(REPORT)(directory, **plugin_options)}"
    except UsageError as error:
        text = f"note: no report.html: {error}"
    except Exception as error:  # the run is finished, whatever went wrong with a page about it
        text = f"warning: no report.html: {error}"
    if shown:
        (result if text.startswith("report") else message)(text)
