"""What a component is: its mathematics, its parameters, an example, its source."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlpkit.components.examples import example_parameters
from mlpkit.components.kinds import KINDS

if TYPE_CHECKING:
    from mlpkit.components.schema.docstring import Docstring
    from mlpkit.registry.registry import Registry


@dataclass(frozen=True)
class ShownParameter:
    """A parameter of a component.

    Args:
        name: its name.
        type: what its value may be, in words.
        default: the default; None with ``required``.
        required: whether it must be given.
        meaning: what it does.
    """

    name: str
    type: str
    default: Any
    required: bool
    meaning: str


@dataclass(frozen=True)
class ShownComponent:
    """A component.

    Args:
        name: its name in specs.
        kind: its kind.
        source: the distribution it comes from, with its version.
        file: the file that defines it.
        docstring: what its author says of it.
        parameters: its parameters.
        example: how it is written in a spec.
    """

    name: str
    kind: str
    source: str
    file: str
    docstring: Docstring
    parameters: tuple[ShownParameter, ...]
    example: str


def show(name: str, registry: Registry) -> ShownComponent:
    """Describe a component.

    Args:
        name: its name in specs.
        registry: the plugins.

    Raises:
        UnknownComponentError: there is none of that name.
        PluginError: its plugin is broken.
    """
    entry = registry.find(tuple(KINDS), name)
    meanings = entry.signature.docstring.parameters
    parameters = tuple(
        ShownParameter(
            name=field.name,
            type=field.type.describe(),
            default=None if field.required else field.default,
            required=field.required,
            meaning=meanings.get(field.name, ""),
        )
        for field in entry.signature.fields
    )
    return ShownComponent(
        name=entry.name,
        kind=entry.kind,
        source=f"{entry.plugin.source} {entry.plugin.version}".strip(),
        file=inspect.getsourcefile(entry.component) or "",
        docstring=entry.signature.docstring,
        parameters=parameters,
        example=_example(entry.name, entry.component, parameters),
    )


def _example(name: str, component: type, parameters: tuple[ShownParameter, ...]) -> str:
    examples = example_parameters(component)
    given = examples[0] if examples else {p.name: "..." for p in parameters if p.required}
    shown = ", ".join(f"{key}: {_yaml(value)}" for key, value in given.items())
    return f"{name}: {{{shown}}}" if shown else name


def _yaml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
