"""``mlpkit show``: describe a component."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from mlpkit.cli import options
from mlpkit.cli.columns import columns, line_length, paragraph
from mlpkit.cli.figures import as_in_a_spec
from mlpkit.cli.output import document, result

if TYPE_CHECKING:
    from mlpkit.jobs.show import ShownComponent


@click.command("show")
@click.argument("name", metavar="NAME")
@options.takes_plugins
@options.takes_json
def command(name: str, plugins: tuple[str, ...], blocked: tuple[str, ...], as_json: bool) -> None:
    """Describe a component: its mathematics, parameters and source.

    NAME is as in specs: Affine, sgd, acme.Conv2d.
    """
    from mlpkit.jobs.show import show  # noqa: PLC0415 - loads the plugins, which --help does without
    from mlpkit.registry.registry import Registry  # noqa: PLC0415 - likewise

    shown = show(name, Registry.discover(plugins=plugins, blocked=blocked))
    if as_json:
        document(asdict(shown))
    else:
        _print(shown)


def _print(shown: ShownComponent) -> None:
    width = line_length()
    docstring = shown.docstring
    result(f"{click.style(shown.name, bold=True)} ({shown.kind})")
    _print_part(paragraph(docstring.summary, width=width))
    _print_part(docstring.body.split("\n"))  # mathematics: its line breaks are part of it
    if shown.parameters:
        rows = [("parameter", "type", "default", "meaning")]
        rows += [
            (p.name, p.type, "required" if p.required else as_in_a_spec(p.default), p.meaning) for p in shown.parameters
        ]
        _print_part(columns(rows, width=width))
    _print_part(["In a spec:", f"  {shown.example}"])
    for title, text in docstring.sections.items():
        _print_part(paragraph(f"{title}: {text}", width=width))
    places = dict.fromkeys(place for place in (shown.source, shown.file) if place)  # the same for a local plugin
    _print_part([f"From {', '.join(places)}"])


def _print_part(lines: list[str]) -> None:
    if any(lines):
        result("\n" + "\n".join(lines))
