"""Requests that are damaged at random: an answer to each, and never an internal error."""

from __future__ import annotations

import http.client
import json
import random
from pathlib import Path

import pytest

LOAN = {"amount": 4.3, "income": 10.5, "years_in_job": 13, "purpose": "car"}
ROWS = json.dumps([LOAN, LOAN | {"purpose": "travel, gifts"}])
CSV = "amount,income,years_in_job,purpose\n4.3,10.5,13,car\n1,2,3,kitchen\n"
TENSORS = json.dumps(
    {
        "id": "1",
        "inputs": [
            {"name": name, "datatype": "BYTES" if name == "purpose" else "FP64", "shape": [1], "data": [value]}
            for name, value in LOAN.items()
        ],
        "outputs": [{"name": "class", "parameters": {"binary_data": True}}],
    }
)
PIECES = [
    *(b"null", b"NaN", b"1e999", b"-0", b"[]", b"{}", b'""', b'"\\ud800"', b"\xff\xfe", b"\x00", b"9" * 400, b"true"),
    *(b"BYTES", b"INT8", b"BOOL", b"FP16", b"[[1]]", b"-1", b"\r\n", b'"', b",,", b"99999999999999999999", b"\xc3\xa9"),
    *(b'"parameters":{"binary_data_size":4}', b'"data":[{}]', b"amount", b"purpose", b" ", b"Infinity"),
]
WORDS = ["", "text/csv", "application/json", "application/octet-stream", "a/b; c=\xe9", "*", "-5", "17", "9" * 30]


def mutated(draw: random.Random, text: bytes) -> bytes:
    """Return a text with some bytes removed, repeated, replaced, or put in."""
    content = bytearray(text)
    for _ in range(draw.randint(1, 4)):
        begin = draw.randrange(len(content) + 1)
        end = min(len(content), begin + draw.randint(0, 12))
        piece = draw.choice([b"", draw.choice(PIECES), bytes(content[begin:end]) * 2, draw.randbytes(3)])
        content[begin:end] = piece
    return bytes(content)


def requests(draw: random.Random):
    """Go through damaged requests: method, path, body and headers."""
    while True:
        path, kind, text = draw.choice(
            [
                ("/models/loans/predict", "application/json", ROWS),
                ("/models/loans/predict", "text/csv", CSV),
                ("/models/loans/predict?explain=true", "application/json", ROWS),
                ("/v2/models/loans/infer", "application/json", TENSORS),
                ("/v2/models/loans/versions/1/infer", "application/octet-stream", TENSORS + "\0" * 8),
            ]
        )
        headers = {"Content-Type": kind}
        if "octet" in kind or draw.random() < 0.05:
            headers["Inference-Header-Content-Length"] = draw.choice([str(len(TENSORS)), *WORDS])
        if draw.random() < 0.05:
            headers["Content-Type"] = draw.choice(WORDS)
        if draw.random() < 0.05:
            at = draw.randrange(1, len(path))
            path = path[:at] + draw.choice(["%00", "%ff", "/", "..", "x", "%2F", "?", "&a=b", "\u00e9"]) + path[at:]
        method = draw.choice(["GET", "PUT", "HEAD", "DELETE", "OPTIONS"]) if draw.random() < 0.02 else "POST"
        yield method, path.encode().decode("latin-1"), mutated(draw, text.encode()), headers


def memory(pid: int) -> int:
    """Return the bytes of memory that a process uses."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize("count", [400, pytest.param(10_000, marks=pytest.mark.fuzz)])
def test_each_damaged_request_gets_an_answer(count, server):
    draw, statuses, before = random.Random(count), {}, 0
    for number, (method, path, body, headers) in zip(range(count), requests(draw), strict=False):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection._encode_request = lambda text: text.encode("latin-1")
        try:
            connection.request(method, path, body, {name: text.encode("latin-1") for name, text in headers.items()})
            found = connection.getresponse()
            content = found.read()
        finally:
            connection.close()
        statuses[found.status] = statuses.get(found.status, 0) + 1
        shown = (method, path, body, headers, content)
        assert found.status < 500, shown
        if found.status >= 400 and method != "HEAD" and found.getheader("content-type") == "application/json":
            assert json.loads(content)["problems"], shown
        if number == count // 4:
            before = memory(server.process.pid)
    assert {200, 400, 422} <= statuses.keys()
    assert memory(server.process.pid) < before + 16_000_000
    assert server.post("/models/loans/predict", [LOAN]).status == 200
