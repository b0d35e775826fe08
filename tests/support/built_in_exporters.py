"""The built-in exporters by the endings of their files, and how a test changes what one does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit_plugins.exporters.c_file import CFile
from mlpkit_plugins.exporters.html_file import HtmlFile
from mlpkit_plugins.exporters.js_file import JsFile
from mlpkit_plugins.exporters.onnx_file import OnnxFile

if TYPE_CHECKING:
    from mlpkit import Exporter

EXPORTERS: dict[str, type[Exporter]] = {each.ending: each for each in (CFile, HtmlFile, JsFile, OnnxFile)}
