"""Overrides: reading them, and setting them in a spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from mlpkit.components.schema.context import Correction, show
from mlpkit.components.schema.recipe import KeyPath
from mlpkit.specfile.merging import NEEDED_COMPONENTS, may_be_component
from mlpkit.specfile.nodes import Entry, ListNode, MappingNode, Node, ValueOrigin, count, is_null, plain
from mlpkit.specfile.python_spec import node_of_value
from mlpkit.specfile.sections import EXTENDS
from mlpkit.specfile.source import (
    DEEPEST_NESTING,
    LARGEST_TEXT,
    MOST_VALUES,
    REFUSED,
    DiagnosticList,
    SourceText,
    Span,
)
from mlpkit.specfile.strict_yaml import parse_yaml
from mlpkit.specfile.structure import LAYERS, LayerLists, component_of, with_parameters
from mlpkit.specfile.variables import VARS, follow

Overrides: TypeAlias = Mapping[str, Any] | Sequence[str]
"""A mapping from dotted keys to Python values, or texts ``KEY=VALUE`` as from ``--set``."""

FIRST_ORDER = 100
"""Overrides come after all files in the order of texts."""


class Override(NamedTuple):
    """A value to be set: its text, the parts of the dotted key, and where each part starts in the text."""

    source: SourceText
    keys: tuple[str, ...]
    starts: tuple[int, ...]
    value: Node

    def place(self, index: int) -> Span:
        """Return the place of one part of the key."""
        return Span(self.source, self.starts[index], self.starts[index] + len(self.keys[index]))

    def path(self, length: int) -> str:
        """Return the first parts of the key, dotted."""
        return ".".join(self.keys[:length])


def read_overrides(overrides: Overrides, faults: DiagnosticList) -> list[Override] | None:
    """Return the overrides in their order, or None if one of them could not be read.

    Values from Python are taken as they are; those of texts are YAML of one line, and may use variables.
    """
    if isinstance(overrides, str):
        overrides = [overrides]
    given: list[Any] = [*overrides.items()] if isinstance(overrides, Mapping) else [*overrides]
    read_one = _from_value if isinstance(overrides, Mapping) else _from_text
    read: list[Override] = []
    values = 0
    for order, item in enumerate(given, FIRST_ORDER):
        override = read_one(item, order, faults)
        if override is None:
            continue
        read.append(override)
        values += count(override.value)
        if values > MOST_VALUES:
            message = f"overrides can't hold more than {MOST_VALUES:,} values together"
            faults.report(override.place(0), message, code="wrong-override")
            return None
    return read if len(read) == len(given) else None


def _from_text(text: str, order: int, faults: DiagnosticList) -> Override | None:
    source = SourceText("--set", text, order, override=True)
    whole, report = Span(source, 0, len(text)), partial(faults.report, code="wrong-override")
    if len(text) > LARGEST_TEXT:
        return report(whole, f"an override can't have more than {LARGEST_TEXT:,} characters")
    if "\n" in text or "\r" in text:
        return report(whole, "an override has only one line", expected="KEY=VALUE")
    key, equals, value = text.partition("=")
    if not equals:
        return report(whole, "'=' is missing", expected="KEY=VALUE, such as training.batch_size=128")
    parts = _parts(key, Span(source, 0, len(key)), faults)
    start = len(key) + 1
    node = None
    if value.strip() and not value.lstrip().startswith("#"):
        node = parse_yaml(source, faults, start=start)
    else:
        place = Span(source, start, start)
        report(place, "the value after '=' is missing", remedy="write null or '' for nothing")
    return Override(source, *parts, node) if node is not None and parts else None


def _from_value(item: tuple[object, object], order: int, faults: DiagnosticList) -> Override | None:
    key, value = item
    name = key if isinstance(key, str) else repr(key)
    source = SourceText("overrides", f"{name}={' '.join(str(value).split())}", order, override=True)
    place = Span(source, 0, len(name))
    if not isinstance(key, str):
        faults.report(place, f"the key {name} is not a string", code="wrong-override")
        return None
    parts = _parts(key, place, faults)
    node = node_of_value(value, Span(source, len(key) + 1, len(source.text)), faults)
    return Override(source, *parts, node) if node is not None and parts else None


def _parts(key: str, place: Span, faults: DiagnosticList) -> tuple[tuple[str, ...], tuple[int, ...]] | None:
    """Return the parts of a dotted key and their positions, or None after reporting that it is not a key."""
    keys, starts, start = [], [], 0
    for part in key.split("."):
        keys.append(part.strip())
        starts.append(start + len(part) - len(part.lstrip()))
        start += len(part) + 1
    report = partial(faults.report, place, code="wrong-override")
    if not all(keys) or "\n" in key or "\r" in key or REFUSED.search(key):
        return report(f"{show(key)} is not a key", expected="names with dots between them")
    if len(keys) > DEEPEST_NESTING:
        return report(f"a key can't have more than {DEEPEST_NESTING} parts")
    return tuple(keys), tuple(starts)


def override_at(key: str, value: object, key_place: Span, place: Span, faults: DiagnosticList) -> Override | None:
    """Return an override that a spec holds, so that messages point there; None after reporting why not."""
    parts = _parts(key, key_place, faults)
    node = node_of_value(value, place, faults)
    if parts is None or node is None:
        return None
    quotes = key_place.text.text[key_place.start : key_place.start + 1] in ("'", '"')
    return Override(key_place.text, parts[0], tuple(key_place.start + quotes + start for start in parts[1]), node)


def set_overrides(root: MappingNode, overrides: list[Override], faults: DiagnosticList) -> None:
    """Set the values in their order, variables first.

    Layers go by the names they have before the first override, so that one doesn't rename what another means.
    A layer that is set to ``null`` is removed.
    """
    lists = LayerLists(root)
    for override in sorted(overrides, key=lambda override: override.keys[0] != VARS):
        _Setting(root, override, faults, lists).apply()
    lists.remove_nulls()


class _Setting:
    """One override on its way into the tree."""

    def __init__(self, root: MappingNode, override: Override, faults: DiagnosticList, lists: LayerLists) -> None:
        self.root = root
        self.override = override
        self.keys = override.keys
        self.faults = faults
        self.lists = lists
        self.variables = lists.variables

    def apply(self) -> None:
        """Set the value."""
        if self.keys[0] == EXTENDS:
            self._report(0, "an override can't extend a spec", remedy="write extends in the file")
        else:
            self._in_mapping(self.root, 0, ())

    def _changed(self, node: Node, index: int, path: KeyPath) -> Node:
        """Return the node at a path with the value set; ``index`` is the number of the key's next part."""
        if index == len(self.keys):  # the new value remembers where the old one is
            value, replaced = self.override.value, node.origin.place
            value.origin = value.origin.with_note(f"{value.origin.place.quoted} replaces {replaced.quoted}")
            return value
        written = node
        node = follow(node, self.variables)
        if isinstance(node, ListNode):
            item = self._item(node, index, path)
            if item is not None:
                node.items[item] = self._changed(node.items[item], index + 1, (*path, item))
            return node
        if may_be_component(path):
            node = with_parameters(node, self.variables)
            component = component_of(node)
            if component:
                return self._in_component(node, *component, index, path)
        if is_null(node):
            node = MappingNode({}, node.origin)
        if isinstance(node, MappingNode):
            return self._in_mapping(node, index, path)
        what = f"{self.override.path(index)} is {show(plain(node))}, not a mapping"
        self._report(index, what, remedy=f"set it whole: {self.override.path(index)}=...")
        return written

    def _in_component(
        self, node: Node, name: str, parameters: MappingNode | None, index: int, path: KeyPath
    ) -> MappingNode:
        key = node.entries[name].key if isinstance(node, MappingNode) else node.origin
        end = index + 1 + name.count(".")  # a plugin's component has its namespace
        if ".".join(self.keys[index:end]) == name and end < len(self.keys):
            index = end  # the key names the component, as the spec does
        inside = parameters or MappingNode({}, node.origin)
        here = (*path, name)
        whole, report = self.override.path(index), partial(self._report, index)
        held = self.lists.holder(inside, self.keys[index], whole, report) if path[0] == LAYERS else None
        if held:
            entry = inside.entries[held]
            entry.node = self._changed(entry.node, index, (*here, held))
        else:
            inside = self._in_mapping(inside, index, here)
        return MappingNode({name: Entry(key, inside)}, node.origin)

    def _in_mapping(self, mapping: MappingNode, index: int, path: KeyPath) -> MappingNode:
        key = self.keys[index]
        here = (*path, key)
        entry = mapping.entries.get(key)
        if entry:
            entry.node = self._changed(entry.node, index + 1, here)
        elif index + 1 == len(self.keys):
            mapping.entries[key] = Entry(ValueOrigin(self.override.place(index)), self.override.value)
        elif here in NEEDED_COMPONENTS:
            whole = self.override.path(index + 1)
            message = f"the spec has no {whole} that '{self.keys[index + 1]}' could belong to"
            self._report(index, message, remedy=f"set it whole: {whole}={{name: {{...}}}}")
        else:
            origin = ValueOrigin(self.override.place(index))
            mapping.entries[key] = Entry(origin, self._changed(MappingNode({}, origin), index + 1, here))
        return mapping

    def _item(self, node: ListNode, index: int, path: KeyPath) -> int | None:
        """Return the position of the list item that the key means, or None after reporting that it is missing."""
        whole = self.override.path(index)
        if path[0] != LAYERS:
            self._report(index, f"{whole} is a list", remedy=f"set it whole: {whole}=[...]")
            return None
        return self.lists.position(node, self.keys[index], whole, partial(self._report, index))

    def _report(
        self, index: int, message: str, *, expected: str = "", remedy: str = "", meant: Correction | None = None
    ) -> None:
        self.faults.report(self.override.place(index), message, expected=expected, remedy=remedy, code="wrong-override")
