"""A page that is served to browsers on this machine: what it takes, and what it answers."""

from __future__ import annotations

import http.client
import socket
import threading
from types import SimpleNamespace

import pytest

from mlpkit.pages import server
from mlpkit.pages.server import HOST, PageServer


class Echo(PageServer):
    """Answers what the page asks for, and streams a number until it is closed."""

    def page(self):
        return "<h1>größe</h1>"

    def answer(self, what, message):
        return {"echo": f'"{message.decode()}"', "quiet": ""}.get(what)

    def write_stream(self, send):
        send("data: 1\n\n")
        self.closing.wait(10)


@pytest.fixture(scope="module")
def echo():
    with Echo() as found:
        yield found


def asked(echo, what="", method="GET", message=None, **headers):
    """Return the status, the text and the headers of an answer."""
    connection = http.client.HTTPConnection(HOST, echo.port, timeout=10)
    own = {"Origin": f"http://{HOST}:{echo.port}"} if method == "POST" else {}
    connection.request(method, f"/{echo.token}/{what}", message, headers=own | headers)
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), answer.headers
    connection.close()
    return found


def test_the_page_has_its_kind_and_length_and_tells_nothing_of_the_server(echo):
    status, text, headers = asked(echo, "?again")
    assert (status, text, headers["Content-Length"]) == (200, "<h1>größe</h1>", "16")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Server"].strip() == "mlpkit"
    assert [headers["X-Content-Type-Options"], headers["Cross-Origin-Resource-Policy"]] == ["nosniff", "same-origin"]
    assert asked(echo, "other")[:2] == (404, "No such page.\n")
    assert asked(echo, "echo/more")[:2] == (404, "Open the address that mlpkit printed.\n")


def test_a_message_is_answered_in_json_or_not_at_all(echo):
    status, text, headers = asked(echo, "echo", "POST", "hül".encode())
    assert (status, text, headers["Content-Type"], headers["Content-Length"]) == (200, '"hül"', "application/json", "6")
    assert asked(echo, "echo", "POST")[:2] == (200, '""')
    assert asked(echo, "quiet", "POST", "x")[:2] == (204, "")
    assert asked(echo, "other", "POST", "x")[:2] == (404, "No such button.\n")


@pytest.mark.parametrize(
    ("message", "length", "status"), [("12345", "5", 200), ("123456", "6", 413), ("1", "x", 413), ("1", "-1", 413)]
)
def test_a_message_has_a_limited_length(echo, monkeypatch, message, length, status):
    monkeypatch.setattr(server, "LARGEST_MESSAGE", 5)
    found, text, _ = asked(echo, "echo", "POST", message, **{"Content-Length": length})
    assert (found, text) == (status, "A message has at most 5 bytes.\n" if status == 413 else f'"{message}"')
    assert asked(echo, "echo", "POST", message, Origin="null", **{"Content-Length": length})[0] == 403


def test_a_message_that_is_refused_has_one_answer(echo):
    request = f"POST /{echo.token}/echo HTTP/1.0\r\nHost: {HOST}:{echo.port}\r\nContent-Length: 1\r\n\r\nx"
    with socket.create_connection((HOST, echo.port), timeout=10) as connection:
        connection.sendall(request.encode())
        with connection.makefile("rb") as answer:
            found = answer.read()
    assert found.startswith(b"HTTP/1.0 403 ")
    assert (found.count(b"HTTP/"), found.endswith(b" that have its whole address.\n")) == (1, True)


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        (HOST, None, 200),
        (HOST, HOST, 200),
        ("localhost", None, 200),
        ("localhost", "localhost", 200),
        ("localhost", HOST, 403),
        (HOST, "localhost", 403),
        ("0.0.0.0", None, 403),
    ],
)
def test_a_browser_may_call_this_machine_by_either_name_but_not_by_both(echo, host, origin, status):
    headers = {} if origin is None else {"Origin": f"http://{origin}:{echo.port}"}
    found, text, _ = asked(echo, Host=f"{host}:{echo.port}", **headers)
    only = "This page is only for browsers on this machine that have its whole address.\n"
    assert (found, text) == (status, "<h1>größe</h1>" if status == 200 else only)


def test_streams_end_with_the_block_and_then_nobody_is_answered():
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    with Echo(port=port) as found:
        assert (found.port, found.address) == (port, f"http://{HOST}:{port}/{found.token}/")
        connection = http.client.HTTPConnection(HOST, port, timeout=10)
        connection.request("GET", f"/{found.token}/events")
        stream = connection.getresponse()
        assert (stream.headers["Content-Type"], stream.readline(), stream.readline()) == (
            "text/event-stream",
            b"data: 1\n",
            b"\n",
        )
        assert not found.closing.is_set()
    assert stream.read() == b"event: end\ndata:\n\n"
    connection.close()
    assert found.closing.is_set()
    assert not found._streams
    assert found._thread not in threading.enumerate()
    with pytest.raises(ConnectionRefusedError):
        asked(found)


@pytest.fixture
def crowded(monkeypatch):
    """A page for one connection at a time, a list of how long its server slept, and what happens meanwhile."""
    slept, meanwhile = [], []

    def sleep(seconds):
        slept.append(seconds)
        for act in meanwhile:
            act()

    monkeypatch.setattr(server, "MOST_CONNECTIONS", 1)
    monkeypatch.setattr(server, "time", SimpleNamespace(sleep=sleep, monotonic=lambda: 5.0))
    with Echo() as found:
        yield found, slept, meanwhile


def test_a_connection_has_a_moment_to_ask_before_another_takes_its_place(crowded):
    echo, slept, meanwhile = crowded
    first = http.client.HTTPConnection(HOST, echo.port, timeout=10)
    first.connect()
    answers = []

    def ask_at_last():
        first.request("GET", f"/{echo.token}/")
        answers.append(first.getresponse().status)

    meanwhile.append(ask_at_last)
    assert asked(echo)[0] == 200
    assert (answers, slept) == ([200], [pytest.approx(server.SECONDS_TO_BEGIN)])
    first.close()


def test_a_connection_for_which_no_thread_starts_takes_no_place(crowded, monkeypatch):
    echo, slept, _ = crowded

    def refuse(thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as without_threads:
        without_threads.setattr(threading.Thread, "start", refuse)
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            asked(echo)
    assert (asked(echo)[0], slept) == (200, [])


def test_without_a_free_descriptor_the_server_waits_before_it_accepts_again(crowded, monkeypatch):
    echo, slept, meanwhile = crowded
    accepting = echo._server.socket
    meanwhile.append(lambda: setattr(echo._server, "socket", accepting))

    def accept():
        raise OSError("too many open files")

    echo._server.socket = SimpleNamespace(accept=accept, fileno=accepting.fileno)
    assert asked(echo)[0] == 200
    assert slept == [server.SECONDS_TO_BEGIN]
