"""Merges a spec over the one it extends.

- Sections merge key by key, and so do mappings in general.
- Two components of the same name merge their parameters; a component replaces one of another name.
- Everything else, lists too, replaces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.spec.nodes import Entry, MappingNode
from mlpkit.spec.structure import component_of, is_section

if TYPE_CHECKING:
    from mlpkit.components.schema.fault import Path
    from mlpkit.spec.nodes import Node


def merge(base: MappingNode, child: MappingNode) -> MappingNode:
    """Return the spec ``child`` over the spec ``base``."""
    return _merge_keys(base, child, ())


def _merge_keys(base: MappingNode, child: MappingNode, path: Path) -> MappingNode:
    entries = dict(base.entries)
    for key, entry in child.entries.items():
        inherited = base.entries.get(key)
        node = _merge_values(inherited.node, entry.node, (*path, key)) if inherited else entry.node
        entries[key] = Entry(entry.key, node)
    return MappingNode(entries, child.origin)


def _merge_values(base: Node, child: Node, path: Path) -> Node:
    if not is_section(path):
        if _one_key(base) and _one_key(child) and _one_key(base) != _one_key(child):
            return child
        old, new = component_of(base), component_of(child)
        if old and new:
            return _merge_components(old, new, child, path)
    if isinstance(base, MappingNode) and isinstance(child, MappingNode):
        return _merge_keys(base, child, path)
    return child


def _merge_components(
    old: tuple[str, MappingNode | None], new: tuple[str, MappingNode | None], child: Node, path: Path
) -> Node:
    (old_name, inherited), (name, parameters) = old, new
    if name != old_name or inherited is None:
        return child
    key = child.entries[name].key if isinstance(child, MappingNode) else child.origin
    merged = inherited if parameters is None else _merge_keys(inherited, parameters, (*path, name))
    return MappingNode({name: Entry(key, merged)}, child.origin)


def _one_key(node: Node) -> str | None:
    return next(iter(node.entries)) if isinstance(node, MappingNode) and len(node.entries) == 1 else None
