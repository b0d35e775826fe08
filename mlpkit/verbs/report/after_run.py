"""The report of a run that was just trained."""

from __future__ import annotations

from pathlib import Path

from mlpkit.errors import UsageError
from mlpkit.pages.charts import prepare_charts
from mlpkit.registry.discovery import PluginOptions
from mlpkit.terminal.output import message, result


def report_at_the_end(directory: Path, plugin_options: PluginOptions, *, shown: bool) -> None:
    """Write the report of a finished run. If that fails, warn; the run still succeeds."""
    try:
        prepare_charts()  # every finished run has some
        from mlpkit.verbs.report.report import report  # noqa: PLC0415 - slow to load, and unnecessary without charts

        text = f"report in {report(directory, **plugin_options)}"
    except UsageError as error:
        text = f"note: no report.html: {error}"
    except Exception as error:  # the run is finished, whatever went wrong with a page about it
        text = f"warning: no report.html: {error}"
    if shown:
        (result if text.startswith("report") else message)(text)
