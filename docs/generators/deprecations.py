"""The table of everything that is deprecated, from where it is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mlpkit
from generators.tables import table
from mlpkit.cli.verbs import VERBS
from mlpkit.components.kinds import KINDS
from mlpkit.components.schema.signature import SectionType
from mlpkit.components.schema.types import without_null
from mlpkit.registry.discovery import installed_plugins
from mlpkit.registry.registry import Registry
from mlpkit.specfile.sections import TOP_LEVEL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlpkit.components.schema.signature import Schema
    from mlpkit.deprecation import Deprecation
    from mlpkit.registry.registry import RegisteredComponent


def deprecations() -> str:
    """Return the table of the built-in components, parameters, keys, commands and names that are deprecated."""
    registry = Registry([plugin for plugin in installed_plugins() if plugin.built_in])
    found = [*_of_components(registry.components(tuple(KINDS))), *_of_keys(TOP_LEVEL.schema, "")]
    found += [(f"`mlpkit {name}`", verb.deprecated) for name, verb in VERBS.items() if verb.deprecated]
    found += [(f"`mlpkit.{name}`", deprecation) for name, (_, deprecation) in mlpkit._DEPRECATED.items()]  # noqa: SLF001
    rows = [(what, each.since, each.removed_in, each.instead) for what, each in found]
    return table(("what", "since", "removed in", "instead"), rows) if rows else "Nothing is deprecated.\n"


def _of_components(components: Iterable[RegisteredComponent]) -> Iterator[tuple[str, Deprecation]]:
    for each in components:
        if each.declaration.deprecated:
            yield f"{each.kind} `{each.name}`", each.declaration.deprecated
        for field in each.schema.fields:
            if field.deprecated:
                yield f"`{field.name}` of `{each.name}`", field.deprecated


def _of_keys(schema: Schema, prefix: str) -> Iterator[tuple[str, Deprecation]]:
    for field in schema.fields:
        if field.deprecated:
            yield f"`{prefix}{field.name}`", field.deprecated
        inner = without_null(field.type)
        if isinstance(inner, SectionType):
            yield from _of_keys(inner.schema, f"{prefix}{field.name}.")
