"""The playground from the command line: its address, its secret, and the file that it saves."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mlpkit.verbs.play.server import server_at, session_of

ADDRESS = re.compile(r"^playground: http://127\.0\.0\.1:(\d+)/([\w-]+)/$")


@pytest.fixture
def served(cwd):
    """The port and the secret of a playground in another process."""
    with subprocess.Popen(
        [sys.executable, "-m", "mlpkit", "play", "tiny.yaml"], cwd=cwd, stderr=subprocess.PIPE, text=True
    ) as process:
        found = ADDRESS.match(process.stderr.readline())
        yield int(found[1]), found[2]
        process.send_signal(signal.SIGINT)
        assert (process.wait(timeout=60), process.stderr.read()) == (130, "")


def asked(port, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET" if body is None else "POST", path, body=body, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_a_page_with_the_secret_trains_and_no_other_can(served, cwd):
    port, token = served
    own = {"Origin": f"http://127.0.0.1:{port}"}
    status, page = asked(port, f"/{token}/")
    assert (status, "<title>mlpkit playground</title>" in page, 'src="' in page) == (200, True, False)
    status, answer = asked(port, f"/{token}/ask", json.dumps({"do": "train", "steps": 2, "seconds": 60}), **own)
    assert (status, json.loads(answer)["now"]["step"]) == (200, 2)
    assert asked(port, "/wrong/ask", "{}", **own)[0] == 404
    assert asked(port, f"/{token}/fly", "{}", **own)[0] == 404
    assert asked(port, f"/{token}/ask", "{}", Origin="http://attacker.example")[0] == 403
    assert asked(port, f"/{token}/ask", "{}")[0] == 403
    assert asked(port, f"/{token}/ask", "", **own, **{"Content-Length": "1000000000"})[0] == 413
    for nonsense in ("", "[]", "{", "\0"):
        status, answer = asked(port, f"/{token}/ask", nonsense, **own)
        assert (status, json.loads(answer)["now"]["step"]) == (200, 2)
    asked(port, f"/{token}/ask", json.dumps({"do": "save"}), **own)
    assert (cwd / "tiny-play.mlpkit.yaml").read_text() == (cwd / "tiny.yaml").read_text()


def test_a_wrong_spec_is_refused_as_by_check(invoke, cwd):
    (cwd / "wrong.yaml").write_text((cwd / "tiny.yaml").read_text().replace("mnist", "minst"))
    done, checked = invoke("play", "wrong.yaml"), invoke("check", "wrong.yaml")
    assert (done.code, done.err) == (2, checked.err)


def test_a_spec_is_saved_where_it_finds_its_files(invoke, cwd):
    (cwd / "table.csv").write_text("x,y\n" + "".join(f"{number % 7},{number % 2}\n" for number in range(40)))
    invoke("init", "--data", "table.csv", "--target", "y")
    done = invoke("play", "table.mlpkit.yaml", "--out", str(cwd / "elsewhere" / "mine.yaml"))
    assert (done.code, "choose a name in it" in done.err) == (2, True)


def test_no_file_of_the_user_is_written_over(invoke, cwd):
    (cwd / "tiny-play.mlpkit.yaml").write_text("mine")
    done = invoke("play", "tiny.yaml")
    assert done.code == 2
    assert "tiny-play.mlpkit.yaml exists already; choose another name with --out" in done.err


def test_a_port_that_is_taken_is_named_and_another_serves(cwd, capsys):
    session = session_of(Path("tiny.yaml"), None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with server_at(port, session) as server:
            assert server.port != port
    expected = f"warning: port {port} can't be used: Address already in use; the page uses another one\n"
    assert capsys.readouterr().err == expected
    with server_at(port, session) as server:
        assert server.port == port
