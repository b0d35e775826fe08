"""The text of the spec that is played with: reading it, and changing a value or a layer."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from mlpkit.errors import SpecError
from mlpkit.registry.registry import Registry
from mlpkit.specfile.document import Document, parse_document, read_document
from mlpkit.specfile.spec import Spec, check_document
from mlpkit.specfile.yaml_writer import to_inline_yaml, to_yaml
from mlpkit.verbs.play.knobs import knobs_of

LAYER_LINE: Final = "layers:\n  - "


@dataclass(frozen=True)
class SpecText:
    """A spec's text, which need not be that of its file.

    Args:
        path: the file, whose folder relative paths start from.
        text: the text.
        registry: the plugins that its components come from.
    """

    path: Path
    text: str
    registry: Registry

    def spec(self) -> Spec:
        """Return the spec, checked but not proved, or raise ``SpecError``."""
        return check_document(self._document(), self.registry)

    def with_number(self, key: str, value: object) -> SpecText:
        """Return the text with another number; comments stay, unless the number wasn't written at its own place.

        Raises:
            SpecError: there is no such key, or the text is wrong.
        """
        wanted = self._document({key: value})
        knob = next((knob for knob in knobs_of(self.spec()) if knob.key == key), None)
        if knob is not None:
            place = self._document().place(knob.path)
            changed = self.text[: place.start] + to_inline_yaml(value) + self.text[place.end :]
            if self._reads_as(changed, wanted.values):
                return replace(self, text=changed)
        return replace(self, text=to_yaml(wanted.values))

    def with_layer(self, position: int, line: str | None, *, insert: bool = False) -> SpecText:
        """Return the text with a layer, written as in a spec, in place of another or before it; None removes it.

        Raises:
            SpecError: the layer can't be read.
        """
        values = self._document().values
        layers = list(values["layers"])
        new = [] if line is None else parse_document(LAYER_LINE + line, "the layer").values["layers"]
        layers[position : position + (not insert)] = new
        return replace(self, text=to_yaml({**values, "layers": layers}))

    def layer_lines(self) -> list[str]:
        """Return each layer as it is written, on one line."""
        return [_line(layer) for layer in self._document().values["layers"]]

    def _reads_as(self, text: str, values: Mapping[str, Any]) -> bool:
        try:
            return read_document(self.path, texts=self._texts(text)).values == values
        except SpecError:
            return False

    def _document(self, overrides: Mapping[str, object] = {}) -> Document:
        return read_document(self.path, overrides, texts=self._texts(self.text))

    def _texts(self, text: str) -> Mapping[str, str]:
        return {os.path.normpath(Path.cwd() / self.path): text}


def _line(layer: Any) -> str:
    if isinstance(layer, dict) and len(layer) == 1:
        ((name, parameters),) = layer.items()
        return f"{name}: {to_inline_yaml(parameters)}"
    return to_inline_yaml(layer)
