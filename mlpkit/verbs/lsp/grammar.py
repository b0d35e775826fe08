"""What a spec may hold at a place: types of values, and components with their parameters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TypeAlias

from mlpkit.components.recipe import KeyPath
from mlpkit.components.schema.auto import OrAutoType
from mlpkit.components.schema.component_types import ComponentOfKind
from mlpkit.components.schema.context import ValueType
from mlpkit.components.schema.signature import ParameterSchema, Schema, SectionType
from mlpkit.components.schema.types import EitherType, ListType, MappingType, TupleType
from mlpkit.errors import PluginError, UnknownComponentError
from mlpkit.registry.registry import RegisteredComponent, Registry
from mlpkit.specfile.sections import STACK_KINDS, TOP_LEVEL, LayerStackType

Kind: TypeAlias = "ValueType | RegisteredComponent"
"""The type of a value; or the component whose parameters it holds."""


def kinds_at(path: KeyPath, registry: Registry) -> list[Kind]:
    """Return what may be at a place of a spec.

    Args:
        path: the keys and indices that lead there.
        registry: the plugins.
    """
    kinds: list[Kind] = [TOP_LEVEL]
    for part in path:
        kinds = [each for kind in kinds for inner in _inside(kind, part, registry) for each in alternatives(inner)]
    return kinds


def alternatives(kind: Kind) -> Iterator[Kind]:
    """Yield the types that a type combines, each alone."""
    if isinstance(kind, EitherType | OrAutoType):
        parts = kind.alternatives if isinstance(kind, EitherType) else (kind.value, *kind.automatic)
        for part in parts:
            yield from alternatives(part)
    else:
        yield kind
        if isinstance(kind, ComponentOfKind) and kind.literal is not None:
            yield from alternatives(kind.literal)


def items_of(kind: Kind) -> ValueType | None:
    """Return what each item of a list may be; None for another type."""
    if isinstance(kind, LayerStackType):
        return ComponentOfKind(STACK_KINDS, ())
    return kind.items if isinstance(kind, ListType) else None


def schema_of_keys(kind: Kind) -> Schema | None:
    """Return the keys of a section, or the parameters of a component; None for another type."""
    return kind.schema if isinstance(kind, SectionType | RegisteredComponent) else None


def parameter_at(path: KeyPath, registry: Registry) -> tuple[Schema, ParameterSchema] | None:
    """Return the parameter at a place, or the one that its list belongs to, with the schema that has it."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    for kind in kinds_at(path[:-1], registry) if path else ():
        schema = schema_of_keys(kind)
        for field in schema.fields if schema else ():
            if schema and field.name == path[-1]:
                return schema, field
    return None


def component_named(name: object, kinds: list[Kind], registry: Registry) -> RegisteredComponent | None:
    """Return the component of a name, if a place takes it and its plugin is sound."""
    for kind in kinds:
        if isinstance(kind, ComponentOfKind):
            with suppress(UnknownComponentError, PluginError):
                found = registry.find(kind.kinds, str(name))
                _ = found.schema
                return found
    return None


def _inside(kind: Kind, part: str | int, registry: Registry) -> Iterator[Kind]:
    """Yield what may be at a key, or at an index, of a value."""
    schema, items = schema_of_keys(kind), items_of(kind)
    if schema is not None and part in schema.types:
        yield schema.types[str(part)]
    elif isinstance(kind, ComponentOfKind):
        found = component_named(part, [kind], registry)
        yield from (found,) if found else ()
    elif isinstance(kind, MappingType) and isinstance(part, str):
        yield kind.values
    elif items is not None and isinstance(part, int):
        yield items
    elif isinstance(kind, TupleType) and isinstance(part, int) and part < len(kind.items):
        yield kind.items[part]
