"""The language server: which specs are open, when they are checked, and what answers the editor."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from pathlib import Path
from typing import Any, Final, TypeAlias

from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.lsp.server import LanguageServer

from mlpkit.cli.exit_codes import error_report
from mlpkit.registry.discovery import PluginOptions
from mlpkit.registry.registry import Registry
from mlpkit.specfile.source import SourceText
from mlpkit.verbs.lsp.completion import completions
from mlpkit.verbs.lsp.diagnostics import Checker, diagnostics, quick_fixes
from mlpkit.verbs.lsp.lookup import code_lenses, definitions, hover, inlay_hints
from mlpkit.verbs.lsp.open_spec import OpenSpec, uri_of
from mlpkit.version import VERSION

Handler: TypeAlias = Callable[[Any], Coroutine[Any, Any, Any]]

PAUSE: Final = 0.05
"""Seconds without a key after which the text is checked."""

IS_SPEC: Final = re.compile(r"^mlpkit[ \t]*:", re.MULTILINE)
EXTENDS: Final = re.compile(r"^extends[ \t]*:", re.MULTILINE)
NAMES: Final = (".mlpkit.yaml", ".mlpkit.yml")

ANSWERS: Final[dict[str, tuple[Callable[[OpenSpec, Any], Any], Any]]] = {
    types.TEXT_DOCUMENT_COMPLETION: (completions, types.CompletionOptions([" ", "{", "[", ",", "$", "/", '"', "'"])),
    types.TEXT_DOCUMENT_HOVER: (hover, None),
    types.TEXT_DOCUMENT_DEFINITION: (definitions, None),
    types.TEXT_DOCUMENT_CODE_ACTION: (quick_fixes, types.CodeActionOptions([types.CodeActionKind.QuickFix])),
    types.TEXT_DOCUMENT_INLAY_HINT: (inlay_hints, None),
    types.TEXT_DOCUMENT_CODE_LENS: (code_lenses, None),
}
"""What answers each request about a spec, and how it is announced."""

OF_RIGHT_SPECS: Final = (types.TEXT_DOCUMENT_INLAY_HINT, types.TEXT_DOCUMENT_CODE_LENS)
"""The requests that wait for the check."""


class SpecServer(LanguageServer):
    """Serves an editor."""

    def __init__(self, plugin_options: PluginOptions) -> None:
        super().__init__("mlpkit", VERSION, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.registry = Registry.discover(**plugin_options)
        self.checker = Checker(self.registry)
        self.check_thread = ThreadPoolExecutor(1)
        self.specs: dict[str, OpenSpec] = {}
        self.found: dict[str, dict[str, list[types.Diagnostic]]] = {}
        for method in (types.TEXT_DOCUMENT_DID_OPEN, types.TEXT_DOCUMENT_DID_CHANGE, types.TEXT_DOCUMENT_DID_SAVE):
            self.feature(method)(self._logged(self._take_text))
        self.feature(types.TEXT_DOCUMENT_DID_CLOSE)(self._logged(self._close))
        self.feature(types.INITIALIZED)(self._logged(self._load_plugins))
        for method, (answer, announced) in ANSWERS.items():
            self.feature(method, announced)(self._logged(self._answering(answer, wait=method in OF_RIGHT_SPECS)))

    def _logged(self, work: Handler) -> Handler:
        """Return what does some work, and writes a fault of mlpkit itself to the editor's log."""

        async def handle(params: Any) -> Any:
            try:
                return await work(params)
            except Exception as error:
                report = error_report(error)
                text = "\n".join([report.text, *report.notes])
                self.window_log_message(types.LogMessageParams(types.MessageType.Error, text))
                return None

        return handle

    def _answering(self, answer: Callable[[OpenSpec, Any], Any], *, wait: bool) -> Handler:
        async def handle(params: Any) -> Any:
            spec = self.specs.get(params.text_document.uri)
            while wait and spec and spec.checking and not spec.checking.done():
                await asyncio.wait([spec.checking])
            if spec is None:
                return None
            return await asyncio.to_thread(answer, copy(spec), params)  # the spec may change meanwhile

        return handle

    async def _load_plugins(self, params: types.InitializedParams) -> None:
        """Find broken plugins in a subprocess, while the editor goes on."""
        self.examined = asyncio.get_running_loop().run_in_executor(None, self.registry.examined)

    async def _take_text(self, params: Any) -> None:
        """Check a text that has changed, and the specs that may extend it."""
        if isinstance(params, types.DidSaveTextDocumentParams):
            self.checker.forget_data()
        uri = params.text_document.uri
        document = self.workspace.get_text_document(uri)
        if not (IS_SPEC.search(document.source) or document.path.endswith(NAMES)):
            await self._close(params)
        elif uri in self.specs:
            self.specs[uri].text = SourceText(document.path, document.source)
        else:
            capability = "text_document.completion.completion_item.snippet_support"
            snippets = bool(get_capability(self.client_capabilities, capability))
            text, codec = SourceText(document.path, document.source), self.workspace.position_codec
            self.specs[uri] = OpenSpec(uri, Path(document.path), text, codec, self.registry, snippets)
        for spec in self.specs.values():
            if spec.uri == uri or EXTENDS.search(spec.text.text):
                if spec.checking:
                    spec.checking.cancel()
                spec.checking = asyncio.create_task(self._logged(self._check)(spec))

    async def _close(self, params: Any) -> None:
        spec = self.specs.pop(params.text_document.uri, None)
        if spec is not None:
            if spec.checking:
                spec.checking.cancel()
            self._publish(str(spec.path), {})

    async def _check(self, spec: OpenSpec) -> None:
        """Check a spec after a pause, and show what is wrong; a further change cancels this."""
        await asyncio.sleep(PAUSE)
        version = self.workspace.get_text_document(spec.uri).version
        texts = {os.path.normpath(each.path): each.source for each in self.workspace.text_documents.values()}
        loop = asyncio.get_running_loop()
        checked = await loop.run_in_executor(self.check_thread, self.checker.check, spec.path, texts)
        if self.workspace.get_text_document(spec.uri).version != version:  # it has changed, and is checked again
            return
        if checked.document:
            spec.document = checked.document
        if checked.right:
            spec.right = checked.right
        self._publish(str(spec.path), diagnostics(checked, str(spec.path), texts, spec.codec))

    def _publish(self, owner: str, found: dict[str, list[types.Diagnostic]]) -> None:
        """Show what is wrong in the files of a spec; other specs may extend the same files."""
        files = {owner, *self.found.get(owner, ()), *found}
        self.found[owner] = found
        shown = {each.path: each for each in self.workspace.text_documents.values()}
        for file in files:
            everything = [problem for each in self.found.values() for problem in each.get(file, ())]
            distinct = [*{(problem.code, repr(problem.range)): problem for problem in everything}.values()]
            uri, version = (shown[file].uri, shown[file].version) if file in shown else (uri_of(file), None)
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, distinct, version))
