"""``mlpkit plugins``: list the plugins, and what each provides."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import click

from mlpkit.cli import options
from mlpkit.cli.columns import columns, line_length, paragraph
from mlpkit.cli.output import document, result

if TYPE_CHECKING:
    from mlpkit.jobs.plugins import PluginReport

COLOURS: Final = {"loaded": "green", "broken": "red", "refused": "red", "blocked": "yellow"}


@click.command("plugins")
@options.takes_plugins
@options.takes_json
def command(plugins: tuple[str, ...], blocked: tuple[str, ...], as_json: bool) -> None:
    """List the plugins, and what each provides.

    A plugin that is broken, refused or blocked is listed with the reason. With --json, a line a plugin.
    """
    from mlpkit.jobs.plugins import plugins as report  # noqa: PLC0415 - loads the plugins, which --help does without
    from mlpkit.registry.registry import Registry  # noqa: PLC0415 - likewise

    reports = report(Registry.discover(plugins=plugins, blocked=blocked))
    for index, plugin in enumerate(reports):
        if as_json:
            document(asdict(plugin))
        else:
            result(("\n" if index else "") + "\n".join(_lines(plugin)))


def _lines(plugin: PluginReport) -> list[str]:
    width = line_length()
    status = click.style(plugin.status, fg=COLOURS.get(plugin.status))
    source = f"{plugin.source} {plugin.version}".strip()
    lines = [f"{click.style(plugin.namespace, bold=True)}: {status}, from {source}"]
    if plugin.reason:
        lines += paragraph(plugin.reason, indent="  ", width=width)
    rows = [(kind, ", ".join(names)) for kind, names in plugin.components.items()]
    return lines + columns(rows, indent="  ", width=width)
