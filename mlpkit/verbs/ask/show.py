"""What a component is: its mathematics, its parameters, an example, its source; as a page in Markdown, too."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mlpkit.components.kinds import KINDS
from mlpkit.components.schema.signature import Docstring
from mlpkit.components.schema.wording import counted
from mlpkit.errors import PluginError
from mlpkit.registry.registry import RegisteredComponent, Registry
from mlpkit.specfile.yaml_writer import to_inline_yaml, value_or_not_set
from mlpkit.testing.check_plugin import ExamplesReport, export_report, gradient_report

if TYPE_CHECKING:
    from collections.abc import Sequence

TO_BE_FILLED_IN: Final = "..."


@dataclass(frozen=True)
class ShownParameter:
    """A parameter of a component."""

    name: str
    type: str
    default: Any
    required: bool
    meaning: str

    @property
    def default_in_words(self) -> str:
        """The default in a spec's notation."""
        return "required" if self.required else value_or_not_set(self.default)


@dataclass(frozen=True)
class ShownComponent:
    """A component; without examples, neither its gradients nor its operators are checked."""

    name: str
    kind: str
    source: str
    file: str
    docstring: Docstring
    parameters: tuple[ShownParameter, ...]
    example: str
    deprecated: str | None
    gradients: ExamplesReport | None
    export: ExamplesReport | None

    @property
    def place_of_example(self) -> str:
        """The words before the example."""
        return "On the command line:" if KINDS[self.kind].command else "In a spec:"

    def remarks(self) -> Iterator[list[str]]:
        """Yield what follows the example, each remark as a list of sentences."""
        for title, text in self.docstring.sections.items():
            faults = [fault.strip() for fault in re.split(r"\b[A-Z]\w*Error: ", text) if fault]
            yield [f"Error if {fault}" for fault in faults] if title == "Raises" else [f"{title}: {text}"]
        computes = "predict" if self.kind == "loss" else "forward"
        for title, report, agree in (
            ("Gradients", self.gradients, "agree with differences of forward"),
            ("Export", self.export, f"its ONNX operators agree with {computes}"),
        ):
            if report:
                yield [f"{title}: {_in_words(report, agree)}"]


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


def show(name: str, registry: Registry) -> ShownComponent:
    """Describe a component."""
    entry = registry.find(tuple(KINDS), name)
    meanings = entry.schema.docstring.parameters
    parameters = []
    for field in entry.schema.fields:
        default, meaning = None if field.required else field.default, meanings.get(field.name, "")
        parameters.append(ShownParameter(field.name, field.type.describe(), default, field.required, meaning))
    return ShownComponent(
        name=entry.name,
        kind=entry.kind,
        source=entry.plugin.label,
        file=inspect.getsourcefile(entry.component) or "",
        docstring=entry.schema.docstring,
        parameters=tuple(parameters),
        example=_example(entry, parameters),
        deprecated=entry.declaration.advice,
        gradients=gradient_report(entry, registry),
        export=export_report(entry, registry),
    )


@dataclass(frozen=True)
class ListedComponent:
    """A component in a list, with the first sentence about it, or why it can't be used."""

    name: str
    summary: str
    source: str


def kind_named(name: str) -> str | None:
    """Return the kind that a word names in the singular or the plural, as in ``layer`` or ``losses``; or None."""
    return next((kind for kind in KINDS if name in (kind, f"{kind}{'es' if kind.endswith('s') else 's'}")), None)


def list_components(kind: str, registry: Registry) -> list[ListedComponent]:
    """List the components of a kind, the built-ins first; broken plugins are left out."""
    registry.examined()  # a plugin that could harm this process isn't loaded below
    listed = []
    for entry in registry.components((kind,)):
        try:
            summary = entry.schema.docstring.summary
        except PluginError as error:
            summary = f"can't be used: {error}"
        listed.append(ListedComponent(entry.name, summary, entry.plugin.label))
    return listed


def names_of(namespace: str, registry: Registry) -> list[str]:
    """Return the names of a plugin's components, none if no plugin has that namespace, or raise ``PluginError``."""
    plugin = next((plugin for plugin in registry.plugins if plugin.namespace == namespace), None)
    if plugin is None:
        return []
    plugin.load()
    if not plugin.usable:
        raise PluginError(plugin.failure)
    return [plugin.qualified(declared) for declared in plugin.declarations]


def _example(entry: RegisteredComponent, parameters: Iterable[ShownParameter]) -> str:
    """Return a component, written on one line, under the keys that lead to it in a spec; or its command."""
    kind = KINDS[entry.kind]
    if kind.command:
        return kind.command.format(name=entry.name)
    try:
        first = entry.component.examples()[0]
        given = first if isinstance(first, dict) else first[0]  # without a shape or target
    except Exception:  # none, or an author's mistake, which the check of the gradients tells
        given = {each.name: TO_BE_FILLED_IN for each in parameters if each.required}
    line = to_inline_yaml({entry.name: given} if given else entry.name)
    line = line.replace(f"'{TO_BE_FILLED_IN}'", TO_BE_FILLED_IN)
    keys = [f"{'  ' * depth}{key}:" for depth, key in enumerate(kind.spec_key.split("."))]
    if not kind.is_list:
        return "\n".join(keys) + f" {line}"
    item = line.removeprefix("{").removesuffix("}") if line.startswith("{") else line
    return "\n".join([*keys, f"{'  ' * len(keys)}- {item}"])


def page(components: Sequence[ShownComponent]) -> str:
    """Return a page with a section for each component."""
    return "\n\n".join(part for component in components for part in _section(component))


def _section(shown: ShownComponent) -> Iterator[str]:
    yield f"## {shown.name} ({shown.kind})"
    if shown.deprecated:
        yield f"**Deprecated:** {shown.deprecated}"
    yield shown.docstring.summary
    if shown.docstring.body:
        yield shown.docstring.body  # its indented lines are code in Markdown, too
    if shown.parameters:
        rows = [("parameter", "type", "default", "meaning"), ("---",) * 4]
        rows += [(f"`{p.name}`", p.type, f"`{p.default_in_words}`", p.meaning) for p in shown.parameters]
        yield "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
    language = "sh" if KINDS[shown.kind].command else "yaml"
    yield f"{shown.place_of_example}\n\n```{language}\n{shown.example}\n```"
    for remark in shown.remarks():
        yield "\n".join(f"- {sentence}" for sentence in remark) if len(remark) > 1 else remark[0]
    yield f"From {shown.source}."
