"""What the process of a submission does, in this one: frames, steps, results, errors and refusals."""

from __future__ import annotations

import io
import json
import sys

import numpy as np
import pytest

from mlpkit.verbs.homework import child

X, Y = np.arange(6.0).reshape(2, 3), np.array([4, -5])
SOURCE = """\
class Relu:
    def __init__(self, W, names=(), rate=0.5):
        self.W, self.names, self.rate, self.count = W, names, rate, 0

    def forward(self, x, training=True):
        self.count += 1
        x[0, 0] = 9.0
        return x * self.rate + self.count

    def update(self, params, grads):
        for name in params:
            params[name] = params[name] - grads[name]

    def fails(self):
        raise ValueError("no " + "y" * 400)
"""


SYSTEM_CALLS = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "mremap": (25, 216),
    "mincore": (27, 232),
    "madvise": (28, 233),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "sched_yield": (24, 124),
    "nanosleep": (35, 101),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "restart_syscall": (219, 128),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "futex": (202, 98),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "getrandom": (318, 278),
}
"""The numbers of Linux on x86-64 and on AArch64; none opens, connects or starts anything."""


def test_the_same_system_calls_are_left_on_both_processors():
    for place, machine in enumerate(("x86_64", "aarch64")):
        assert sorted(child.SYSTEM_CALLS[machine][1:]) == sorted(each[place] for each in SYSTEM_CALLS.values())


def frame(document, layouts, content=b""):
    header = json.dumps([document, layouts]).encode()
    return io.BytesIO(len(header).to_bytes(8, "big") + header + content)


def test_what_is_written_is_read():
    stream = io.BytesIO()
    child.write_frame(stream, {"a": [1]}, [X.T, Y, np.array(2.5), np.zeros((3, 0))])
    child.write_frame(stream, None, [])
    stream.seek(0)
    document, arrays = child.read_frame(stream)
    assert document == {"a": [1]}
    for found, expected in zip(arrays, (X.T, Y, np.array(2.5), np.zeros((3, 0))), strict=True):
        np.testing.assert_array_equal(found, expected, strict=True)
    arrays[0][0, 0] = 3.0  # they can be written to
    assert child.read_frame(stream) == (None, [])
    with pytest.raises(ValueError, match="the stream ended"):
        child.read_frame(stream)


@pytest.mark.parametrize(
    ("stream", "most", "reason"),
    [
        (io.BytesIO(bytes(8)), 9, "not a header"),
        (io.BytesIO((2**20 + 1).to_bytes(8, "big") + b"1" * (2**20 + 1)), 9, "not a header"),
        (io.BytesIO((2**20).to_bytes(8, "big") + b"1" * 2), 9, "the stream ended"),
        (frame(1, [["float32", [1]]], b"1" * 8), 99, "not an array"),
        (frame(1, [["float64", [-1, -1]]], b"1" * 8), 99, "not an array"),
        (frame(1, [["float64", [1.0]]], b"1" * 8), 99, "not an array"),
        (frame(1, [["float64", [2]], ["int64", [1]]], b"1" * 24), 23, "too large"),
        (frame(1, [["float64", [2]], ["int64", [1]]], b"1" * 24), 24, None),
        (frame(1, [["float64", [2]]], b"1" * 15), 24, "the stream ended"),
    ],
)
def test_what_is_no_frame_is_refused(stream, most, reason):
    if reason is None:
        assert [each.shape for each in child.read_frame(stream, most)[1]] == [(2,), (1,)]
    else:
        with pytest.raises(ValueError, match=reason):
            child.read_frame(stream, most)


def test_steps_are_taken_one_after_the_other():
    names = {}
    exec(SOURCE, names)
    arrays = [X.copy(), np.array([1.0, 2.0]), np.array([0.25, 0.5])]
    steps = [
        ["make", "Relu", {"W": {"array": 1}, "names": ["a", "b"], "rate": 2.0}],
        ["do", "forward", [{"array": 0}], 3],
        ["call", "forward", [{"array": 0}, False]],
        ["get", "count"],
        ["get", "names"],
        ["argument", "x", 0],
        ["do", "update", [{"arrays": ["params", {"W": 1}]}, {"arrays": ["grads", {"W": 2}]}], 2],
        ["do", "update", [{"arrays": ["params", {}]}, {"arrays": ["grads", {}]}]],
        ["item", "W", "params", "W"],
    ]
    changed = X.copy()
    changed[0, 0] = 9.0
    found = list(child.follow(steps, arrays, names))
    assert [name for name, _ in found] == ["forward()", "self.count", "self.names", "x", "W"]
    values = [value for _, value in found]
    np.testing.assert_array_equal(values[0], changed * 2.0 + 4)
    assert values[1:3] == [4, ("a", "b")]
    np.testing.assert_array_equal(values[3], changed)
    np.testing.assert_array_equal(values[4], [1.0 - 3 * 0.25, 2.0 - 3 * 0.5])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "y is None, expected an array of numbers"),
        ("text", "y is not an array of numbers, but str"),
        ([[1], [2, 3]], "y is not an array of numbers, but list"),
        (np.zeros(2**20 + 1), "y has 1,048,577 elements, far too many"),
    ],
)
def test_what_is_no_result_has_its_reason(value, reason):
    with pytest.raises(child.WrongAnswerError, match=reason):
        child.plain("y", value)
    assert child.plain("y", np.zeros(2**20, np.float32)).dtype == np.float64
    assert child.plain("y", 3).shape == ()
    assert type(child.plain("y", np.ma.masked_array([1.0, 2.0], [False, True]))) is np.ndarray


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("x = 1\n\nlen(3)", "TypeError in line 3: object of type 'int' has no len()"),
        ("def f():\n    g()\ndef g():\n    y\nf()", "NameError in line 4: name 'y' is not defined"),
        ("\nx = (", "SyntaxError in line 2: '(' was never closed"),
        ("Relu(1).fails()", f"ValueError in line 1: no {'y' * 400}"),
        ("class E(Exception):\n  def __str__(self): raise SystemExit\nraise E", "E in line 3: "),
        ("raise WrongAnswerError('y' * 400)", "y" * 400),
    ],
)
def test_an_error_has_its_line(source, text):
    names = {"WrongAnswerError": child.WrongAnswerError}
    exec(SOURCE, names)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - of any kind
        exec(compile(source, child.FILE, "exec"), names)
    assert child.in_words(caught.value) == text[: child.LONGEST_MESSAGE]
    assert child.in_words(KeyError("a")) == "KeyError: 'a'"
    assert child.in_words(SyntaxError("a")) == "SyntaxError: a"


class EndError(Exception):
    """In place of the end of the process."""


@pytest.fixture
def wall():
    """A wall that is up, and raises an error where it would end the process."""
    wall = child.Wall(io.BytesIO())
    wall.up = True

    def end(code):
        assert code == 3
        raise EndError

    wall._end = end
    return wall


@pytest.mark.parametrize(
    ("event", "arguments", "refused"),
    [
        ("open", ("/etc/passwd", "r"), "open '/etc/passwd'"),
        ("os.fork", (), "os.fork"),
        ("import", ("numpy.random.mtrand", None), None),
        ("import", ("numpyx",), "import numpyx"),
        ("import", ("subprocess",), "import subprocess"),
        ("builtins.id", (1,), None),
        ("compile", (b"", ""), None),
        ("socket.connect", ("y" * 400,), f"socket.connect '{'y' * 400}'"),
    ],
)
def test_a_forbidden_event_ends_the_process_and_is_named(wall, event, arguments, refused):
    if refused is None:
        wall.hook(event, arguments)
        assert wall.answers.getvalue() == b""
        return
    with pytest.raises(EndError):
        wall.hook(event, arguments)
    wall.answers.seek(0)
    assert child.read_frame(wall.answers) == ({"refused": refused[:300]}, [])
    wall.up = False
    wall.hook(event, arguments)
    assert not child.Wall(wall.answers).up


def test_a_submission_has_a_module_of_its_own(wall, monkeypatch):
    monkeypatch.delitem(sys.modules, "submission", raising=False)
    namespace = child.load(compile("import math\nx = math.floor(2.5)", child.FILE, "exec"), wall)
    assert (namespace["x"], namespace["__name__"], vars(sys.modules["submission"]) is namespace) == (
        2,
        "submission",
        True,
    )
    with pytest.raises(EndError):
        child.load(compile("import os", child.FILE, "exec"), wall)
    monkeypatch.delitem(sys.modules, "submission")
    assert child.lookup({"f": len}, "f") is len
    for names in ({}, {"f": 3}):
        with pytest.raises(child.WrongAnswerError, match="the file defines no f"):
            child.lookup(names, "f")
    with pytest.raises(child.WrongAnswerError, match="int has no forward"):
        child.attribute(3, "forward")
