"""Who may read a live page and press its buttons: browsers on this machine that know its address."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from contextlib import suppress
from functools import partial

import pytest

from mlpkit.errors import ChartError
from mlpkit.pages.server import HOST
from mlpkit.verbs.live.server import LiveServer, WatchedRun

PRESSED = []


def serving():
    run = WatchedRun("digits", "running", 3, 10)
    actions = {name: partial(PRESSED.append, name) for name in ("pause", "continue", "stop")}
    server = LiveServer("digits", lambda: [run], actions)
    server.run = run
    return server


@pytest.fixture(scope="module")
def server():
    with serving() as server:
        yield server


@pytest.fixture
def changing():
    """A server whose run the test changes."""
    with serving() as server:
        yield server


@pytest.fixture
def pressed():
    """The buttons that were pressed."""
    PRESSED.clear()
    return PRESSED


def asked(server, path, method="GET", **headers):
    connection = http.client.HTTPConnection(HOST, server.port, timeout=10)
    connection.request(method, path, headers={"Host": f"{HOST}:{server.port}"} | headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode(), answer.headers


def own(server, what=""):
    return f"/{server.token}/{what}"


def test_it_listens_on_loopback_only(server):
    assert server._server.server_address[0] == "127.0.0.1"
    assert server.address == f"http://127.0.0.1:{server.port}/{server.token}/"
    assert len(server.token) >= 20


@pytest.mark.parametrize("path", ["/", "/events", "/wrong/", "/wrong/events", "/{token}/secret", "/{token}/a/b"])
def test_without_the_secret_there_is_nothing_to_read(path, server):
    status, text, _ = asked(server, path.replace("{token}", server.token))
    assert status == 404
    assert server.token not in text


@pytest.mark.parametrize("host", ["attacker.example", "127.0.0.1", "127.0.0.1:1", "attacker.example:{port}"])
def test_another_host_name_is_refused(host, server):
    """A page elsewhere could let its own name lead to this machine."""
    status, _, _ = asked(server, own(server), Host=host.replace("{port}", str(server.port)))
    assert status == 403


@pytest.mark.parametrize("origin", ["http://attacker.example", "null", "http://127.0.0.1:1", ""])
@pytest.mark.parametrize("what", ["pause", "stop"])
def test_another_page_cannot_press_a_button(what, origin, server, pressed):
    headers = {"Origin": origin} if origin else {}
    assert asked(server, own(server, what), "POST", **headers)[0] == 403
    assert pressed == []


def test_the_page_itself_can(server, pressed):
    for what in ("pause", "continue", "stop"):
        assert asked(server, own(server, what), "POST", Origin=f"http://{HOST}:{server.port}")[0] == 204
    assert pressed == ["pause", "continue", "stop"]
    assert asked(server, own(server, "erase"), "POST", Origin=f"http://{HOST}:{server.port}")[0] == 404
    assert asked(server, own(server, "pause"))[0] == 404  # a link must not press a button


def test_nothing_may_be_loaded_from_elsewhere_or_kept(server):
    status, text, headers = asked(server, own(server, "?a=b"))
    assert (status, headers["Cache-Control"], headers["Referrer-Policy"]) == (200, "no-store", "no-referrer")
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert "connect-src 'self'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "<h1>digits</h1>" in text


def test_a_browser_learns_why_there_are_no_charts(server, monkeypatch):
    def fail():
        raise ChartError("charts can't be drawn")

    monkeypatch.setattr("mlpkit.pages.page.chart_library", fail)
    assert asked(server, own(server))[:2] == (500, "charts can't be drawn\n")


def opened_stream(server):
    connection = http.client.HTTPConnection(HOST, server.port, timeout=10)
    connection.request("GET", own(server, "events"), headers={"Host": f"{HOST}:{server.port}"})
    return connection, connection.getresponse()


def event(stream):
    """Return the next event: its kind, and its data."""
    lines = []
    while line := stream.readline().decode().rstrip("\n"):
        lines.append(line)
    return lines


def test_a_stream_says_what_changes_and_nothing_twice(changing):
    connection, stream = opened_stream(changing)
    first = json.loads(event(stream)[0].removeprefix("data: "))
    assert (first["state"], first["progress"], first["done"]) == ("Running", "step 3 of 10", 0.3)
    changing.run.step = 4
    second = json.loads(event(stream)[0].removeprefix("data: "))
    assert (second["progress"], "charts" in second) == ("step 4 of 10", False)
    changing.run.state = "finished"
    threading.Thread(target=changing.__exit__).start()
    assert json.loads(event(stream)[0].removeprefix("data: "))["state"] == "Finished"
    assert event(stream) == ["event: end", "data:"]
    connection.close()


def test_a_stream_without_news_is_kept_alive(changing, monkeypatch):
    monkeypatch.setattr("mlpkit.verbs.live.server.SECONDS_OF_SILENCE", 0.1)
    connection, stream = opened_stream(changing)
    assert event(stream)[0].startswith("data: ")
    assert [event(stream) for _ in range(2)] == [[":"]] * 2
    connection.close()


def test_the_table_of_several_runs_has_their_newest_states(monkeypatch):
    monkeypatch.setattr("mlpkit.verbs.live.server.SECONDS_BETWEEN_EVALUATIONS", 0.0)
    runs = [WatchedRun("a", "running", 3, 10), WatchedRun("b", "running", 4, 10)]
    with LiveServer("digits", lambda: runs, {}) as server:
        connection, stream = opened_stream(server)
        event(stream)
        runs[1].state = "stopped"
        found = json.loads(event(stream)[0].removeprefix("data: "))
        connection.close()
    assert found["state"] == "2 runs, 1 of them running"
    assert ">stopped</" in found["table"]


def test_browsers_come_and_go(changing):
    for _ in range(3):
        connection, stream = opened_stream(changing)
        event(stream)
        stream.close()
        connection.close()
        changing.run.step += 1
    assert asked(changing, own(changing))[0] == 200


def test_however_fast_a_run_is_it_says_so_a_few_times_a_second(changing):
    connection, stream = opened_stream(changing)
    begin, news = time.monotonic(), []
    while time.monotonic() < begin + 1.8:
        for _ in range(50):
            changing.run.step += 1
            changing.run.records.append({"iteration": changing.run.step, "learning_rate": 0.1, "train_loss": 1.0})
        news.append(json.loads(event(stream)[0].removeprefix("data: ")))
    assert len(news) <= 9
    assert sum("charts" in each for each in news) <= 3
    connection.close()


@pytest.fixture
def small(monkeypatch):
    """A server that takes four connections, from a process that may have sixteen files open."""
    monkeypatch.setattr("mlpkit.pages.server.descriptor_limit", lambda: 16)
    with serving() as server:
        yield server


def connected(server, said=b""):
    connection = socket.create_connection((HOST, server.port), timeout=10)
    connection.sendall(said)
    return connection


def threads_of(server):
    return [each for each in threading.enumerate() if "process_request_thread" in each.name]


def test_silent_connections_make_room_for_one_that_asks(small):
    before = len(threads_of(small))
    silent = [connected(small, b"GET /"[: i % 6]) for i in range(30)]
    assert asked(small, own(small))[0] == 200
    assert len(threads_of(small)) - before <= 4
    assert silent[0].recv(100) == b"HTTP/1.0 408 Request Timeout\r\n\r\nThe server is busy, and no request came.\n"
    for each in silent:
        each.close()


def test_silent_connections_end_no_stream(small):
    connection, stream = opened_stream(small)
    event(stream)
    silent = [connected(small) for _ in range(20)]
    assert asked(small, own(small))[0] == 200
    small.run.step = 4
    assert json.loads(event(stream)[0].removeprefix("data: "))["progress"] == "step 4 of 10"
    for each in (connection, *silent):
        each.close()


def test_no_more_streams_are_opened_than_there_is_room_for(small):
    streams = [opened_stream(small) for _ in range(4)]
    status, text, _ = asked(small, own(small))
    assert (status, text) == (503, "Too many browsers show this page.\n")
    streams[0][1].close()
    streams[0][0].close()
    small.run.step = 4  # the server notices that a browser has left when it has something to say
    deadline = time.monotonic() + 10
    while asked(small, own(small))[0] != 200:
        assert time.monotonic() < deadline
        small.run.step += 1
    for connection, _ in streams[1:]:
        connection.close()


def test_at_most_32_browsers_are_served_however_many_files_may_be_open(monkeypatch):
    monkeypatch.setattr("mlpkit.pages.server.descriptor_limit", lambda: 4096)
    with serving() as server:
        streams = [opened_stream(server) for _ in range(32)]
        assert [stream.status for _, stream in streams] == [200] * 32
        assert asked(server, own(server))[:2] == (503, "Too many browsers show this page.\n")
        for connection, _ in streams:
            connection.close()


def test_a_request_that_comes_letter_by_letter_has_some_seconds(monkeypatch, server):
    monkeypatch.setattr("mlpkit.pages.server.SECONDS_TO_ASK", 0.4)
    connection, begin = connected(server), time.monotonic()
    connection.settimeout(0.1)
    answer = b""
    while not answer:
        assert time.monotonic() < begin + 10
        connection.send(b"G")
        with suppress(TimeoutError):
            answer = connection.recv(100)
    assert answer == b"HTTP/1.0 408 Request Timeout\r\n\r\nNo request came in time.\n"
    connection.close()


def test_a_head_has_the_answer_of_a_get_without_its_content(server):
    for what in ("", "nothing", "events"):
        status, text, headers = asked(server, own(server, what), "HEAD")
        assert (status, text) == (404 if what == "nothing" else 200, "")
    _, text, headers = asked(server, own(server), "HEAD")
    assert int(headers["Content-Length"]) == len(asked(server, own(server))[1].encode())


def test_a_request_of_the_first_http_gets_a_status(server):
    connection = connected(server, b"GET /\r\n")
    connection.shutdown(socket.SHUT_WR)
    assert connection.recv(100).startswith(b"HTTP/1.0 403 Forbidden\r\n")
    connection.close()
