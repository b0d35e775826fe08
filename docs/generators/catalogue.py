"""The catalogue of the built-in components: one line per component, from signatures and docstrings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from generators.kind_pages import page_of
from generators.tables import written_default
from mlpkit.components.kinds import KINDS
from mlpkit.components.schema.signature import REQUIRED
from mlpkit.registry.discovery import installed_plugins
from mlpkit.registry.registry import Registry

if TYPE_CHECKING:
    from mlpkit.registry.registry import RegisteredComponent


def catalogue() -> str:
    """Return a section for each kind with built-in components; other plugins are left out."""
    registry = Registry([plugin for plugin in installed_plugins() if plugin.built_in])
    parts = []
    for kind in KINDS:
        lines = [_line(component) for component in registry.components((kind,))]
        if lines:
            parts.append(f"## {kind}\n\nTo write one, see [its page]({page_of(kind)}).\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def _line(component: RegisteredComponent) -> str:
    summary = component.schema.docstring.summary.replace("``", "`").removesuffix(".")
    return f"- **`{component.name}`**: {summary}{_parameters(component)}"


def _parameters(component: RegisteredComponent) -> str:
    """Return the parameters with their defaults; those without a default come alone."""
    fields = component.schema.fields
    written = (
        field.name if field.default is REQUIRED else f"{field.name}={_default(field.default)}" for field in fields
    )
    return f". `{', '.join(written)}`" if fields else ""


def _default(default: object) -> str:
    """Return a default; punctuation that could be taken for the list's own is in quotes."""
    text = written_default(default)
    return json.dumps(text) if isinstance(default, str) and not any(map(str.isalnum, text)) else text
