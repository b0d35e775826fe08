"""A model as a JavaScript ES module without dependencies."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from mlpkit import Array, Exporter
from mlpkit.graph import ModelGraph, provenance_line
from mlpkit_plugins.exporters.js_engines import compute_module, model_constants, module_text

USE: Final = """\
// import { model, predict } from "./{name}";
// predict([row, ...]) takes rows as objects by the names in model.inputs, or as arrays in their order."""


class JsFile(Exporter):
    """A JavaScript ES module, for browsers, Node and others.

    It contains an engine for its operators, and has no dependencies. It is proved in Node or in a headless browser.

    Source: the ECMAScript language specification, 2020.
    """

    ending = ".js"
    shows_values = True

    def write(self, model: ModelGraph, file: Path) -> None:
        """Write a model as an ES module."""
        constants = model_constants(model)
        module = module_text(model, constants, f'fromBase64("{b64encode(constants.content).decode()}")')
        use = USE.replace("{name}", file.name)
        file.write_text(f"// {provenance_line(model.provenance)}\n{use}\n\n{module}", "utf-8", newline="\n")

    def compute(
        self, file: Path, model: ModelGraph, feeds: Mapping[str, Array], names: Collection[str]
    ) -> dict[str, Array]:
        """Compute with the module."""
        return compute_module(file.read_text("utf-8"), file.name, model, feeds, names)
