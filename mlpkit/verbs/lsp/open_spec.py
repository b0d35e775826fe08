"""A spec that is open in an editor."""

from __future__ import annotations

from asyncio import Task
from dataclasses import dataclass
from pathlib import Path

from lsprotocol import types
from pygls.workspace import PositionCodec

from mlpkit.components.schema.component_types import layer_names
from mlpkit.jobs.check import CheckedSpec
from mlpkit.registry.registry import Registry
from mlpkit.specfile.document import Document
from mlpkit.specfile.source import SourceText
from mlpkit.verbs.lsp.cursor import Cursor, cursor_at
from mlpkit.verbs.lsp.grammar import Grammar
from mlpkit.verbs.lsp.places import offset_of


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
