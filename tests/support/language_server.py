"""yaml-language-server, which VS Code and other editors check and complete YAML with, driven as by an editor."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from select import select
from time import monotonic

import pytest

from mlpkit_plugins.exporters.js_engines import NODE, find_program

NODE_MODULES = Path(__file__).parents[1] / "node" / "node_modules"
INSTALL = "npm install --no-package-lock --prefix tests/node"
LONGEST_WAIT = 60

SETTINGS = {
    "yaml": {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}},
    "http": {},
    "[yaml]": {},
}
CAPABILITIES = {
    "textDocument": {
        "completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown", "plaintext"]}},
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "publishDiagnostics": {},
    },
    "workspace": {"configuration": True},
}


class Client:
    """A client of the Language Server Protocol.

    Args:
        process: the server, whose standard input and output are pipes.
        folder: the folder that is open in the editor.
        capabilities: what the editor can do.
        settings: the editor's settings, by section.

    Attributes:
        messages: what the server has sent that was not an answer.
    """

    def __init__(self, process, folder, capabilities, settings=None):
        self._process, self.folder, self._settings = process, folder, settings or {}
        self._number, self._unread = 0, b""
        self.messages = []
        root = {"rootUri": folder.as_uri(), "workspaceFolders": [{"uri": folder.as_uri(), "name": folder.name}]}
        self.request("initialize", processId=os.getpid(), capabilities=capabilities, **root)
        self.notify("initialized")

    def end(self):
        """Ask the server to end."""
        self.request("shutdown")
        self.notify("exit")

    def open(self, name, text):
        """Open a document of the folder, and return its address."""
        uri = (self.folder / name).as_uri()
        self.notify("textDocument/didOpen", textDocument={"uri": uri, "languageId": "yaml", "version": 1, "text": text})
        return uri

    def request(self, method, **parameters):
        """Return the answer to a request."""
        self._number += 1
        number = self._number
        self._send({"id": number, "method": method, "params": parameters})
        answer = self.until(lambda message: message.get("id") == number and "method" not in message)
        assert "error" not in answer, answer
        return answer["result"]

    def notify(self, method, **parameters):
        """Tell the server something."""
        self._send({"method": method, "params": parameters})

    def until(self, is_it):
        """Return the next message that is the one waited for."""
        deadline = monotonic() + LONGEST_WAIT
        while True:
            message = self._next(deadline)
            if "id" in message and "method" in message:
                self._answer(message)
            elif is_it(message):
                return message
            else:
                self.messages.append(message)

    def _send(self, message):
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(content), content))
        self._process.stdin.flush()

    def _answer(self, request):
        """Answer what the server asks the editor for, which is its settings."""
        result = None
        if request["method"] == "workspace/configuration":
            result = [self._settings.get(item["section"]) for item in request["params"]["items"]]
        self._send({"id": request["id"], "result": result})

    def _next(self, deadline):
        header = self._read_until(b"\r\n\r\n", deadline)
        length = int(header.lower().partition(b"content-length:")[2].split()[0])
        while len(self._unread) < length:
            self._read(deadline)
        content, self._unread = self._unread[:length], self._unread[length:]
        return json.loads(content)

    def _read_until(self, end, deadline):
        while end not in self._unread:
            self._read(deadline)
        header, _, self._unread = self._unread.partition(end)
        return header

    def _read(self, deadline):
        ready, _, _ = select([self._process.stdout], [], [], max(0, deadline - monotonic()))
        assert ready, "the language server doesn't answer"
        part = os.read(self._process.stdout.fileno(), 1 << 20)
        assert part, "the language server has ended"
        self._unread += part


class LanguageServer(Client):
    """A client of yaml-language-server; each text is a new document, as the server would remember the last one."""

    def __init__(self, process, folder, schemas):
        settings = SETTINGS | {"yaml": SETTINGS["yaml"] | {"schemas": schemas}}
        super().__init__(process, folder, CAPABILITIES, settings)
        self._documents = 0
        self.notify("workspace/didChangeConfiguration", settings=settings)

    def diagnostics(self, text):
        """Return what the server complains of in a document: line and column from 1, what stands there, and why."""
        uri = self._open(text)
        found = self.until(lambda message: _is_diagnosis_of(message, uri))
        return [
            (_place(found["range"]), _between(text, found["range"]), found["message"])
            for found in found["params"]["diagnostics"]
        ]

    def completions(self, text):
        """Return what is offered at the mark ``|`` of a document: labels, and the texts that are inserted for them."""
        uri, position = self._open_at_mark(text)
        found = self.request("textDocument/completion", textDocument={"uri": uri}, position=position)
        return [(item["label"], item["insertText"]) for item in found["items"]]

    def hover(self, text):
        """Return what the server says of the word at the mark ``|`` of a document."""
        uri, position = self._open_at_mark(text)
        found = self.request("textDocument/hover", textDocument={"uri": uri}, position=position)
        return found["contents"]["value"] if found else ""

    def changed(self, file):
        """Say that a file has changed."""
        self.notify("workspace/didChangeWatchedFiles", changes=[{"uri": file.as_uri(), "type": 2}])

    def _open_at_mark(self, text):
        before, mark, after = text.partition("|")
        assert mark
        lines = before.split("\n")
        return self._open(before + after), {"line": len(lines) - 1, "character": len(lines[-1])}

    def _open(self, text):
        self._documents += 1
        return self.open(f"spec-{self._documents}.yaml", text)


def _is_diagnosis_of(message, uri):
    return message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri


def _place(span):
    return span["start"]["line"] + 1, span["start"]["character"] + 1


def _between(text, span):
    lines = [*text.splitlines(keepends=True), ""]
    start, end = (sum(map(len, lines[: at["line"]])) + at["character"] for at in (span["start"], span["end"]))
    return text[start:end]


@contextmanager
def language_server(folder, schemas=None):
    """Give a client of the server for a folder; skip the test if the server, or Node, is missing.

    Args:
        folder: the folder that is open in the editor.
        schemas: the editor's setting ``yaml.schemas``, if it has any.
    """
    node, program = find_program(NODE), NODE_MODULES / "yaml-language-server" / "bin" / "yaml-language-server"
    if node is None or not program.exists():
        pytest.skip(f"there is no yaml-language-server; {INSTALL} installs it")
    with subprocess.Popen(
        [node, str(program), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            client = LanguageServer(process, folder, schemas or {})
            yield client
            client.end()
        finally:
            process.kill()
