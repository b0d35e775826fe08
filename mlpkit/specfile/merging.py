"""How a spec merges with the spec that it extends."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mlpkit.components.schema.component_types import ComponentOfKind
from mlpkit.components.schema.signature import SectionType
from mlpkit.components.schema.types import MappingType, without_null
from mlpkit.specfile.key_types import RequirementsType
from mlpkit.specfile.nodes import Entry, ListNode, MappingNode, ScalarNode, is_null
from mlpkit.specfile.sections import TOP_LEVEL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlpkit.components.recipe import KeyPath
    from mlpkit.components.schema.signature import ParameterSchema
    from mlpkit.specfile.nodes import Node


def _keys(section: SectionType, path: KeyPath = ()) -> Iterator[tuple[KeyPath, ParameterSchema]]:
    """Yield the keys of a section and of the sections below it, with their paths."""
    for field in section.schema.fields:
        place, inner = (*path, field.name), without_null(field.type)
        yield place, field
        if isinstance(inner, SectionType):
            yield from _keys(inner, place)


KEYS: Final[dict[KeyPath, ParameterSchema]] = dict(_keys(TOP_LEVEL))
"""The keys of a spec, and where they stand."""

WITH_KEYS: Final = (SectionType, MappingType, RequirementsType)
"""The types of values that are mappings, and no components."""

SECTIONS: Final[frozenset[KeyPath]] = frozenset(
    {(), *(path for path, field in KEYS.items() if isinstance(without_null(field.type), WITH_KEYS))}
)
"""Where sections stand; the spec itself is one."""

NEEDED_COMPONENTS: Final[frozenset[KeyPath]] = frozenset(
    path for path, field in KEYS.items() if field.required and isinstance(field.type, ComponentOfKind)
)
"""Where a component stands in every spec, so that parameters without one are a mistake."""

COMPONENT_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*")


def is_section(path: KeyPath) -> bool:
    """Whether the value at a path is a section."""
    return path in SECTIONS


def may_be_component(path: KeyPath) -> bool:
    """Whether the value at a path may be a component, judging by the structure alone."""
    return path == ("data",) or (len(path) > 1 and path[0] != "requires" and not is_section(path))


def component_of(node: Node) -> tuple[str, MappingNode | None] | None:
    """Return the name and the parameters of what may be a component, or None if it can't be one.

    ``sgd``, ``{sgd: null}`` and ``sgd:`` are the same: a component without parameters.
    """
    if isinstance(node, ScalarNode) and isinstance(node.value, str) and COMPONENT_NAME.fullmatch(node.value):
        return node.value, None
    if isinstance(node, MappingNode) and len(node.entries) == 1:
        ((name, entry),) = node.entries.items()
        if isinstance(entry.node, MappingNode):
            return name, entry.node
        if is_null(entry.node):
            return name, None
    return None


def merge(base: MappingNode, child: MappingNode) -> MappingNode:
    """Return the spec ``child`` over the spec ``base``."""
    return _merge_keys(base, child, ())


def _merge_keys(base: MappingNode, child: MappingNode, path: KeyPath) -> MappingNode:
    entries = dict(base.entries)
    for key, entry in child.entries.items():
        inherited = base.entries.get(key)
        node = _merge_values(inherited.node, entry.node, (*path, key)) if inherited else entry.node
        entries[key] = Entry(entry.key, node)
    return MappingNode(entries, child.origin)


def _merge_values(base: Node, child: Node, path: KeyPath) -> Node:
    if not is_section(path):
        if _one_key(base) and _one_key(child) and _one_key(base) != _one_key(child):
            return child
        old, new = component_of(base), component_of(child)
        if old and new:
            return _merge_components(old, new, child, path)
    if isinstance(base, MappingNode) and isinstance(child, MappingNode):
        return _merge_keys(base, child, path)
    if isinstance(base, ListNode) and isinstance(child, ListNode):
        child.replaces = base
    return child


def _merge_components(
    old: tuple[str, MappingNode | None], new: tuple[str, MappingNode | None], child: Node, path: KeyPath
) -> Node:
    (old_name, inherited), (name, parameters) = old, new
    if name != old_name or inherited is None:
        return child
    key = child.entries[name].key if isinstance(child, MappingNode) else child.origin
    merged = inherited if parameters is None else _merge_keys(inherited, parameters, (*path, name))
    return MappingNode({name: Entry(key, merged)}, child.origin)


def _one_key(node: Node) -> str | None:
    return next(iter(node.entries)) if isinstance(node, MappingNode) and len(node.entries) == 1 else None
