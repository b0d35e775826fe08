"""``mlpkit show``: describe a component."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from mlpkit.cli import completion, options
from mlpkit.components.kinds import KINDS
from mlpkit.components.schema.wording import counted
from mlpkit.terminal.formatting import columns, line_length, paragraph, plain
from mlpkit.terminal.output import document, result, styled

if TYPE_CHECKING:
    from mlpkit.registry.registry import Registry
    from mlpkit.testing.check_plugin import ExamplesReport
    from mlpkit.verbs.ask.show import ListedComponent, ShownComponent


@options.verb("show")
@click.argument("name", metavar="NAME|KIND", shell_complete=completion.components)
@options.registry_option
@options.json_option
def command(name: str, registry: Registry, as_json: bool) -> None:
    """Describe a component: its mathematics, parameters and source.

    NAME is as in specs: Affine, sgd, acme.Conv2d; or a kind, such as layer or optimizer, to list its components. The
    gradients and ONNX operators of layers and losses are checked on the component's own examples.
    """
    from mlpkit.verbs.ask.show import kind_named, list_components, show  # noqa: PLC0415 - loads NumPy

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
    place = "On the command line:" if KINDS[shown.kind].command else "In a spec:"
    _print_part([place, *(f"  {line}" for line in shown.example.splitlines())])
    for title, text in docstring.sections.items():
        if title == "Raises":
            faults = [plain(fault).strip() for fault in re.split(r"\b[A-Z]\w*Error: ", text) if fault]
            _print_part([line for fault in faults for line in paragraph(f"Error if {fault}", width=width)])
        else:
            _print_part(paragraph(f"{title}: {plain(text)}", width=width))
    computes = "predict" if shown.kind == "loss" else "forward"
    for title, report, agree in (
        ("Gradients", shown.gradients, "agree with differences of forward"),
        ("Export", shown.export, f"its ONNX operators agree with {computes}"),
    ):
        if report:
            _print_part(paragraph(f"{title}: {_in_words(report, agree)}", width=width))
    places = dict.fromkeys(place for place in (shown.source, shown.file) if place)  # the same for a local plugin
    _print_part([f"From {', '.join(places)}"])


def _in_words(report: ExamplesReport, agree: str) -> str:
    """Return a report's status in words; ``agree`` is the text for success."""
    texts = {
        "checked": f"{agree} on {counted(report.examples, 'example')}.",
        "failed": f"WRONG. {report.detail}",
        "unchecked": f"not checked. {report.detail}",
        "refused": f"not possible. {report.detail}",
        "described": report.detail or "its encoder is described in ONNX operators.",
    }
    return texts[report.status]


def _print_part(lines: list[str]) -> None:
    if any(lines):
        result("\n" + "\n".join(lines))
