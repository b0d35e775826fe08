"""An editor that is connected to ``mlpkit lsp``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from types import SimpleNamespace

from language_server import Client
from requirements import require_package

CAPABILITIES = {
    "textDocument": {
        "completion": {"completionItem": {"snippetSupport": True}},
        "publishDiagnostics": {"relatedInformation": True},
        "inlayHint": {},
        "codeLens": {},
    }
}
MARK = "|"
"""Stands in a text for the cursor."""

SPEC = """\
mlpkit: 1
data:
  csv: {file: "example:flowers.csv", target: species, categorical: [soil], missing: fill}
layers:
  - Affine: {units: 50}
  - Relu
  - Affine: {units: 3}
  - SoftmaxWithLoss
training:
  optimizer: {sgd: {learning_rate: 0.1}}
  batch_size: 10
  epochs: 1
  metrics: [accuracy]
"""


def changed(before, after):
    """Return the spec with a part of it changed."""
    assert SPEC.count(before) >= 1
    return SPEC.replace(before, after, 1)


class SpecEditor(Client):
    """The editor: what it shows of a text, which it opens, or changes if it is open already."""

    def __init__(self, process, folder):
        super().__init__(process, folder, CAPABILITIES)
        self.versions = {}

    def show(self, text, name="spec.mlpkit.yaml"):
        """Show a text in a file of the folder, without a check of what the server says; return its address."""
        uri = (self.folder / name).as_uri()
        self.versions[uri] = self.versions.get(uri, 0) + 1
        if self.versions[uri] == 1:
            return self.open(name, text)
        document = {"uri": uri, "version": self.versions[uri]}
        self.notify("textDocument/didChange", textDocument=document, contentChanges=[{"text": text}])
        return uri

    def published(self, name="spec.mlpkit.yaml"):
        """Return what the server has found in the newest text of a file, once it has checked it."""
        uri = (self.folder / name).as_uri()
        version = self.versions.get(uri)

        def is_it(message):
            params = message.get("params", {})
            of_file = message.get("method") == "textDocument/publishDiagnostics" and params["uri"] == uri
            return of_file and version in (params.get("version"), None)

        return self.until(is_it)["params"]["diagnostics"]

    def problems(self, text, name="spec.mlpkit.yaml"):
        """Return what is wrong in a text: code, place from 1, what is marked, and the first line of why."""
        self.show(text, name)
        return [
            (
                found["code"],
                found["range"]["start"]["line"] + 1,
                found["range"]["start"]["character"] + 1,
                self.marked(text, found["range"]),
                found["message"].split("\n")[0],
            )
            for found in self.published(name)
        ]

    def completions(self, text, name="spec.mlpkit.yaml"):
        """Return what is offered at the mark: each label with the text that it leads to."""
        plain, place, uri = self._at_mark(text, name)
        found = self.request("textDocument/completion", textDocument={"uri": uri}, position=place)
        return {item["label"]: self.changed(plain, item["textEdit"]) for item in found}

    def hover(self, text, name="spec.mlpkit.yaml"):
        """Return what is shown of the word at the mark."""
        _, place, uri = self._at_mark(text, name)
        found = self.request("textDocument/hover", textDocument={"uri": uri}, position=place)
        return found["contents"]["value"] if found else ""

    def definitions(self, text, name="spec.mlpkit.yaml"):
        """Return where the word at the mark is defined: addresses, and lines from 1."""
        _, place, uri = self._at_mark(text, name)
        found = self.request("textDocument/definition", textDocument={"uri": uri}, position=place)
        return [(each["uri"], each["range"]["start"]["line"] + 1) for each in found]

    def hints(self, text, name="spec.mlpkit.yaml"):
        """Return a text with the hints between its words."""
        uri = self.show(text, name)
        whole = {"start": {"line": 0, "character": 0}, "end": {"line": text.count("\n") + 1, "character": 0}}
        found = self.request("textDocument/inlayHint", textDocument={"uri": uri}, range=whole)
        for hint in sorted(found, key=lambda each: -self.offset(text, each["position"])):
            at = self.offset(text, hint["position"])
            text = f"{text[:at]} {hint['label']}{text[at:]}"
        return text

    def lenses(self, text, name="spec.mlpkit.yaml"):
        """Return what is above which line."""
        uri = self.show(text, name)
        found = self.request("textDocument/codeLens", textDocument={"uri": uri})
        return [(each["range"]["start"]["line"] + 1, each["command"]["title"]) for each in found]

    def fixes(self, text, name="spec.mlpkit.yaml"):
        """Return the fixes of all that is wrong in a text: their titles, and the text that each leads to."""
        uri = self.show(text, name)
        found = self.published(name)
        actions = [
            action
            for problem in found
            for action in self.request(
                "textDocument/codeAction",
                textDocument={"uri": uri},
                range=problem["range"],
                context={"diagnostics": [problem]},
            )
        ]
        return {action["title"]: self.changed(text, *action["edit"]["changes"][uri]) for action in actions}

    def offset(self, text, place):
        """Return which character is at a place, whose units are those of UTF-16."""
        lines = re.split("(?<=\n)", text)
        line = lines[place["line"]].encode("utf-16-le")[: 2 * place["character"]].decode("utf-16-le")
        return sum(map(len, lines[: place["line"]])) + len(line)

    def marked(self, text, span):
        """Return the part of a text in a range."""
        return text[self.offset(text, span["start"]) : self.offset(text, span["end"])]

    def changed(self, text, edit):
        """Return a text after an edit."""
        start, end = (self.offset(text, edit["range"][side]) for side in ("start", "end"))
        return text[:start] + edit["newText"] + text[end:]

    def _at_mark(self, text, name):
        before, mark, after = text.partition(MARK)
        assert mark
        place = {"line": before.count("\n"), "character": len(before.rpartition("\n")[2].encode("utf-16-le")) // 2}
        return before + after, place, self.show(before + after, name)


@contextmanager
def spec_editor(folder, **plugin_options):
    """Give an editor that has a folder open; the server is in this process, so that coverage counts its lines."""
    server = require_package("mlpkit.verbs.lsp.server").SpecServer(plugin_options)
    with _pipe() as (to_server, stdin), _pipe() as (stdout, from_server):
        thread = threading.Thread(target=server.start_io, args=(to_server, from_server))
        thread.start()
        try:
            editor = SpecEditor(SimpleNamespace(stdin=stdin, stdout=stdout), folder)
            yield editor
            editor.end()
        finally:
            stdin.close()
            thread.join()


@contextmanager
def _pipe():
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as source, os.fdopen(writer, "wb") as sink:
        yield source, sink


@contextmanager
def started_editor(folder, *options, **settings):
    """Give an editor that has started ``mlpkit lsp`` in another process."""
    require_package("pygls")
    command = [sys.executable, "-m", "mlpkit", "lsp", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder, **settings) as process:
        try:
            editor = SpecEditor(process, folder)
            yield editor
            editor.end()
            process.stdin.close()
            process.wait(60)
        finally:
            process.kill()
