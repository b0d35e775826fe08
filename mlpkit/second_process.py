"""A second Python process, which finds the modules that this one does, and answers through its standard output."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, Final

from mlpkit.lazy_names import load

if TYPE_CHECKING:
    from types import TracebackType

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
        start_new_session=True,
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
    """Return what writes the answers of this second process, and send all else that it prints elsewhere.

    Args:
        elsewhere: a file descriptor.
    """
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1, encoding="utf-8")
    os.dup2(elsewhere, sys.stdout.fileno())
    return answers


ALTERED: Final = "it altered the process that loaded it, which could say no more"


class NoAnswerError(Exception):
    """The process has not answered; says why."""


class SecondProcess:
    """A process that runs a function, and answers with what the function yields; it ends with the ``with`` block.

    A plugin that hangs, exits or patches it can't affect this one. What it prints goes nowhere.

    Args:
        function: ``module:function``; it takes the request, and yields answers.
        request: plain data.
        longest_wait: seconds to wait for each answer.
    """

    def __init__(self, function: str, request: Any, longest_wait: float) -> None:
        self._function = function
        self._request = json.dumps(request)
        self._longest_wait = longest_wait
        self._buffer = b""

    def __enter__(self) -> SecondProcess:
        """Start the process, and send the request."""
        self._process = start_process(f"{__name__}:serve", self._function, stderr=subprocess.DEVNULL)
        questions, _ = pipes_of(self._process)
        with suppress(BrokenPipeError):  # it has ended, which shows when an answer is asked for
            questions.write(self._request)
            questions.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process, and what it may have started."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # it has ended by itself
            self._process.kill()
        self._process.__exit__(kind, error, trace)

    def answer(self) -> Any:
        """Return the next answer.

        Raises:
            NoAnswerError: none came in time, or the process has ended, or what it wrote is no answer.
        """
        line = self._line()
        if not line:
            raise NoAnswerError(self._silence())
        try:
            return json.loads(line)
        except ValueError:
            raise NoAnswerError(ALTERED) from None

    def _line(self) -> bytes:
        """Return the next line; nothing if none came in time, or the other end is closed."""
        _, answers = pipes_of(self._process)
        descriptor, deadline = answers.fileno(), time.monotonic() + self._longest_wait
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    return b""
                chunk = os.read(descriptor, 65536)
                if not chunk:
                    return b""
                self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _silence(self) -> str:
        """Say why no answer came."""
        try:
            code = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return f"it was still loading after {self._longest_wait:g} s"
        return f"it ended the process that loaded it, {how_it_ended(code)}"


def serve(function: str) -> None:
    """Answer the request on standard input, as the second process."""
    answers = take_answers(os.open(os.devnull, os.O_RDWR))
    request = json.load(sys.stdin)
    for answer in load(function)(request):
        answers.write(json.dumps(answer) + "\n")
    os._exit(0)  # what plugins have registered to be run at the end is not
