"""What a component is: its mathematics, its parameters, an example, its source."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, Final

from mlpkit.components.kinds import KINDS, Kind
from mlpkit.components.schema.docstring import Docstring
from mlpkit.errors import PluginError
from mlpkit.registry.registry import RegisteredComponent, Registry
from mlpkit.specfile.yaml_writer import to_inline_yaml, value_or_not_set
from mlpkit.testing.check_plugin import ExamplesReport, export_report, gradient_report

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
    """A component.

    Args:
        name: its name in specs.
        kind: its kind.
        source: the distribution it comes from, with its version.
        file: the file that defines it.
        docstring: its docstring.
        parameters: its parameters.
        example: how it is written in a spec, or on the command line.
        deprecated: what to use in its place; None if it is not deprecated.
        gradients: whether its gradients are right on its examples; None if it has none.
        export: whether its ONNX operators agree with it on its examples; None if it has none.
    """

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


def show(name: str, registry: Registry) -> ShownComponent:
    """Describe a component.

    Raises:
        UnknownComponentError: no component has that name.
        PluginError: its plugin is broken.
    """
    entry = registry.find(tuple(KINDS), name)
    meanings = entry.schema.docstring.parameters
    parameters = tuple(
        ShownParameter(
            name=field.name,
            type=field.type.describe(),
            default=None if field.required else field.default,
            required=field.required,
            meaning=meanings.get(field.name, ""),
        )
        for field in entry.schema.fields
    )
    return ShownComponent(
        name=entry.name,
        kind=entry.kind,
        source=entry.plugin.label,
        file=inspect.getsourcefile(entry.component) or "",
        docstring=entry.schema.docstring,
        parameters=parameters,
        example=_example(entry, parameters),
        deprecated=entry.declaration.deprecated,
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
    return [ListedComponent(entry.name, _summary(entry), entry.plugin.label) for entry in registry.components((kind,))]


def _summary(entry: RegisteredComponent) -> str:
    try:
        return entry.schema.docstring.summary
    except PluginError as error:
        return f"can't be used: {error}"


def _example(entry: RegisteredComponent, parameters: tuple[ShownParameter, ...]) -> str:
    kind = KINDS[entry.kind]
    if kind.command:
        return kind.command.format(name=entry.name)
    examples = _examples(entry.component)
    given = examples[0] if examples else {p.name: TO_BE_FILLED_IN for p in parameters if p.required}
    written: Any = {entry.name: given} if given else entry.name
    line = to_inline_yaml(written).replace(f"'{TO_BE_FILLED_IN}'", TO_BE_FILLED_IN)
    return _placed(line, kind)


def _placed(component: str, kind: Kind) -> str:
    """Return a component, written on one line, under the keys that lead to it in a spec."""
    keys = [f"{'  ' * depth}{key}:" for depth, key in enumerate(kind.spec_key.split("."))]
    if not kind.is_list:
        return "\n".join(keys) + f" {component}"
    item = component.removeprefix("{").removesuffix("}") if component.startswith("{") else component
    return "\n".join([*keys, f"{'  ' * len(keys)}- {item}"])


def _examples(component: type) -> list[dict[str, Any]]:
    try:
        examples = component.examples()  # type: ignore[attr-defined]
        return [given if isinstance(given, dict) else given[0] for given in examples]  # without a shape or target
    except Exception:  # an author's mistake, which the check of the gradients tells
        return []
