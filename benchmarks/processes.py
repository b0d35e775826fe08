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

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contestants.roster import Entry
    from contestants.task import Task

MLPKIT = [sys.executable, "-m", "mlpkit"]
PROCESS = Path(__file__).with_name("contest_process.py")
ARRAYS = Path(__file__).with_name("mnist_arrays.py")
MACHINE = Path(__file__).with_name("machine.py")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")
ONE_XLA_THREAD = "--xla_cpu_multi_thread_eigen=false"
EXAMPLES = 55_000
LONGEST = 1800
"""Seconds after which a process is given up."""

VECTORS = {
    "avx2": {
        "MLPKIT_KERNELS": "avx2",
        "OPENBLAS_CORETYPE": "Haswell",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "ATEN_CPU_CAPABILITY": "avx2",
        "TORCHINDUCTOR_CPP_MARCH": "haswell",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL",  # memcpy and the like
    }
}
"""Variables that hold libraries to narrower vectors than the processor has; NumPy's depends on its version."""
NOT_HELD = {"mlpkit": "loops other than products and activations", "JAX": "matrix products", "onnxruntime": "all"}
"""What no variable holds: GCC's clones of functions, YNNPACK (JAX's and Keras's) and MLAS ask the processor."""


class ContestError(Exception):
    """A contestant's process ended with an error; the message is the last line of its output."""


@contextmanager
def workspace(vectors: str | None = None) -> Iterator[Path]:
    """Give a folder for caches and MNIST's arrays, until it is deleted; processes are held to the vectors, if given."""
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
        os.environ |= held_to(vectors) if vectors else {}
        os.chdir(folder)
        try:
            finished([sys.executable, str(ARRAYS), name])  # not here: this process is to stay small
            yield folder
        finally:
            os.chdir(directory)
            os.environ.clear()
            os.environ.update(variables)


def held_to(vectors: str) -> dict[str, str]:
    """Return the variables that hold libraries to these vectors."""
    found: list[str] = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    wider = [name for name in found if name.startswith(("X86_V4", "AVX512"))]
    return {**VECTORS[vectors], "NPY_DISABLE_CPU_FEATURES": " ".join(wider)}


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
    if threads == 1:
        limits["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {ONE_XLA_THREAD}"
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
