"""Clients that each send their own request again and again, and compare the answers with the first."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from time import perf_counter
from typing import NamedTuple


class Load(NamedTuple):
    """The result of a load: requests a second, milliseconds at the median and at 99 %, and what failed.

    ``wrong`` counts answers whose status isn't 200, or that aren't those to the client's own request; ``microseconds``
    is the processor time of the server for a request.
    """

    rate: float
    median: float
    percentile_99: float
    wrong: int
    microseconds: float


class _Client(asyncio.Protocol):
    def __init__(self, request: bytes, end: float, times: list[float]) -> None:
        self._request, self._end, self._times = request, end, times
        self._content, self._expected, self.wrong, self.done = b"", b"", 0, asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._began = perf_counter()
        self._transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._content += data
        head, between, body = self._content.partition(b"\r\n\r\n")
        if not between:
            return
        length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
        if len(body) < int(length):
            return
        self._times.append(perf_counter() - self._began)
        self._expected = self._expected or body
        self.wrong += not head.startswith(b"HTTP/1.1 200") or body != self._expected
        self._content = b""
        if perf_counter() < self._end:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.wrong += perf_counter() < self._end
        self.done.set()


def request(path: str, body: bytes) -> bytes:
    """Return a request with JSON."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def load(port: int, pid: int, requests: list[bytes], seconds: float) -> Load:
    """Send requests to a server for some seconds, over a connection for each."""
    return asyncio.run(_load(port, pid, requests, seconds))


async def _load(port: int, pid: int, requests: list[bytes], seconds: float) -> Load:
    times, loop, before = list[float](), asyncio.get_running_loop(), _processor_time(pid)
    end = perf_counter() + seconds
    clients = [_Client(each, end, times) for each in requests]
    for client in clients:
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.wait_for(asyncio.gather(*(client.done.wait() for client in clients)), seconds + 60)
    used, count = _processor_time(pid) - before, len(times)
    times.sort()
    wrong = sum(client.wrong for client in clients)
    return Load(
        count / seconds, 1e3 * times[count // 2], 1e3 * times[count * 99 // 100], wrong, 1e6 * used / max(1, count)
    )


def _processor_time(pid: int) -> float:
    """Return the seconds that a process and its children have computed."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(stat.parent.name) == pid or int(fields[1]) == pid:
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")
