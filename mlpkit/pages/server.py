"""Serves a page on this machine: to browsers that know its address, and nowhere else."""

from __future__ import annotations

import hmac
import secrets
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

from mlpkit.errors import ChartError
from mlpkit.system import descriptor_limit

HOST: Final = "127.0.0.1"
SECONDS_TO_SAY_GOODBYE: Final = 2.0

MOST_CONNECTIONS: Final = 32
DESCRIPTORS_FOR_EACH: Final = 4
"""Of all that this process may have open, per connection: the others are for the run's own files."""
SECONDS_TO_BEGIN: Final = 0.02
"""In which a connection may begin to ask before another one takes its place, if there are too many."""
SECONDS_TO_ASK: Final = 5.0
SECONDS_TO_TAKE_AN_ANSWER: Final = 10.0
LARGEST_MESSAGE: Final = 32 * 1024**2
"""Bytes that a page may send at a time."""

SAFE: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of every answer: nothing is kept, loaded from elsewhere, or shown inside another page."""


class PageServer(ABC):
    """A page, served by background threads until the end of the block.

    Args:
        port: where to serve it; by default any free port.

    Attributes:
        address: of the page, with the secret that its readers know.
    """

    def __init__(self, *, port: int = 0) -> None:
        self.token = secrets.token_urlsafe(16)
        self.closing = threading.Event()
        self._streams: set[threading.Thread] = set()
        self._server = _Server((HOST, port), _Handler)
        self._server.pages = self
        self.port = self._server.server_address[1]
        self.address = f"http://{HOST}:{self.port}/{self.token}/"
        self._thread = threading.Thread(target=self._server.serve_forever, name="page", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Let all streams end, and stop."""
        self.closing.set()
        deadline = time.monotonic() + SECONDS_TO_SAY_GOODBYE
        for stream in list(self._streams):
            stream.join(max(0.0, deadline - time.monotonic()))
        self._server.shutdown()
        self._server.server_close()

    @abstractmethod
    def page(self) -> str:
        """Return the page."""

    @abstractmethod
    def answer(self, what: str, message: bytes) -> str | None:
        """Do what the page asks for, and return the answer as JSON, perhaps empty; None if there is no such thing."""

    @abstractmethod
    def write_stream(self, send: Callable[[str], None]) -> None:
        """Send what changes until ``closing`` is set, or until sending fails."""

    def stream(self, send: Callable[[str], None]) -> None:
        """Send what changes until the end of the block, or until sending fails."""
        self._streams.add(threading.current_thread())
        try:
            self.write_stream(send)
            send("event: end\ndata:\n\n")
        finally:
            self._streams.discard(threading.current_thread())


class _Server(ThreadingHTTPServer):
    """Serves a limited number of connections; idle ones are closed to make room for new ones."""

    daemon_threads = True
    request_queue_size = 4096
    pages: PageServer

    def __init__(self, address: tuple[str, int], handler: type[_Handler]) -> None:
        self._free = threading.Semaphore(max(1, min(MOST_CONNECTIONS, descriptor_limit() // DESCRIPTORS_FOR_EACH)))
        self._silent: dict[socket.socket, float] = {}
        super().__init__(address, handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection."""
        try:
            return super().get_request()
        except OSError:  # no descriptor is left: it would be tried again at once, for ever
            time.sleep(SECONDS_TO_BEGIN)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a new thread."""
        if not self._free.acquire(blocking=False):
            self._make_room()
            if not self._free.acquire(timeout=1):
                _refuse(request, "503 Service Unavailable", "Too many browsers show this page.")
                self.shutdown_request(request)
                return
        self._silent[request] = time.monotonic()
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread can be started
            self._forget(request)
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection to its end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._forget(request)

    def _make_room(self) -> None:
        for oldest, since in list(self._silent.items())[:1]:
            time.sleep(max(0.0, since + SECONDS_TO_BEGIN - time.monotonic()))
            if oldest in self._silent:
                _refuse(oldest, "408 Request Timeout", "The server is busy, and no request came.")

    def _forget(self, request: socket.socket) -> None:
        self.heard(request)
        self._free.release()

    def service_actions(self) -> None:
        """End connections that take too long to ask."""
        for request, since in list(self._silent.items()):
            if time.monotonic() > since + SECONDS_TO_ASK:
                _refuse(request, "408 Request Timeout", "No request came in time.")

    def heard(self, request: socket.socket) -> None:
        """Note that a connection has asked for something."""
        self._silent.pop(request, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a browser that disconnects."""


WITHOUT_WAITING: Final[int] = getattr(socket, "MSG_DONTWAIT", 0)
"""Windows has no such flag, and a buffer with room for a line."""


def _refuse(request: socket.socket, status: str, reason: str) -> None:
    """Send the reason, and close the connection."""
    with suppress(OSError):  # it has ended
        request.send(f"HTTP/1.0 {status}\r\n\r\n{reason}\n".encode(), WITHOUT_WAITING)
        request.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """Answers a request; one from another page or for another host learns nothing."""

    server: _Server
    server_version = "mlpkit"
    sys_version = ""
    default_request_version = "HTTP/1.0"  # to a request without a version the answer has a status and headers, too
    timeout = SECONDS_TO_TAKE_AN_ANSWER

    def do_GET(self) -> None:
        """Send the page, or the stream of what changes."""
        what = self._asked_for()
        if what == "":
            try:
                self._answer(200, self.server.pages.page(), "text/html; charset=utf-8")
            except ChartError as error:
                self._answer(500, f"{error}\n")
        elif what == "events":
            self._begin(200, "text/event-stream")
            if self.command != "HEAD":
                self.server.pages.stream(self._send)
        elif what is not None:
            self._answer(404, "No such page.\n")

    do_HEAD = do_GET  # noqa: N815 - the name that http.server calls

    def do_POST(self) -> None:
        """Do what the page asks for."""
        what = self._asked_for()
        length = self.headers.get("Content-Length") or "0"
        if what is None:
            return
        if not length.isdecimal() or int(length) > LARGEST_MESSAGE:
            self._answer(413, f"A message has at most {LARGEST_MESSAGE:,} bytes.\n")
            return
        answer = self.server.pages.answer(what, self.rfile.read(int(length)))
        if answer is None:
            self._answer(404, "No such button.\n")
        else:
            self._answer(200 if answer else 204, answer, "application/json")

    def _send(self, text: str) -> None:
        self.wfile.write(text.encode())

    def _asked_for(self) -> str | None:
        """Return the requested path below the secret; without the secret, refuse the request and return None."""
        self.server.heard(self.connection)
        pages = self.server.pages
        hosts = [f"{host}:{pages.port}" for host in (HOST, "localhost")]
        origin = self.headers.get("Origin")
        own = f"http://{self.headers.get('Host')}"
        if self.headers.get("Host") not in hosts or (origin != own if origin or self.command == "POST" else False):
            self._answer(403, "This page is only for browsers on this machine that have its whole address.\n")
            return None
        _, token, what, *more = [*self.path.partition("?")[0].split("/"), "", "", ""]
        if more[0] or not hmac.compare_digest(token.encode(), pages.token.encode()):
            self._answer(404, "Open the address that mlpkit printed.\n")
            return None
        return what

    def _answer(self, code: int, text: str, kind: str = "text/plain; charset=utf-8") -> None:
        content = text.encode()
        self._begin(code, kind, {"Content-Length": str(len(content))})
        if self.command != "HEAD":
            self.wfile.write(content)

    def _begin(self, code: int, kind: str, more: Mapping[str, str] = {}) -> None:
        self.send_response(code)
        for name, value in {"Content-Type": kind, **SAFE, **more}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *details: Any) -> None:
        """The terminal shows the run, not who reads the page."""
