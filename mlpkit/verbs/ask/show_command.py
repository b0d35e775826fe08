"""``mlpkit show``: describe a component."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from mlpkit.cli import completion, options
from mlpkit.errors import UsageError
from mlpkit.terminal.formatting import columns, line_length, paragraph, plain
from mlpkit.terminal.output import document, result, styled

if TYPE_CHECKING:
    from mlpkit.registry.registry import Registry
    from mlpkit.verbs.ask.show import ListedComponent, ShownComponent


@options.verb("show")
@click.argument("name", metavar="NAME|KIND", shell_complete=completion.components)
@click.option("--markdown", is_flag=True, help="Print a page in Markdown; NAME may be a plugin's namespace.")
@options.registry_option
@options.json_option
def command(name: str, registry: Registry, markdown: bool, as_json: bool) -> None:
    """Describe a component: its mathematics, parameters and source.

    NAME is as in specs: Affine, sgd, acme.Conv2d; or a kind, such as layer or optimizer, to list its components. The
    gradients and ONNX operators of layers and losses are checked on the component's own examples.
    """
    from mlpkit.verbs.ask.show import kind_named, list_components, names_of, show  # noqa: PLC0415 - loads NumPy

    if markdown:
        from mlpkit.verbs.ask.show import page  # noqa: PLC0415 - only this option needs it

        if as_json:
            raise UsageError("--markdown and --json can't both be given")
        result(page([show(each, registry) for each in names_of(name, registry) or [name]]))
        return
    kind = kind_named(name)
    if kind is not None:
        _list(kind, list_components(kind, registry), as_json)
        return
    shown = show(name, registry)
    if as_json:
        document(asdict(shown))
    else:
        _print(shown)


def _list(kind: str, components: Sequence[ListedComponent], as_json: bool) -> None:
    """Print a line for each component of a kind."""
    if as_json:
        for component in components:
            document(asdict(component))
        return
    rows = [(component.name, plain(component.summary)) for component in components]
    result("\n".join(columns(rows, width=line_length())) if rows else f"no plugin provides a component of kind {kind}")


def _print(shown: ShownComponent) -> None:
    width = line_length()
    docstring = shown.docstring
    result(f"{styled(shown.name, bold=True)} ({shown.kind})")
    if shown.deprecated:
        _print_part(paragraph(f"{styled('Deprecated:', 'yellow')} {shown.deprecated}", width=width))
    _print_part(paragraph(plain(docstring.summary), width=width))
    _print_part(plain(docstring.body).split("\n"))  # mathematics: its line breaks are part of it
    if shown.parameters:
        rows = [("parameter", "type", "default", "meaning")]
        rows += [(p.name, p.type, p.default_in_words, plain(p.meaning)) for p in shown.parameters]
        _print_part(columns(rows, width=width))
    _print_part([shown.place_of_example, *(f"  {line}" for line in shown.example.splitlines())])
    for remark in shown.remarks():
        _print_part([line for text in remark for line in paragraph(plain(text), width=width)])
    places = dict.fromkeys(place for place in (shown.source, shown.file) if place)  # the same for a local plugin
    _print_part([f"From {', '.join(places)}"])


def _print_part(lines: list[str]) -> None:
    if any(lines):
        result("\n" + "\n".join(lines))
