"""A second Python process, which finds the modules that this one does, and answers through its standard output."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import IO, Any, Final

from mlpkit.lazy_names import load
from mlpkit.system import OWN_GROUP, kill_group

START: Final = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from mlpkit.lazy_names import load
load(sys.argv[2])(*sys.argv[3:])
"""


def start_process(
    function: str, *arguments: str, stderr: int | None = None, cwd: str | None = None
) -> subprocess.Popen[str]:
    """Start a process that calls a function; a terminal's Ctrl-C doesn't reach it.

    Args:
        function: ``module:function``.
        *arguments: what it is called with.
        stderr: where its standard error goes, as for ``Popen``; by default to that of this process.
        cwd: its working directory; by default that of this process.
    """
    return subprocess.Popen(
        [sys.executable, "-P", "-c", START, json.dumps([*map(str, sys.path)]), function, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        **OWN_GROUP,
        encoding="utf-8",
        cwd=cwd,
    )


def pipes_of(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    """Return standard input and output of a process of ``start_process``."""
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def how_it_ended(code: int) -> str:
    """Return ``by SIGKILL``, or ``with exit code 1``."""
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"


def take_answers(elsewhere: int) -> IO[str]:
    """Return what writes the answers of this second process; all else that it prints goes to a file descriptor."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1, encoding="utf-8")
    os.dup2(elsewhere, sys.stdout.fileno())
    return answers


ALTERED: Final = "it altered the process that loaded it, which then sent nothing more"


LONGEST_READ: Final = 1.0
"""Seconds in which a pipe whose process was killed is read to its end, unless another process keeps it."""


class NoAnswerError(Exception):
    """The process has not answered, and why."""


@contextmanager
def answers_of(function: str, request: Any, longest_wait: float) -> Iterator[Iterator[Any]]:
    """Run ``module:function`` in a second process, which ends with the block, and give what the function yields.

    A plugin that hangs, exits or patches that process can't affect this one. What it prints goes nowhere. The request
    is plain data; each answer may take the longest wait, in seconds.
    """
    with start_process(f"{__name__}:serve", function, stderr=subprocess.DEVNULL) as process:
        questions, answers = pipes_of(process)
        lines: SimpleQueue[bytes] = SimpleQueue()
        pipe = os.fdopen(os.dup(answers.fileno()), "rb")  # its own: what the process has started may keep it
        reader = threading.Thread(target=_read_lines, args=(pipe, lines), daemon=True)
        reader.start()
        try:
            with suppress(BrokenPipeError):  # it has ended, which shows when an answer is asked for
                questions.write(json.dumps(request))
                questions.close()
            yield _answers(process, lines, longest_wait)
        finally:
            kill_group(process)
            reader.join(LONGEST_READ)


def _answers(process: subprocess.Popen[str], lines: SimpleQueue[bytes], longest_wait: float) -> Iterator[Any]:
    """Yield the answers of a process, up to a ``NoAnswerError``."""
    while True:
        try:
            line = lines.get(timeout=longest_wait)
        except Empty:
            line = b""
        if not line.endswith(b"\n"):
            raise NoAnswerError(_silence(process, longest_wait))
        try:
            answer = json.loads(line)
        except ValueError:
            raise NoAnswerError(ALTERED) from None
        yield answer


def _read_lines(pipe: IO[bytes], lines: SimpleQueue[bytes]) -> None:
    """Pass on each line, and an empty one at the end; only a thread can wait for a pipe of Windows with a limit."""
    with pipe:
        for line in pipe:
            lines.put(line)
    lines.put(b"")


def _silence(process: subprocess.Popen[str], longest_wait: float) -> str:
    """Return why no answer came."""
    try:
        code = process.wait(1)
    except subprocess.TimeoutExpired:
        return f"it was still loading after {longest_wait:g} s"
    return f"it ended the process that loaded it, {how_it_ended(code)}"


def serve(function: str) -> None:
    """Answer the request on standard input, as the second process."""
    answers = take_answers(os.open(os.devnull, os.O_RDWR))
    request = json.load(sys.stdin)
    for answer in load(function)(request):
        answers.write(json.dumps(answer) + "\n")
    os._exit(0)  # what plugins have registered to be run at the end is not
