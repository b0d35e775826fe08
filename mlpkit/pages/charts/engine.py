"""The chart library in a separate process: if its JavaScript engine crashes, the run survives."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from threading import RLock
from typing import Any, Final

from mlpkit.errors import ChartError, UsageError
from mlpkit.second_process import how_it_ended, pipes_of, start_process, take_answers
from mlpkit.system import address_limit

VERSION: Final = "6.1"
"""Of Vega-Lite."""


def ask(function: str, **arguments: Any) -> str:
    """Return what a function of ``vl_convert`` returns for plain data.

    The first call starts the process, which serves all further calls and ends with this process.

    Raises:
        UsageError: vl-convert is not installed.
        ChartError: it refused, or its process ended.
    """
    require_chart_library()
    return _engines.setdefault(os.getpid(), _Engine()).ask(function, arguments)  # a forked child starts its own


def prepare_charts() -> None:
    """Start the process, so that it loads its JavaScript while this one works on what comes before the charts."""
    require_chart_library()
    _engines.setdefault(os.getpid(), _Engine()).start()


def require_chart_library() -> None:
    """Check that the chart library is installed, or raise ``UsageError``."""
    if find_spec("vl_convert") is None:
        raise UsageError('charts on a page need vl-convert; install it with: pip install "mlpkit[plot]"')


class _Engine:
    """Calls one function after the other in its process, which it starts if necessary."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> subprocess.Popen[str]:
        with self._lock:
            if self._process is None:
                self._process = start_process(f"{__name__}:serve", stderr=subprocess.DEVNULL)  # traces of JavaScript
                atexit.register(self._end)
            return self._process

    def ask(self, function: str, arguments: dict[str, Any]) -> str:
        with self._lock:
            try:
                drawn, refusal = self._answer(self.start(), json.dumps([function, arguments]))
            except BaseException:  # such as an interrupt: a late answer must not be taken for the next question's
                self._end()
                raise
        if drawn is None:
            raise ChartError(f"a chart can't be drawn: {refusal.splitlines()[0]}")
        return str(drawn)

    def _answer(self, process: subprocess.Popen[str], question: str) -> list[Any]:
        questions, answers = pipes_of(process)
        try:
            questions.write(question + "\n")
            questions.flush()
            answer: list[Any] = json.loads(answers.readline())
        except (BrokenPipeError, ValueError):  # it ended, or ended while it wrote
            raise ChartError(_death(process.wait())) from None
        return answer

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            atexit.unregister(self._end)
            process.kill()
            for pipe in pipes_of(process):
                with suppress(OSError):  # what was left to write
                    pipe.close()
            process.wait()


_engines: Final[dict[int, _Engine]] = {}
"""By the number of the process that asks."""


def serve() -> None:
    """Answer the questions on standard input, as the second process."""
    import vl_convert  # noqa: PLC0415 - only that process loads it

    answers = take_answers(sys.stderr.fileno())
    with suppress(BaseException):  # the first question meets the same error
        vl_convert.vegalite_to_svg(vl_spec={"mark": "point"}, vl_version=VERSION)  # loads all that drawing needs
    for line in sys.stdin:
        function, arguments = json.loads(line)
        try:
            answer = [getattr(vl_convert, function)(**arguments), None]
        except BaseException as error:
            answer = [None, str(error) or type(error).__name__]
        answers.write(json.dumps(answer) + "\n")


def _death(code: int) -> str:
    text = f"charts can't be drawn: the process of the chart library (vl-convert) ended {how_it_ended(code)}"
    if address_limit() is None:
        return text
    remedy = "make the page without that limit: ulimit -v unlimited"
    return f"{text}; it needs more address space than ulimit -v allows; {remedy}"
