"""The table of all keys of a spec, from the classes that check them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generators.tables import default_of, table
from mlpkit.components.schema.signature import SectionType
from mlpkit.components.schema.types import MappingType, without_null
from mlpkit.specfile.sections import TOP_LEVEL

if TYPE_CHECKING:
    from collections.abc import Iterator


def keys_table() -> str:
    """Return type, default and meaning of each key; those of a section follow those around it."""
    return table(("key", "type", "default", "meaning"), _rows(TOP_LEVEL, ""))


def _rows(section: SectionType, prefix: str) -> Iterator[tuple[str, ...]]:
    fields, meanings = section.schema.fields, section.schema.docstring.parameters
    for field in fields:
        kind = "a mapping" if isinstance(without_null(field.type), SectionType) else field.type.describe()
        yield f"`{prefix}{field.name}`", kind, default_of(field), meanings[field.name]
    for field in fields:
        inner = without_null(field.type)
        if isinstance(inner, SectionType):
            yield from _rows(inner, f"{prefix}{field.name}.")
        elif isinstance(inner, MappingType) and isinstance(inner.values, SectionType):
            yield from _rows(inner.values, f"{prefix}{field.name}.KEY.")
