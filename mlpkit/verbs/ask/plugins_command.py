"""``mlpkit plugins``: list the plugins, and what each provides."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import click

from mlpkit.cli import completion, options
from mlpkit.cli.exit_codes import suggesting_shipped_spec
from mlpkit.errors import UsageError
from mlpkit.terminal.formatting import columns, line_length
from mlpkit.terminal.output import document, print_warnings, result, styled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlpkit.registry.discovery import PluginOptions
    from mlpkit.specfile.spec import Spec
    from mlpkit.verbs.ask.plugins import PluginReport

COLOURS: Final = {"loaded": "green", "broken": "red", "refused": "red", "blocked": "yellow"}


@options.verb("plugins")
@click.argument("path", metavar="[SPEC]", required=False, shell_complete=completion.specs)
@click.option("--requirements", is_flag=True, help="Print the plugins' distributions, as pip takes them.")
@options.takes_plugins
@options.takes_json
def command(path: str | None, requirements: bool, plugin_options: PluginOptions, as_json: bool) -> None:
    """List the plugins, and what each provides.

    With SPEC, only those whose components it names. A plugin that is broken, refused or blocked is listed with the
    reason; each is loaded in a subprocess, where it can do no harm. With --json, one line per plugin.
    """
    from mlpkit.registry.registry import Registry  # noqa: PLC0415 - for the same reason
    from mlpkit.verbs.ask import plugins as job  # noqa: PLC0415 - loads the registry, which --help does without

    if requirements and as_json:
        raise UsageError("--requirements and --json can't both be given")
    if path is not None:
        spec = _spec(path, plugin_options)
        if requirements:
            _print_lines(job.requirements_of(spec))
        else:
            _print(job.plugins_of(spec), as_json)
        return
    registry = Registry.discover(**plugin_options)
    if requirements:
        _print_lines(job.requirements(registry))
    else:
        _print(job.plugins(registry), as_json)


def _spec(path: str, plugin_options: PluginOptions) -> Spec:
    from mlpkit.specfile.spec import read_spec  # noqa: PLC0415 - loads YAML, which few need here

    with suggesting_shipped_spec(path):
        spec = read_spec(path, **plugin_options)
    print_warnings(spec.warnings)
    return spec


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        result(line)


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
    """Return what there is to say of a plugin, a line each."""
    from mlpkit.verbs.ask.plugins import grouped  # noqa: PLC0415 - as in command

    details = [report.reason] if report.reason else []
    details += [f"{kind}: {', '.join(names)}" for kind, names in report.components.items()]
    details += [f"computed by {by}: {', '.join(names)}" for by, names in grouped(report.computed_by).items()]
    details += [f"deprecated: {name}; {advice}" for name, advice in report.deprecated.items()]
    details += [f"not usable: {fault}" for fault in report.faults.values()]
    details += [f"file: {report.file}"] if report.file and report.file != report.source else []
    return details or ["nothing"]
