"""What a spec may hold at a place: types of values, and components with their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TypeAlias

from mlpkit.components.schema.auto import OrAutoType
from mlpkit.components.schema.component_types import ComponentOfKind
from mlpkit.components.schema.context import ValueType
from mlpkit.components.schema.recipe import KeyPath
from mlpkit.components.schema.signature import ParameterSchema, Schema, SectionType
from mlpkit.components.schema.types import EitherType, ListType, MappingType, TupleType
from mlpkit.errors import PluginError, UnknownComponentError
from mlpkit.registry.registry import RegisteredComponent, Registry
from mlpkit.specfile.sections import STACK_KINDS, TOP_LEVEL, LayerStackType

Kind: TypeAlias = "ValueType | RegisteredComponent"
"""The type of a value; or the component whose parameters it holds."""


class Grammar:
    """What a spec may hold at its places, with the component of each layer that it has or inherits, by its name."""

    def __init__(self, registry: Registry, layers: Mapping[str, str]) -> None:
        self.registry, self.layers = registry, layers

    def kinds_at(self, path: KeyPath) -> list[Kind]:
        """Return what may be at a place."""
        kinds: list[Kind] = [TOP_LEVEL]
        for part in path:
            kinds = [each for kind in kinds for inner in self._inside(kind, part) for each in alternatives(inner)]
        return kinds

    def parameter_at(self, path: KeyPath) -> tuple[Schema, ParameterSchema] | None:
        """Return the parameter at a place, or the one that its list belongs to, with the schema that has it."""
        while path and isinstance(path[-1], int):
            path = path[:-1]
        for kind in self.kinds_at(path[:-1]) if path else ():
            schema = schema_of_keys(kind)
            if schema is not None and path[-1] in schema.types:
                return schema, next(field for field in schema.fields if field.name == path[-1])
        return None

    def component_at(self, path: KeyPath, name: str) -> RegisteredComponent | None:
        """Return the component of a name, if it may be at a place."""
        return next(filter(None, (self.component(kind, name) for kind in self.kinds_at(path))), None)

    def component(self, kind: Kind, name: object) -> RegisteredComponent | None:
        """Return the component of a name, if a type takes it and its plugin is sound."""
        if isinstance(kind, ComponentOfKind):
            with suppress(UnknownComponentError, PluginError):
                found = self.registry.find(kind.kinds, str(name))
                _ = found.schema
                return found
        return None

    def _inside(self, kind: Kind, part: str | int) -> Iterator[Kind]:
        """Yield what may be at a key, or at an index, of a value."""
        schema, items = schema_of_keys(kind), items_of(kind)
        if schema is not None and part in schema.types:
            yield schema.types[str(part)]
        elif isinstance(kind, ComponentOfKind):
            yield from filter(None, [self.component(kind, part)])
        elif isinstance(kind, MappingType) and isinstance(part, str):
            yield kind.values
        elif items is not None and isinstance(part, int):
            yield items
        elif isinstance(kind, LayerStackType) and items is not None:  # a spec that extends names layers as keys
            yield from filter(None, [self.component(items, self.layers.get(str(part)))])
        elif isinstance(kind, TupleType) and isinstance(part, int) and part < len(kind.items):
            yield kind.items[part]


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
