"""A second Python process that answers a request; a plugin that hangs, exits or patches it can't affect this one."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from types import TracebackType

START: Final = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from mlpkit.registry.second_process import serve
serve(sys.argv[2])
"""


ALTERED: Final = "it altered the process that loaded it, which could say no more"


class NoAnswerError(Exception):
    """The process has not answered; says why."""


class SecondProcess:
    """A process that runs a function, and answers with what the function yields; it ends with the ``with`` block.

    It finds the modules that this one does. What it prints goes nowhere.

    Args:
        function: ``module:function``; it takes the request, and yields answers.
        request: plain data.
        longest_wait: seconds to wait for each answer.
    """

    def __init__(self, function: str, request: Any, longest_wait: float) -> None:
        self._request = json.dumps(request).encode()
        self._longest_wait = longest_wait
        self._command = [sys.executable, "-P", "-c", START, json.dumps([*map(str, sys.path)]), function]
        self._buffer = b""

    def __enter__(self) -> SecondProcess:
        """Start the process, and send the request."""
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended, which shows when an answer is asked for
            self._process.stdin.write(self._request)
            self._process.stdin.close()
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
        assert self._process.stdout is not None
        descriptor, deadline = self._process.stdout.fileno(), time.monotonic() + self._longest_wait
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
        if code < 0:
            return f"it ended the process that loaded it, by {signal.Signals(-code).name}"
        return f"it ended the process that loaded it, with exit code {code}"


def serve(function: str) -> None:
    """Answer the request on standard input, as the second process."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, sys.stdout.fileno())  # whatever plugins print
    request = json.load(sys.stdin)
    module, _, name = function.partition(":")
    for answer in getattr(import_module(module), name)(request):
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()
    os._exit(0)  # what plugins have registered to be run at the end is not
