"""The tables of the built-in components, from their signatures and docstrings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generators.tables import default_of, table
from mlpkit.components.kinds import KINDS
from mlpkit.registry.discovery import installed_plugins
from mlpkit.registry.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlpkit.registry.registry import RegisteredComponent


def components_table() -> str:
    """Return a table for each kind that has built-in components, whatever else is installed."""
    registry = Registry([plugin for plugin in installed_plugins() if plugin.built_in])
    parts = []
    for kind in KINDS:
        components = registry.components((kind,))
        if components:
            head = (f"[{kind}](components/{kind}.md)", "parameter", "type", "default", "meaning")
            parts.append(table(head, (row for component in components for row in _rows(component))))
    return "\n".join(parts)


def _rows(component: RegisteredComponent) -> Iterator[tuple[str, ...]]:
    docstring = component.schema.docstring
    yield f"**`{component.name}`**", "", "", "", docstring.summary
    for field in component.schema.fields:
        yield "", f"`{field.name}`", field.type.describe(), default_of(field), docstring.parameters[field.name]
