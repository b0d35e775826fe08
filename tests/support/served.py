"""``mlpkit serve`` in a process of its own, and a client for it."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

JSON = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv"}


class Answer(NamedTuple):
    """An answer: status, headers and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Served:
    """A server that runs.

    Attributes:
        port: its port.
        process: its process.
    """

    def __init__(self, port: int, process: subprocess.Popen[str]) -> None:
        self.port, self.process = port, process

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = JSON) -> Answer:
        """Send a request; a body that isn't bytes is sent as JSON."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, content, dict(headers) if content is not None else {})
            found = connection.getresponse()
            return Answer(found.status, {name.lower(): value for name, value in found.getheaders()}, found.read())

    def connected(self) -> socket.socket:
        """Return a connection, to be closed."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def post(self, path: str, body: Any, headers: Mapping[str, str] = JSON) -> Answer:
        return self.ask("POST", path, body, headers)

    def problem(self, path: str, body: Any, headers: Mapping[str, str] = JSON) -> tuple[int, dict[str, Any]]:
        """Send what is wrong, and return the status and the one problem."""
        found = self.post(path, body, headers)
        document = found.json
        assert document["ok"] is False
        (problem,) = document["problems"]
        return found.status, problem


@contextlib.contextmanager
def serving(*arguments: object, cwd: Path, env: Mapping[str, str]) -> Iterator[Served]:
    """Start the program, and end it with the block."""
    command = [sys.executable, "-m", "mlpkit", "serve", "--port", "0", *map(str, arguments), "--json"]
    process = subprocess.Popen(
        command, cwd=cwd, env=dict(env), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        if not first.startswith('{"address"'):
            raise AssertionError(first + process.communicate()[1])
        yield Served(int(json.loads(first)["address"].rpartition(":")[2]), process)
    finally:
        process.kill()
        process.communicate()
