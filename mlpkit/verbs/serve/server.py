"""The HTTP server: uvicorn, with limits for clients that are slow or many."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from mlpkit.errors import UsageError
from mlpkit.system import descriptor_limit

if TYPE_CHECKING:
    from starlette.types import ASGIApp

SECONDS_FOR_A_HEAD: Final = 10.0
"""In which the head of a request must arrive, and the client take an answer."""
MOST_BYTES_OF_A_HEAD: Final = 65536
MOST_CONNECTIONS: Final = 4096
BACKLOG: Final = 2048
REFUSED: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 61\r\n"
    b'Connection: close\r\n\r\n{"ok": false, "error": "there are too many connections here"}'
)

_Protocol: Any = AutoHTTPProtocol


class Protocol(_Protocol):  # type: ignore[misc]  # uvicorn chooses the base by what is installed
    """A connection whose client must send heads, and take answers, in time."""

    _timer: asyncio.TimerHandle | None = None
    _taking: asyncio.TimerHandle | None = None
    _bytes = 0

    def connection_made(self, transport: Any) -> None:
        """Begin, unless there are too many connections."""
        super().connection_made(transport)
        if len(self.connections) > min(MOST_CONNECTIONS, descriptor_limit() // 2):
            transport.write(REFUSED)
            transport.close()
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Take bytes, which may be a part of a head."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget(self._timer)
            self._timer, self._bytes = None, 0
            return
        self._bytes += len(data)
        if self._bytes > MOST_BYTES_OF_A_HEAD:
            self.transport.abort()
        elif self._timer is None:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._forget(self._timer)
        self._forget(self._taking)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait for a client that doesn't take its answer."""
        super().pause_writing()
        self._taking = self.loop.call_later(SECONDS_FOR_A_HEAD, self.transport.abort)

    def resume_writing(self) -> None:
        """Continue."""
        self._forget(self._taking)
        super().resume_writing()

    def _await_head(self) -> None:
        self._timer = self.loop.call_later(SECONDS_FOR_A_HEAD, self.transport.abort)

    @staticmethod
    def _forget(timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()


class Server(uvicorn.Server):
    """A server that leaves signals to the command."""

    def stop(self) -> None:
        """Accept no more requests, and end once those that have come are answered."""
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address, or raise ``UsageError``."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError, UnicodeError) as error:
        remedy = "choose another with --port, or any free one with --port 0"
        raise UsageError(f"can't listen at {host}, port {port}: {error}; {remedy}") from error


def server_of(app: ASGIApp, seconds_to_stop: float) -> Server:
    """Return the server of an application, which isn't started."""
    return Server(
        uvicorn.Config(
            app,
            http=Protocol,
            ws="none",
            lifespan="on",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=max(1, round(seconds_to_stop)),
        )
    )


def serve(server: Server, listener: socket.socket, started: Callable[[], None]) -> None:
    """Serve until ``server.stop`` is called, and all requests that have come are answered."""

    async def serving() -> None:
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started and not task.done():
            await asyncio.sleep(0.005)
        if server.started:
            started()
        await task

    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(serving())
