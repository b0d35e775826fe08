"""The tables of all keys of a spec, from the classes that check them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generators.tables import default_of, table
from mlpkit.components.schema.signature import SectionType
from mlpkit.components.schema.types import MappingType, without_null
from mlpkit.specfile.sections import TOP_LEVEL

if TYPE_CHECKING:
    from collections.abc import Iterator


def keys_tables() -> str:
    """Return type, default and meaning of each key: those at the top, then a table for each section."""
    inner = {field.name: without_null(field.type) for field in TOP_LEVEL.schema.fields}
    sections = {name: found for name, found in inner.items() if isinstance(found, SectionType)}
    parts = [_table(_own_keys(TOP_LEVEL, ""))]
    parts += [f"## {name}\n\n{_table(_all_keys(section, f'{name}.'))}" for name, section in sections.items()]
    return "\n".join(parts)


def _table(rows: Iterator[tuple[str, ...]]) -> str:
    return table(("key", "type", "default", "meaning"), rows)


def _own_keys(section: SectionType, prefix: str) -> Iterator[tuple[str, ...]]:
    meanings = section.schema.docstring.parameters
    for field in section.schema.fields:
        kind = "a mapping" if isinstance(without_null(field.type), SectionType) else field.type.describe()
        yield f"`{prefix}{field.name}`", kind, default_of(field), meanings[field.name]


def _all_keys(section: SectionType, prefix: str) -> Iterator[tuple[str, ...]]:
    """Go through the keys of a section, then through those of the sections in it."""
    yield from _own_keys(section, prefix)
    for field in section.schema.fields:
        inner = without_null(field.type)
        if isinstance(inner, SectionType):
            yield from _all_keys(inner, f"{prefix}{field.name}.")
        elif isinstance(inner, MappingType) and isinstance(inner.values, SectionType):
            yield from _all_keys(inner.values, f"{prefix}{field.name}.KEY.")
