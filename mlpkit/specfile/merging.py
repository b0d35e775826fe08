"""How a spec merges with the spec that it extends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from mlpkit.components.schema.component_types import ComponentOfKind
from mlpkit.components.schema.context import Correction
from mlpkit.components.schema.recipe import KeyPath
from mlpkit.components.schema.signature import ParameterSchema, SectionType
from mlpkit.components.schema.types import MappingType, without_null
from mlpkit.specfile.fixes import text_fix
from mlpkit.specfile.key_types import RequirementsType
from mlpkit.specfile.nodes import Entry, ListNode, MappingNode, Node
from mlpkit.specfile.sections import TOP_LEVEL
from mlpkit.specfile.source import DiagnosticList
from mlpkit.specfile.structure import LAYERS, LayerLists, Report, component_of
from mlpkit.specfile.variables import follow


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


def may_be_component(path: KeyPath) -> bool:
    """Whether the value at a path may be a component, judging by the structure alone."""
    return path == ("data",) or (len(path) > 1 and path[0] != "requires" and path not in SECTIONS)


def merge(base: MappingNode, child: MappingNode, faults: DiagnosticList) -> MappingNode:
    """Return a spec merged over the one that it extends; its ``layers`` may be changes, by the names of layers."""
    merged = _merge_keys(base, child, ())
    if LAYERS in base.entries and LAYERS in child.entries:
        changes = _LayerChanges(merged, faults)
        layers, new = (follow(spec.entries[LAYERS].node, changes.lists.variables) for spec in (base, child))
        if isinstance(layers, ListNode) and isinstance(new, MappingNode):
            merged.entries[LAYERS] = Entry(child.entries[LAYERS].key, changes.of_list(layers, new.entries, (LAYERS,)))
    return merged


def _merge_keys(base: MappingNode, child: MappingNode, path: KeyPath) -> MappingNode:
    entries = dict(base.entries)
    for key, entry in child.entries.items():
        inherited = base.entries.get(key)
        node = _merge_values(inherited.node, entry.node, (*path, key)) if inherited else entry.node
        entries[key] = Entry(entry.key, node)
    return MappingNode(entries, child.origin)


def _merge_values(base: Node, child: Node, path: KeyPath) -> Node:
    if path not in SECTIONS:
        if _one_key(base) and _one_key(child) and _one_key(base) != _one_key(child):
            return child
        old, new = component_of(base), component_of(child)
        if old and new:
            return _merge_components(old, new, child, path)
    if isinstance(base, MappingNode) and isinstance(child, MappingNode):
        return _merge_keys(base, child, path)
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


class _LayerChanges:
    """Changes of layers by their names, which are those in the spec that is extended."""

    def __init__(self, root: MappingNode, faults: DiagnosticList) -> None:
        self.lists = LayerLists(root)
        self.faults = faults

    def of_list(self, layers: ListNode, changes: Mapping[str, Entry], path: KeyPath) -> ListNode:
        """Return a list whose layers are changed, or removed by ``null``."""
        items = list(layers.items)
        for name, change in changes.items():
            item = self.lists.position(layers, name, ".".join(map(str, path)), self._report_at(change))
            if item is not None:
                items[item] = self._layer(items[item], change, (*path, name))
        return ListNode(self.lists.remaining(layers, items), layers.origin)

    def _layer(self, old: Node, change: Entry, path: KeyPath) -> Node:
        """Return a layer with some of its parameters changed, or another layer in its place."""
        layer, new = (follow(node, self.lists.variables) for node in (old, change.node))
        if isinstance(layer, ListNode) and isinstance(new, MappingNode):
            return self.of_list(layer, new.entries, path)
        component, whole = self.lists.component(layer), component_of(new)
        if component is None:
            return new
        name, parameters = component[0], component[1] or MappingNode({}, old.origin)
        if whole and whole[0] == name:
            new = whole[1] or MappingNode({}, new.origin)
        elif whole and whole[0].rpartition(".")[2][0].isupper() and not self.lists.holders(parameters, whole[0]):
            return new  # another layer or loss, which are spelt with a capital, and not a parameter
        if not isinstance(new, MappingNode):
            return new
        return MappingNode({name: Entry(change.key, self._parameters(parameters, new, path))}, old.origin)

    def _parameters(self, old: MappingNode, new: MappingNode, path: KeyPath) -> MappingNode:
        rest: dict[str, Entry] = {}
        inside: dict[str, dict[str, Entry]] = {}
        for key, change in new.entries.items():
            held = self.lists.holder(old, key, ".".join(map(str, path)), self._report_at(change))
            if held:
                inside.setdefault(held, {})[key] = change
            elif self.lists.list_at(old, key) and isinstance(change.node, MappingNode):
                inside.setdefault(key, {}).update(change.node.entries)
            else:
                rest[key] = change
        merged = _merge_keys(old, MappingNode(rest, new.origin), path)
        for key, changes in inside.items():
            layers = self.lists.list_at(old, key)
            assert layers is not None
            merged.entries[key] = Entry(old.entries[key].key, self.of_list(layers, changes, (*path, key)))
        return merged

    def _report_at(self, change: Entry) -> Report:
        place = change.key.place

        def report(message: str, *, expected: str = "", remedy: str = "", meant: Correction | None = None) -> None:
            fix = meant and text_fix(place, meant)
            self.faults.report(place, message, expected=expected, remedy=remedy, code="unknown-layer", fix=fix)

        return report
