"""The tree of a spec: plain values that know where they came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from mlpkit.specfile.source import SourceText, Span

Scalar: TypeAlias = str | int | float | bool | None


class ValueOrigin(NamedTuple):
    """Where a value or a key came from, and what became of it on the way, each a line.

    The value of a variable is written in another text than that of the place.
    """

    place: Span
    notes: tuple[str, ...] = ()
    written: SourceText | None = None

    def with_note(self, note: str) -> ValueOrigin:
        """Return the origin with one more note; unchanged without a note."""
        return ValueOrigin(self.place, (*self.notes, note), self.written) if note else self


@dataclass(slots=True)
class ScalarNode:
    """A string, number, truth value or null."""

    value: Scalar
    origin: ValueOrigin


@dataclass(slots=True)
class ListNode:
    """A list."""

    items: list[Node]
    origin: ValueOrigin


@dataclass(slots=True)
class Entry:
    """A key's origin, and the value under that key."""

    key: ValueOrigin
    node: Node


@dataclass(slots=True)
class MappingNode:
    """A mapping; its keys are strings."""

    entries: dict[str, Entry]
    origin: ValueOrigin


Node: TypeAlias = ScalarNode | ListNode | MappingNode


def plain(node: Node) -> Any:
    """Return the tree as plain data."""
    if isinstance(node, MappingNode):
        return {key: plain(entry.node) for key, entry in node.entries.items()}
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    return node.value


def children(node: Node) -> Sequence[Node]:
    """Return the values right inside a list or mapping."""
    if isinstance(node, MappingNode):
        return [entry.node for entry in node.entries.values()]
    return node.items if isinstance(node, ListNode) else ()


def descendants(node: Node) -> Iterator[Node]:
    """Go through the values inside a list or mapping, each before those inside it."""
    for child in children(node):
        yield child
        yield from descendants(child)


def copied(node: Node, note: str = "") -> Node:
    """Return a copy of the tree, whose nodes can be changed without changing the tree's, each with one more note."""
    origin = node.origin.with_note(note)
    if isinstance(node, MappingNode):
        entries = {
            key: Entry(entry.key.with_note(note), copied(entry.node, note)) for key, entry in node.entries.items()
        }
        return MappingNode(entries, origin)
    if isinstance(node, ListNode):
        return ListNode([copied(item, note) for item in node.items], origin)
    return ScalarNode(node.value, origin)


def height(node: Node) -> int:
    """Return how deep lists and mappings are nested; 0 for a scalar."""
    return 0 if isinstance(node, ScalarNode) else 1 + max(map(height, children(node)), default=0)


def count(node: Node) -> int:
    """Return how many values the tree has, lists and mappings among them."""
    return 1 + sum(1 for _ in descendants(node))


def is_null(node: Node) -> bool:
    """Whether the node is ``null``."""
    return isinstance(node, ScalarNode) and node.value is None
