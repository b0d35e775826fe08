"""A spec that is open in an editor, where in its half-written text the cursor is, and places as editors count them."""

from __future__ import annotations

import os
import re
from asyncio import Task
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Final, NamedTuple

from lsprotocol import types
from pygls.uris import from_fs_path
from pygls.workspace import PositionCodec

from mlpkit.components.schema.component_types import layer_names
from mlpkit.components.schema.recipe import KeyPath
from mlpkit.jobs.check import CheckedSpec
from mlpkit.registry.registry import Registry
from mlpkit.specfile.document import Document
from mlpkit.specfile.nodes import ListNode, MappingNode, Node, plain
from mlpkit.specfile.source import SourceText, Span
from mlpkit.specfile.strict_yaml import readable_part
from mlpkit.specfile.variables import REFERENCE
from mlpkit.verbs.lsp.grammar import Grammar

MARK: Final = "\ue000"
"""Marks the cursor; a character for private use."""

COLON: Final = ": "
ENDINGS: Final = ("", COLON, '"', "'")
"""What may be missing behind the cursor, so that the text around it can be read."""


class Cursor(NamedTuple):
    """Where the cursor is: at the word that a path leads to, a key or a value, of which a part is before the cursor.

    The tree is as much of the spec as can be read; the word in it has ``MARK`` at the cursor. A ``fresh`` word is the
    first of its line, so that it may become a key; one may be ``quoted`` by a quote before it, and ``followed`` by a
    colon.
    """

    root: Node
    path: KeyPath
    at_key: bool
    word: str
    before: str
    fresh: bool
    quoted: bool
    followed: bool

    @property
    def variable(self) -> str:
        """The variable that the word is, or begins with; empty without one."""
        found = re.match(REFERENCE, self.word)
        return found[1] or found[2] if found else ""

    def written_at(self, path: KeyPath) -> Any:
        """Return the plain data at a path; None if nothing is there."""
        return value_at(plain(self.root), path)


@dataclass
class OpenSpec:
    """A spec that is open in an editor: its address, its file, and its text as the editor shows it.

    The document is of the last text that could be read, and ``right`` of the last one without errors.
    """

    uri: str
    path: Path
    text: SourceText
    codec: PositionCodec
    registry: Registry
    snippets: bool = False
    checking: Task[None] | None = None
    document: Document | None = None
    right: CheckedSpec | None = None

    @property
    def grammar(self) -> Grammar:
        """What the spec may hold at its places."""
        layers = self.document.values.get("layers") if self.document else None
        items = layers if isinstance(layers, list) else []
        components = [next(iter(item), "") if isinstance(item, dict) else str(item) for item in items]
        named = dict(zip(layer_names(items), components, strict=True))
        return Grammar(self.registry, {name: component for name, component in named.items() if name})

    def cursor(self, place: types.Position) -> Cursor | None:
        """Return what is at the editor's position; None if nothing can be made of it."""
        return cursor_at(self.text.text, offset_of(self.text, place, self.codec))


def value_at(value: Any, path: KeyPath) -> Any:
    """Return what is at a path of plain data; None if nothing is there."""
    for part in path:
        try:
            value = value[part]
        except (IndexError, KeyError, TypeError):
            return None
    return value


def cursor_at(text: str, offset: int) -> Cursor | None:
    """Return where the cursor is in a text; None if nothing can be made of the text before it, as in a comment."""
    above = text[:offset]
    for before, after in ((above, text[offset:]), (above, ""), (_lines_around(above), "")):
        for ending in ENDINGS:
            root = readable_part(f"{before}{MARK}{ending}{after}")
            path, at_key, word = next(_marked(root), ((), False, "")) if root else ((), False, "")
            first, mark, second = word.partition(MARK)
            line = before[before.rfind("\n") + 1 : len(before) - len(first)]
            fresh, quoted = not line.strip("- "), line.endswith(("'", '"'))
            one_line = after.startswith(second)  # otherwise the next line was taken for a part of the word
            if root and mark and one_line and (fresh or ending != COLON):
                path = (*path[:-1], first + second) if at_key else path
                followed = after.startswith(":", len(second))
                return Cursor(root, path, at_key, first + second, first, fresh, quoted, followed)
    return None


def _marked(node: Node, path: KeyPath = ()) -> Iterator[tuple[KeyPath, bool, str]]:
    """Yield the path of the key or value with the mark, whether it is a key, and its text."""
    if isinstance(node, MappingNode):
        for key, entry in node.entries.items():
            if MARK in key:
                yield (*path, key), True, key
            yield from _marked(entry.node, (*path, key))
    elif isinstance(node, ListNode):
        for index, item in enumerate(node.items):
            yield from _marked(item, (*path, index))
    elif MARK in str(node.value):
        yield path, False, str(node.value)


def _lines_around(text: str) -> str:
    """Return the last line of a text, after the lines above that it is indented below."""
    *above, last = text.split("\n")
    kept, indentation = [last], len(last) - len(last.lstrip())
    for line in reversed(above):
        content = line.lstrip()
        column, is_item = len(line) - len(content), content.startswith("-")
        if content and content[0] != "#" and column < indentation:
            kept, indentation = [line, *kept], column + is_item  # a list may be at the column of its key
    return "\n".join(kept)


def position(text: SourceText, offset: int, codec: PositionCodec) -> types.Position:
    """Return the editor's position of a character."""
    number = text.line_number(offset)
    before = text.text[text.line_starts[number - 1] : offset]
    return types.Position(number - 1, codec.client_num_units(before))


def offset_of(text: SourceText, place: types.Position, codec: PositionCodec) -> int:
    """Return which character is at the editor's position; the nearest before it if that is outside the text."""
    number = min(place.line + 1, len(text.line_starts))
    line = text.line(number)
    units = accumulate(map(codec.client_num_units, line), initial=0)
    column = next((column for column, count in enumerate(units) if count >= place.character), len(line))
    return text.line_starts[number - 1] + column


def span_range(text: SourceText, start: int, end: int, codec: PositionCodec) -> types.Range:
    """Return the editor's range of some characters."""
    return types.Range(position(text, start, codec), position(text, end, codec))


def location(span: Span, codec: PositionCodec) -> types.Location:
    """Return the editor's location of a place in a file."""
    return types.Location(uri_of(span.file), span_range(span.text, span.start, span.end, codec))


def uri_of(path: str) -> str:
    """Return the address of a file."""
    return from_fs_path(os.path.normpath(path)) or ""
