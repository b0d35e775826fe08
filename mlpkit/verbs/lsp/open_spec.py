"""A spec that is open in an editor, and places in its text as editors count them: lines from 0."""

from __future__ import annotations

import os
from asyncio import Task
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from lsprotocol import types
from pygls.uris import from_fs_path
from pygls.workspace import PositionCodec

from mlpkit.components.schema.component_types import layer_names
from mlpkit.jobs.check import CheckedSpec
from mlpkit.registry.registry import Registry
from mlpkit.specfile.document import Document
from mlpkit.specfile.source import SourceText, Span
from mlpkit.verbs.lsp.cursor import Cursor, cursor_at
from mlpkit.verbs.lsp.grammar import Grammar


@dataclass
class OpenSpec:
    """A spec that is open in an editor: its address, its file, and its text as the editor shows it.

    The document is of the last text that could be read, and ``right`` of the last one without errors; ``step`` is a
    text whose step was measured, and the seconds of the step.
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
    step: tuple[str, float] | None = None

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
