"""Models, versions and limits of the server, and how it ends."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import threading
import time
from contextlib import ExitStack

import pytest
from requirements import require_package
from served import CSV, JSON, serving

from mlpkit.verbs.serve.rows import Column

LOAN = {"amount": 4.3, "income": 10.5, "years_in_job": 13, "purpose": "car"}
FLOWER = {"petal_length": 45.5, "petal_width": 13.5, "stem_height": 100.5, "soil": "clay"}


def test_without_its_extra_it_names_the_command_that_installs_it(invoke, monkeypatch):
    monkeypatch.setattr("mlpkit.verbs.serve.command.find_spec", lambda name: None)
    done = invoke("serve", "run")
    assert (done.code, done.out) == (2, "")
    assert 'pip install "mlpkit[serve]"' in done.err


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ("loanz", "did you mean 'loans'?"),
        (".", "is not a run folder"),
        ("a/b=loans", "a model can't be called 'a/b'"),
    ],
)
def test_what_cannot_be_served_is_an_error(argument, text, invoke, runs, monkeypatch):
    require_package("uvicorn")
    monkeypatch.chdir(runs)
    done = invoke("serve", argument, "--port", "0")
    assert done.code in (1, 2)
    assert text in done.err


def test_a_port_in_use_is_an_error(invoke, runs):
    require_package("uvicorn")
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = invoke("serve", runs / "loans", "--port", other.getsockname()[1])
    assert done.code == 2
    assert "--port 0" in done.err


def test_health_and_names_of_models(server):
    assert server.get("/health").json["models"]["loans"] == ["1", "2"]
    assert server.get("/v2/health/live").json == {"live": True}
    assert server.get("/v2/health/ready").json == {"ready": True}
    assert server.get("/v2/models/weather/ready").json == {"name": "weather", "ready": True}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/v2/models/weathr", "did you mean 'weather'?"),
        ("/v2/models/loans/versions/3", "one of 1, 2"),
        ("/nothing", "/ lists the addresses"),
        ("/drift", "there are several models"),
    ],
)
def test_what_is_not_there_is_a_problem(path, text, server):
    found = server.get(path)
    assert found.status == 404
    assert text in found.json["error"]


def test_a_method_that_an_address_does_not_take_is_a_problem(server):
    found = server.ask("PUT", "/v2/models/loans/infer", {})
    assert (found.status, found.headers["allow"]) == (405, "POST")
    assert found.json["problems"]


def test_several_models_have_no_plain_address_without_a_name(server):
    status, problem = server.problem("/predict", [LOAN])
    assert status == 404
    assert "/models/loans/predict" in problem["expected"]


def test_metrics_are_text_that_prometheus_reads(server):
    before = server.get("/metrics").body.decode()
    server.post("/models/houses/predict", b"[")
    text = server.get("/metrics").body.decode()
    line = r'[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+'
    assert all(each.startswith("# ") or re.fullmatch(line, each) for each in text.splitlines())
    wrong = re.compile(r'mlpkit_requests_total\{path="predict",status="400"\} (\d+)')
    assert int(wrong.search(text)[1]) == int(found[1] if (found := wrong.search(before)) else 0) + 1
    count = int(re.search(r"mlpkit_request_seconds_count (\d+)", text)[1])
    assert f'mlpkit_request_seconds_bucket{{le="+Inf"}} {count}' in text


def test_recent_rows_are_compared_with_training(server):
    body = [{**LOAN, "amount": 900 + i, "income": 3} for i in range(60)]
    server.post("/models/loans/predict", [*body, {**LOAN, "years_in_job": True}])
    found = server.get("/models/loans/drift").json
    assert {"amount", "income"} <= set(found["drifted"])
    assert found["rows"] >= 60
    assert server.get("/models/houses/drift").status in (200, 404)


@pytest.mark.parametrize(
    ("categories", "value", "written"),
    [
        ((), True, 1),
        ((), 2.5, 2.5),
        (("No", "TRUE", True), True, "TRUE"),
        (("x", "3", 3), 3.0, "3"),
        (("x", "3", 3), "x", "x"),
        (("x", "3", 3), None, None),
    ],
)
def test_kept_values_are_written_as_tables_have_them(categories, value, written):
    column = Column("a", is_number=not categories, optional=True, categories=categories)
    assert column.as_in_a_file(value) == written
    assert type(column.as_in_a_file(value)) is not bool


def test_the_page_needs_no_network_and_names_each_column(server):
    page = server.get("/")
    text = page.body.decode()
    address = f"http://127.0.0.1:{server.port}/models/loans/predict"
    assert all(name in text for name in ("years_in_job", "kitchen", "district", address))
    assert not re.search(r"(src|href)=\"https?://", text)
    assert "default-src 'none'" in page.headers["content-security-policy"]


@pytest.fixture
def own(runs, environment, tmp_path):
    """Return a function that serves a copy of the run of loans."""
    require_package("uvicorn")
    shutil.copytree(runs / "loans", tmp_path / "loans")
    return lambda *options: serving("loans", *options, cwd=tmp_path, env=environment)


def test_a_changed_run_is_loaded_again_without_losing_a_request(own, runs, tmp_path):
    other = (runs / "flowers" / "model.safetensors").read_bytes()
    statuses, stop = [], threading.Event()

    with own() as server:
        first = server.post("/predict", [LOAN]).json
        assert first["model"] == "loans"

        def ask():  # rows that both models take
            while not stop.is_set():
                statuses.append(server.post("/predict", [LOAN | FLOWER]).status)

        thread = threading.Thread(target=ask)
        thread.start()
        model = tmp_path / "loans" / "model.safetensors"
        good = model.read_bytes()
        model.write_bytes(good[:-7])  # damaged: the former model stays
        time.sleep(1.5)
        assert server.post("/predict", [LOAN]).json == first
        (tmp_path / "new").write_bytes(other)
        (tmp_path / "new").replace(model)
        deadline = time.monotonic() + 20
        while server.get("/v2/models/loans").json["inputs"][0]["name"] == "amount":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        stop.set()
        thread.join()
        metrics = server.get("/metrics").body.decode()
        assert server.problem("/predict", [LOAN])[1]["code"] == "missing-key"
        server.process.send_signal(signal.SIGTERM)
        _, err = server.process.communicate(timeout=30)
    assert set(statuses) == {200}
    assert 'mlpkit_reloads_total{model="loans",result="failed"}' in metrics
    assert 'mlpkit_reloads_total{model="loans",result="done"}' in metrics
    assert "stays as it was" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_once_what_has_come_is_answered(number, own):
    with own() as server, server.connected() as connection:
        body = json.dumps([LOAN]).encode()
        head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        connection.sendall(head.encode() + b"\r\n\r\n" + body[:5])
        time.sleep(0.3)
        server.process.send_signal(number)
        time.sleep(0.5)
        connection.sendall(body[5:])
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 200")
        assert b'"class":"yes"' in answer
        assert server.process.wait(timeout=30) == 128 + number


def test_a_server_that_is_killed_starts_again_at_its_port_with_the_same_answers(own):
    with own() as server:
        port, first = server.port, server.post("/predict", [LOAN]).json
        with server.connected() as half:
            half.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n[")
            server.process.kill()
            server.process.wait()
    with own("--port", port) as server:
        assert (server.port, server.post("/predict", [LOAN]).json) == (port, first)


def test_limits_of_body_time_and_connections(own):
    with own("--max-body", "0.01", "--timeout", "1") as server, ExitStack() as stack:
        assert server.problem("/predict", b" " * 10_001)[1]["code"] == "too-large"
        assert server.post("/predict", b" " * 10_001).status == 413
        slow = [stack.enter_context(server.connected()) for _ in range(20)]
        for each in slow:
            each.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n[")
        assert server.post("/predict", [LOAN]).status == 200
        chunked = stack.enter_context(server.connected())
        chunked.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunked.sendall(b"2710\r\n" + b" " * 10_000 + b"\r\n2710\r\n" + b" " * 10_000 + b"\r\n")
        assert chunked.recv(65536).startswith(b"HTTP/1.1 413")
        for each in slow:
            assert each.recv(65536).startswith(b"HTTP/1.1 408")
        assert server.post("/predict", b"amount,income,years_in_job,purpose\n4,5,6,car\n", CSV).status == 200


def test_too_many_requests_that_wait_are_refused(own):
    with own("--queue", "1") as server:
        rows = [LOAN] * 40
        found = []

        def explain():
            found.append(server.post("/predict?explain=true", rows))

        threads = [threading.Thread(target=explain) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    statuses = {each.status for each in found}
    assert statuses <= {200, 503}
    assert 503 in statuses
    refused = next(each for each in found if each.status == 503)
    assert refused.json["problems"][0]["code"] == "out-of-resources"
    assert refused.headers["retry-after"] == "1"


def test_many_clients_get_the_answers_to_their_own_rows(server):
    expected = {}
    for number in range(24):
        row = LOAN | {"amount": 1 + number / 7, "purpose": ["car", "kitchen"][number % 2]}
        expected[json.dumps([row])] = server.post("/models/loans/predict", [row]).json["predictions"]
    wrong = []

    def ask(body):
        for _ in range(10):
            found = server.post("/models/loans/predict", body.encode(), JSON).json["predictions"]
            if found != expected[body]:
                wrong.append((body, found))

    def explain():  # while a row is explained, others wait, and are then computed together
        server.post("/models/loans/predict?explain=true", [LOAN] * 100)

    threads = [threading.Thread(target=explain), *(threading.Thread(target=ask, args=(body,)) for body in expected)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    batches = re.search(r'mlpkit_batch_requests_bucket\{le="1"\} (\d+)', server.get("/metrics").body.decode())
    total = re.search(r"mlpkit_batch_requests_count (\d+)", server.get("/metrics").body.decode())
    assert int(batches[1]) < int(total[1])  # some were computed together
