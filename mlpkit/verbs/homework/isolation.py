"""Runs a submission in a process of its own, which gets inputs and returns arrays as plain data."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any, Final, Self

import numpy as np

from mlpkit.array import Array
from mlpkit.second_process import how_it_ended
from mlpkit.system import OWN_GROUP, kill_group, require_processes
from mlpkit.verbs.homework import child

MEMORY: Final = 2**30
"""Bytes of addresses of a submission's process."""

START: Final = 60.0
"""Seconds in which Python and NumPy start on a busy machine."""

LARGEST_ANSWER: Final = 2**26
"""Bytes of all arrays of an answer."""

ECHOED: Final = 100_000
"""Elements of the array whose way to the process and back is timed before the submission is loaded."""

BLAS: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
KEPT: Final = ("SYSTEMROOT", "LD_LIBRARY_PATH")
"""Variables of the environment without which Python or NumPy may not start."""

Step = list[Any]


class SubmissionError(Exception):
    """What a submission did wrong, in words."""


class EndedError(SubmissionError):
    """The submission's process has ended, or was ended."""


class RefusedError(SubmissionError):
    """The submission tried something forbidden: it gets no points at all."""


class Submission:
    """A process with a submission, to be used as a context manager.

    Args:
        source: the text of the file.
        seconds: how long each request may take.
    """

    def __init__(self, source: str, seconds: float) -> None:
        self.source = source
        self.seconds = seconds

    def __enter__(self) -> Self:
        """Start the process, and load the submission.

        Raises:
            SubmissionError: the file doesn't work.
        """
        require_processes("mlpkit grade")
        self._folder = TemporaryDirectory(ignore_cleanup_errors=True)
        start = (
            "import runpy, sys; place, script = sys.argv[1:3]; sys.path.append(place); sys.argv[:3] = [script]; "
            "import numpy; sys.path.remove(place); runpy.run_path(script, run_name='__main__')"
        )
        numpy = str(Path(np.__file__).parents[1])
        limits = [str(MEMORY), str(round(10 * self.seconds) + 30)]
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", "-c", start, numpy, child.__file__, *limits],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder.name,
            env={name: os.environ[name] for name in KEPT if name in os.environ} | dict.fromkeys(BLAS, "1"),
            **OWN_GROUP,
        )
        self._answers: SimpleQueue[Any] = SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.missing: list[str] = self._next(START)[0]["missing"]
            began = time.perf_counter()
            self._request({}, [np.zeros(ECHOED)], START)
            self.transport = time.perf_counter() - began
            self._request([self.source], [], self.seconds)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        """End the process, all that it has started, and its folder."""
        kill_group(self._process)
        with suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]
        self._process.wait()
        self._reader.join(1)
        self._folder.cleanup()

    def ask(self, *steps: Step, arrays: Sequence[Array] = ()) -> dict[str, Array]:
        """Return what steps return, by the names of the steps; of several with a name, what the last returns.

        ``child.follow`` has the grammar of steps; a fifth element is the name of a call.

        Raises:
            SubmissionError: the submission raised an error, ended, or tried something forbidden.
        """
        names = [step[4] if len(step) > 4 else step[1] for step in steps if step[0] not in ("make", "do")]
        found = self._request(list(steps), arrays, self.seconds)[1]
        if len(found) != len(names):
            raise SubmissionError("its process sent something that is not an answer")
        return dict(zip(names, found, strict=True))

    def _request(self, document: Any, arrays: Sequence[Array], seconds: float) -> tuple[Any, list[Array]]:
        sent = threading.Thread(target=self._send, args=(document, arrays), daemon=True)
        sent.start()  # a process that doesn't read must not stop this one
        return self._next(seconds)

    def _send(self, document: Any, arrays: Sequence[Array]) -> None:
        with suppress(OSError, ValueError):
            child.write_frame(self._process.stdin, document, arrays)  # type: ignore[arg-type]

    def _next(self, seconds: float) -> tuple[Any, list[Array]]:
        try:
            answer = self._answers.get(timeout=seconds)
        except Empty:
            raise EndedError(f"not finished after {seconds:g} s, so it was ended") from None
        if answer is None:
            raise EndedError(self._why_ended())
        document, arrays = answer
        if "refused" in document:
            raise RefusedError(f"tried what a submission may not do: {document['refused']}")
        if "error" in document:
            raise SubmissionError(str(document["error"]))
        return document, arrays

    def _read(self) -> None:
        """Pass on each answer, and None at the end or at something that isn't an answer."""
        answer: Any = ()
        while answer is not None:
            try:
                answer = child.read_frame(self._process.stdout, LARGEST_ANSWER)  # type: ignore[arg-type]
                answer = answer if isinstance(answer[0], dict) else None
            except (OSError, ValueError, RecursionError, TypeError):
                answer = None
            self._answers.put(answer)
        with suppress(OSError):
            self._process.stdout.close()  # type: ignore[union-attr]

    def _why_ended(self) -> str:
        try:
            code = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return "its process sent something that is not an answer, or closed the pipe"
        return f"its process ended {how_it_ended(code)}"
