"""The server's addresses, without a socket: what each answers, limits of bodies and time, and what is counted."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from requirements import require_package

from mlpkit.errors import UsageError
from mlpkit.registry.registry import Registry
from mlpkit.version import VERSION

require_package("uvicorn")
from mlpkit.verbs.serve import app
from mlpkit.verbs.serve.models import Models
from mlpkit.verbs.serve.refusals import Refusal
from mlpkit.verbs.serve.rows import Rows

LOAN = {"amount": 4.3, "income": 10.5, "years_in_job": 13, "purpose": "car"}
JSON = [(b"content-type", b"application/json")]


@pytest.fixture(scope="module")
def two(runs):
    """Return two models, the first in two versions."""
    arguments = [f"spam={runs / 'loans'}", f"spam={runs / 'loans'}", str(runs / "houses")]
    return Models(arguments, Registry.discover())


@pytest.fixture(scope="module")
def one(runs):
    return Models([str(runs / "loans")], Registry.discover())


def served(models, *requests, most_bytes=10_000, seconds=30.0, most_waiting=9, **options):
    """Return status, headers and body of the answers to requests, one after another, and the service.

    A request is a method, an address and perhaps a body, in parts; after None, nothing more arrives.
    """
    service = app.Service(models, most_bytes, seconds, most_waiting, **options)

    async def answers():
        application = app.application(service)
        async with service.running(None):
            return [await answer(application, *each) for each in requests]

    return [*asyncio.run(answers()), service]


async def answer(application, method, address, parts=(b"",), headers=JSON):
    path, _, query = address.partition("?")
    parts, sent = [*parts], []
    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": [*headers]}

    async def receive():
        part = parts.pop(0) if parts else b""
        if part is None:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def send(event):
        sent.append(event)

    await application(scope | {"server": ("localhost", 80), "root_path": ""}, receive, send)
    found = dict(sent[0]["headers"])
    body = b"".join(event.get("body", b"") for event in sent)
    return sent[0]["status"], {name.decode(): value.decode() for name, value in found.items()}, body


def told(answer):
    """Return status, error, what was expected and the advice of a refused request."""
    document = json.loads(answer[2])
    assert (document["ok"], document["warnings"]) == (False, [])
    (problem,) = document["problems"]
    assert document["error"].startswith(problem["message"])
    return answer[0], problem["message"], problem["expected"], problem["help"]


def test_each_address_answers(two):
    paths = ["/health", "/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/houses/ready", "/openapi.json"]
    *found, page, _ = served(two, *(("GET", path) for path in [*paths, "/"]))
    assert [status for status, _, _ in found] == [200] * 6
    *plain, document = (json.loads(body) for _, _, body in found)
    assert plain == [
        {"ok": True, "models": {"spam": ["1", "2"], "houses": ["1"]}, "waiting": 0},
        {"name": "mlpkit", "version": VERSION, "extensions": ["binary_tensor_data"]},
        {"live": True},
        {"ready": True},
        {"name": "houses", "ready": True},
    ]
    assert [path for path in document["paths"] if "spam" in path] == [
        "/models/spam/predict",
        "/v2/models/spam",
        "/v2/models/spam/ready",
        "/v2/models/spam/infer",
    ]
    assert "/predict" not in document["paths"]
    assert page[1]["x-content-type-options"] == "nosniff"
    assert b"http://localhost/models/spam/predict" in page[2]


def test_metadata_of_models(two, runs):
    images = Models([str(runs / "shapes_npz"), str(runs / "weather")], Registry.discover())
    *found, _ = served(two, ("GET", "/v2/models/spam"), ("GET", "/v2/models/houses/versions/1"))
    of_loans, of_houses = (json.loads(body) for _, _, body in found)
    assert of_loans == {
        "name": "spam",
        "versions": ["1", "2"],
        "platform": "mlpkit",
        "inputs": [
            *({"name": name, "datatype": "FP64", "shape": [-1]} for name in ("amount", "income", "years_in_job")),
            {"name": "purpose", "datatype": "BYTES", "shape": [-1]},
        ],
        "outputs": [
            {"name": "class", "datatype": "BYTES", "shape": [-1]},
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, 2]},
        ],
    }
    assert of_houses["outputs"] == [
        {"name": name, "datatype": "FP32", "shape": [-1, 1]} for name in ("values", "low", "high")
    ]
    *found, _ = served(images, ("GET", "/v2/models/shapes_npz"), ("GET", "/v2/models/weather"))
    of_images, of_weather = (json.loads(body) for _, _, body in found)
    assert of_images["inputs"] == [{"name": "input", "datatype": "FP64", "shape": [-1, 64]}]
    assert [(each["name"], each["shape"]) for each in of_weather["outputs"]] == [
        ("labels", [-1, 3]),
        ("probabilities", [-1, 3]),
    ]


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nothing", (404, "there is no address /nothing", None, "/ lists the addresses")),
        ("GET", "/health/", (404, "there is no address /health/", None, "/ lists the addresses")),
        ("GET", "/predict", (405, "GET: Method Not Allowed", "one of POST", None)),
        (
            "POST",
            "/predict",
            (404, "there are several models", "one of /models/spam/predict, /models/houses/predict", None),
        ),
        ("GET", "/v2/models/spma", (404, "there is no model 'spma'", None, "did you mean 'spam'?")),
        ("GET", "/v2/models/q", (404, "there is no model 'q'", "one of spam, houses", None)),
        ("GET", "/v2/models/spam/versions/3/ready", (404, "the model 'spam' has no version '3'", "one of 1, 2", None)),
        ("GET", "/models/spam/drift", (404, "recent rows aren't kept", None, "start the server with --drift")),
    ],
)
def test_unknown_addresses_are_errors(method, path, expected, two):
    found, _ = served(two, (method, path))
    assert told(found) == expected
    assert found[1].get("allow") == ("POST" if expected[0] == 405 else None)


def test_a_body_comes_in_parts_up_to_the_limit(one):
    row = json.dumps([LOAN]).encode()
    parts = [row[:7], row[7:20], row[20:]]
    length = [*JSON, (b"content-length", b"%d" % len(row))]
    larger = [*JSON, (b"content-length", b"%d" % (len(row) + 1))]
    whole, named, long, more, zipped, coded, service = served(
        one,
        ("POST", "/predict", parts),
        ("POST", "/models/loans/predict", parts, length),
        ("POST", "/predict", [None], larger),
        ("POST", "/predict", [*parts, b" "]),
        ("POST", "/predict", [b"\x1f\x8b"]),
        ("POST", "/predict", parts, [*JSON, (b"content-encoding", b"br")]),
        most_bytes=len(row),
    )
    assert (whole[0], whole[1]["content-type"], whole[2]) == (200, "application/json", named[2])
    document = json.loads(whole[2])
    assert [*document] == ["model", "version", "predictions", "warnings"]
    assert (document["model"], document["version"]) == ("loans", "1")
    remedy = "send the rows in several requests, or start the server with a larger --max-body"
    for refused in (long, more):
        assert told(refused) == (413, "the body is too large", f"up to {len(row)} bytes", remedy)
        assert refused[1]["connection"] == "close"
    for refused in (zipped, coded):
        assert told(refused) == (415, "the body is compressed", "no Content-Encoding", None)
    assert service.metrics.answers == {("predict", 200): 2, ("predict", 413): 2, ("predict", 415): 2}
    assert service.metrics.rows == {("loans", "1"): 2}
    assert "mlpkit_request_seconds_count 6\n" in service.metrics.text(0)


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b" ", [(b"content-type", b"TEXT/csv; header")], (400, "the body is empty", "CSV with a header", None)),
        (
            b"[]",
            [(b"content-type", b"text/xml; q")],
            (415, "the Content-Type is 'text/xml; q'", "application/json or text/csv", None),
        ),
        (b"[]", [], (415, "the Content-Type is ''", "application/json or text/csv", None)),
    ],
)
def test_rows_in_another_format_are_refused(body, headers, expected, one):
    found, _ = served(one, ("POST", "/predict", [body], headers))
    assert told(found) == expected


@pytest.mark.parametrize(
    ("query", "message", "expected"),
    [
        ("explan=1", "there is no query parameter 'explan'", "explain"),
        ("explain=1&x=2", "the query parameter explain is '1, 2'", "true or false, once"),
        ("explain=True", "the query parameter explain is 'True'", "true or false, once"),
    ],
)
def test_a_wrong_query_is_an_error(query, message, expected, one):
    found, _ = served(one, ("POST", f"/predict?{query}", [b"[]"]))
    assert told(found) == (422, message, expected, None)


def test_rows_are_explained_if_the_query_says_so(one):
    body = [json.dumps([LOAN, LOAN | {"amount": 9, "purpose": "kitchen"}]).encode()]
    queries = ("", "?explain=0", "?explain=false", "?explain=1", "?explain=true")
    answers = served(one, *(("POST", f"/predict{query}", body) for query in queries))[:-1]
    plain, *unexplained, first, explained = (json.loads(body)["predictions"] for _, _, body in answers)
    assert unexplained == [plain, plain]
    assert explained == first
    assert all(each.pop("explanations") for each in explained)
    assert explained == plain


def test_a_model_of_arrays_explains_each_row_as_alone_and_takes_no_csv(runs):
    models = Models([str(runs / "shapes_npz")], Registry.discover())
    images = [[(7 * pixel * (row + 3)) % 256 for pixel in range(64)] for row in range(2)]
    asked = [json.dumps(rows).encode() for rows in (images, images[:1], images[1:])]
    *found, text, _ = served(
        models,
        *(("POST", "/predict?explain=1", [body]) for body in asked),
        ("POST", "/predict", [b"a,b\n1,2\n"], [(b"content-type", b"text/csv")]),
    )
    both, *single = ([each["explanations"] for each in json.loads(body)["predictions"]] for _, _, body in found)
    assert both == [*single[0], *single[1]]
    assert both[0] != both[1]
    assert told(text) == (422, "the model's data set reads no CSV", "application/json", None)


@pytest.mark.parametrize(
    ("dataset", "takes_csv"), [({}, True), ({"endings": (".tsv", ".csv")}, True), ({"endings": (".parquet",)}, False)]
)
def test_csv_is_for_data_sets_that_read_it(dataset, takes_csv):
    loaded = SimpleNamespace(columns=(), model=SimpleNamespace(dataset=SimpleNamespace(**dataset)))
    if takes_csv:
        assert app.plain.rows_of(b"a\n1\n", "text/csv", loaded).content == b"a\n1\n"
    else:
        with pytest.raises(Refusal, match=r"^the model's data set reads no CSV; expected application/json$"):
            app.plain.rows_of(b"a\n1\n", "text/csv", loaded)


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (np.arange(6).reshape(3, 2), [[[0, 1]], [[2, 3]], [[4, 5]]]),
        ({"a": [1, 2], "b": ["x", None]}, [{"a": [1], "b": ["x"]}, {"a": [2], "b": [None]}]),
    ],
)
def test_each_row_is_explained_without_the_others(content, parts):
    found = app.plain._single_rows(None, Rows(content))
    assert [part.tolist() if isinstance(part, np.ndarray) else part for part in found] == parts


def test_warnings_are_there_once(one):
    body = [json.dumps([LOAN | {"amount": 1e6}] * 2).encode()]
    found, _ = served(one, ("POST", "/predict", body))
    (text,) = json.loads(found[2])["warnings"]
    assert "amount" in text


def test_requests_that_take_too_long_are_ended(one, monkeypatch):
    row = json.dumps([LOAN]).encode()
    monkeypatch.setattr(app.plain, "predict", lambda *_: asyncio.sleep(60))
    half, whole, service = served(
        one, ("POST", "/predict", [row[:5], None]), ("POST", "/predict", [row]), seconds=0.125
    )
    assert told(half) == (408, "the body took more than 0.125 seconds", None, None)
    assert told(whole) == (503, "the answer took more than 0.125 seconds", None, None)
    assert (half[1]["connection"], whole[1]["connection"]) == ("close", "close")
    assert service.metrics.answers == {("predict", 408): 1, ("predict", 503): 1}
    assert service.metrics.seconds._sum >= 0.25


def test_an_answer_that_has_begun_ends_with_the_connection_and_is_counted(one):
    service, sent = app.Service(one, 10_000, 0.02, 9), []

    async def begun(scope, receive, send):
        await send({"type": "http.response.start", "status": 206, "headers": []})
        await asyncio.sleep(60)

    async def send(event):
        sent.append(event["type"])

    with pytest.raises(TimeoutError):
        asyncio.run(app.Measured(begun, service)({"type": "http"}, None, send))
    assert (sent, service.metrics.answers) == (["http.response.start"], {("none", 206): 1})


def test_requests_beyond_those_that_may_wait_are_refused(one):
    service, free = app.Service(one, 10_000, 30, 2), threading.Event()
    body = [json.dumps([LOAN]).encode()]

    async def answers():
        application = app.application(service)
        async with service.running(None):
            asked = [asyncio.create_task(service.worker.call(free.wait))]
            await asyncio.sleep(0.02)
            asked += [asyncio.create_task(answer(application, "POST", "/predict", body)) for _ in range(4)]
            asyncio.get_running_loop().call_later(0.05, free.set)
            return await asyncio.gather(*asked)

    _, *found = asyncio.run(answers())
    assert [each[0] for each in found] == [200, 200, 503, 503]
    assert told(found[2]) == (503, "2 requests wait already", None, "try again later")
    assert found[2][1]["retry-after"] == "1"
    assert "mlpkit_batch_requests_sum 2.0\nmlpkit_batch_requests_count 1\n" in service.metrics.text(0)


def test_recent_rows_are_compared_with_training(two, one):
    body = [json.dumps([LOAN | {"amount": 900.5 + i, "income": 3} for i in range(30)]).encode()]
    path = "/models/spam/predict"
    *_, early = served(two, ("GET", "/models/houses/drift"), keeps_rows=True)[:1]
    assert told(early) == (404, "no rows are kept yet", None, None)
    first, second, found, _ = served(two, *[("POST", path, body)] * 2, ("GET", "/models/spam/drift"), keeps_rows=True)
    assert (first[0], second[0], found[0], found[1]["content-type"]) == (200, 200, 200, "application/json")
    document = json.loads(found[2])
    assert document["rows"] == 60
    assert {"amount", "income"} <= {*document["drifted"]}
    for version in two:
        version.recent.clear()
    *_, after = served(two, ("POST", path, body), ("GET", "/models/spam/drift"))[:2]
    assert told(after)[1] == "recent rows aren't kept"
    assert [len(version.recent) for version in two] == [0, 0, 0]


def test_an_address_that_cannot_be_listened_at_is_an_error():
    with app.listening("127.0.0.1", 0) as other:
        port = other.getsockname()[1]
        with pytest.raises(UsageError, match=rf"^can't listen at 127.0.0.1, port {port}: .*; choose another with"):
            app.listening("127.0.0.1", port)
    with pytest.raises(UsageError, match="can't listen at ::1x, port 3"):
        app.listening("::1x", 3)


def test_the_command_prints_where_each_model_is_served(runs, invoke, monkeypatch):
    monkeypatch.setattr(app.Server, "run", lambda self, sockets: self._began())
    arguments = ["serve", f"a={runs / 'loans'}", f"a={runs / 'loans'}", runs / "houses", "--port", 0]
    done = invoke(*arguments)
    folders = {name: str(runs / name) for name in ("loans", "houses")}
    places = [f"a (version {number}): {folders['loans']}" for number in (1, 2)]
    assert (done.code, done.err.splitlines()) == (0, [*places, f"houses (version 1): {folders['houses']}"])
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+\n", done.out)
    document = json.loads(invoke(*arguments, "--json").out)
    assert document["models"] == [
        {"name": name, "version": version, "path": folders[of]}
        for name, version, of in (("a", "1", "loans"), ("a", "2", "loans"), ("houses", "1", "houses"))
    ]
    assert document["address"].startswith("http://127.0.0.1:")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_server_and_is_the_exit_code(number, runs, invoke, monkeypatch):
    stopped = []

    def run(self, sockets):
        stopped.append(self.should_exit)
        signal.raise_signal(number)
        stopped.append(self.should_exit)

    monkeypatch.setattr(app.Server, "run", run)
    assert invoke("serve", runs / "loans", "--port", 0).code == 128 + number
    assert stopped == [False, True]


def test_options_reach_the_server(runs, invoke, monkeypatch):
    made = []
    monkeypatch.setattr(app.Server, "run", lambda self, sockets: made.append(self))
    monkeypatch.setattr(app, "application", lambda service: service)
    options = ["--max-body", "0.25", "--timeout", "7.4", "--queue", "3", "--drift"]
    monkeypatch.setattr(app, "descriptor_limit", iter([10**6, 301, 8191]).__next__)
    for given in ([], options, ["--timeout", "0.4"]):
        assert invoke("serve", runs / "loans", "--port", 0, *given).code == 0
    services = [server.config.app for server in made]
    assert [(each.most_bytes, each.seconds, each.most_waiting, each.keeps_rows) for each in services] == [
        (32_000_000, 30.0, 1000, False),
        (250_000, 7.4, 3, True),
        (32_000_000, 0.4, 1000, False),
    ]
    assert [server.config.timeout_graceful_shutdown for server in made] == [30, 7, 1]
    assert [server.config.limit_concurrency for server in made] == [4096, 150, 4095]
