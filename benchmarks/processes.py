"""Starts contestants' processes; they write nothing into the repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contestants.roster import Entry
    from contestants.task import Task

MLPKIT = [sys.executable, "-m", "mlpkit"]
PROCESS = Path(__file__).with_name("contest_process.py")
ARRAYS = Path(__file__).with_name("mnist_arrays.py")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")
ONE_XLA_THREAD = "--xla_cpu_multi_thread_eigen=false"
EXAMPLES = 55_000
LONGEST = 1800
"""Seconds after which a process is given up."""


class ContestError(Exception):
    """A contestant's process ended with an error; the message is the last line of its output."""


@contextmanager
def workspace() -> Iterator[Path]:
    """Give a folder with MNIST's arrays; caches and other files of processes go there, until it is deleted."""
    with tempfile.TemporaryDirectory(prefix="mlpkit-benchmarks-") as name:
        folder = Path(name)
        directory, variables = Path.cwd(), dict(os.environ)
        os.environ |= {
            "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
            "TORCHINDUCTOR_CACHE_DIR": str(folder / "inductor"),
            "KERAS_HOME": str(folder / "keras"),
            "MPLCONFIGDIR": str(folder / "matplotlib"),
        }
        for variable in ("PYTHONDONTWRITEBYTECODE", "XLA_FLAGS", *THREAD_VARIABLES):
            os.environ.pop(variable, None)
        os.chdir(folder)
        try:
            finished([sys.executable, str(ARRAYS), name])  # not here: this process is to stay small
            yield folder
        finally:
            os.chdir(directory)
            os.environ.clear()
            os.environ.update(variables)


def contest(entry: Entry, work: str, task: Task, folder: Path, *, threads: int | None = None, **needs: Any) -> Any:
    """Let a contestant do a piece of work in a process of its own, and return its report.

    The work is called as in ``contest_process.py``; ``needs`` are further keys of the request.
    """
    request: dict[str, Any] = {
        "work": work,
        "contestant": entry.implementation,
        "task": asdict(task),
        "data": str(folder),
    }
    request |= {"examples": EXAMPLES, **needs}
    done = finished([sys.executable, str(PROCESS), json.dumps(request)], threads=threads)
    return json.loads(done.stdout.strip().splitlines()[-1])


def finished(
    command: list[str], *, threads: int | None = None, longest: float | None = LONGEST
) -> subprocess.CompletedProcess[str]:
    """Run a process and wait for it, with a limit on its threads if given; raises ContestError if it fails."""
    limits = dict.fromkeys(THREAD_VARIABLES, str(threads)) if threads else {}
    limits |= {"XLA_FLAGS": ONE_XLA_THREAD} if threads == 1 else {}
    try:
        done = subprocess.run(
            command, env={**os.environ, **limits}, capture_output=True, text=True, check=False, timeout=longest
        )
    except subprocess.TimeoutExpired as error:
        msg = f"took longer than {longest} s"
        raise ContestError(msg) from error
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        msg = f"exit code {done.returncode}: {last}"
        raise ContestError(msg)
    return done
