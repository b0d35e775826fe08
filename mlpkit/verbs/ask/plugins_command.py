"""``mlpkit plugins``: list the plugins, and what each provides."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import click

from mlpkit.cli import completion, options
from mlpkit.errors import UsageError
from mlpkit.terminal.formatting import columns, line_length
from mlpkit.terminal.output import document, print_warnings, result, styled

if TYPE_CHECKING:
    from mlpkit.registry.discovery import PluginOptions
    from mlpkit.verbs.ask.plugins import PluginReport

COLOURS: Final = {"loaded": "green", "broken": "red", "refused": "red", "blocked": "yellow"}


@options.verb("plugins")
@click.argument("path", metavar="[SPEC]", required=False, shell_complete=completion.specs)
@click.option("--requirements", is_flag=True, help="Print the plugins' distributions, as pip takes them.")
@options.plugins_option
@options.json_option
def command(path: str | None, requirements: bool, plugin_options: PluginOptions, as_json: bool) -> None:
    """List the plugins, and what each provides.

    With SPEC, list only those whose components it names. A plugin that is broken, refused or blocked is listed with the
    reason; each is loaded in a subprocess, where it can do no harm. With --json, print one line per plugin.
    """
    from mlpkit.verbs.ask import plugins as job  # noqa: PLC0415 - loads the registry, which --help doesn't need

    if requirements and as_json:
        raise UsageError("--requirements and --json can't both be given")
    spec = None
    if path is not None:
        spec = options.given_spec(path, **plugin_options)
        print_warnings(spec.warnings)
    if requirements:
        for line in job.requirements(spec, **plugin_options):
            result(line)
    else:
        _print(job.plugins(spec, **plugin_options), as_json)


def _print(reports: list[PluginReport], as_json: bool) -> None:
    if as_json:
        for report in reports:
            document(asdict(report))
        return
    rows = [("namespace", "from", "status", "provides")]
    for report in reports:
        first, *others = _details(report)
        source = f"{report.source} {report.version}".strip()
        rows.append((report.namespace, source, styled(report.status, COLOURS.get(report.status)), first))
        rows += [("", "", "", detail) for detail in others]
    result("\n".join(columns(rows, width=line_length())))


def _details(report: PluginReport) -> list[str]:
    """Return the lines about a plugin."""
    details = [report.reason] if report.reason else []
    details += [f"{kind}: {', '.join(names)}" for kind, names in report.components.items()]
    details += [f"computed by {by}: {', '.join(names)}" for by, names in report.by_computation.items()]
    details += [f"deprecated: {name}; {advice}" for name, advice in report.deprecated.items()]
    details += [f"not usable: {fault}" for fault in report.faults.values()]
    details += [f"file: {report.file}"] if report.file and report.file != report.source else []
    return details or ["nothing"]
