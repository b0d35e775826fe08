"""Places in texts, as editors count them: lines from 0, and characters in units that the editor chooses."""

from __future__ import annotations

import os
from itertools import accumulate

from lsprotocol import types
from pygls.uris import from_fs_path
from pygls.workspace import PositionCodec

from mlpkit.specfile.source import SourceText, Span


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
