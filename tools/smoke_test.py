"""Tests an installed mlpkit from outside its source tree: kernels, the main job shortened, a check, an export.

    python smoke_test.py compiled
    python smoke_test.py numpy

The argument says what must compute. The exit code is 1 if something is wrong.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from importlib import metadata, util
from pathlib import Path

SPEC = "mnist_3layer"
STEPS = 2000
LEAST_ACCURACY = 0.9


def main() -> None:
    """Run the tests in a new folder, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kernels", choices=["compiled", "numpy"], help="what must compute")
    kernels = parser.parse_args().kernels
    with tempfile.TemporaryDirectory() as folder:
        print(f"installed in {installed_package()}")
        print(expected_kernels(kernels, folder))
        print(f"test accuracy after {STEPS} steps: {trained(folder)}")
        exported(folder)
        print(f"mlpkit {metadata.version('mlpkit')}: passed")


def installed_package() -> Path:
    """Return the folder of the installed package, which must not be the source tree.

    Raises:
        SystemExit: it is.
    """
    found = util.find_spec("mlpkit")
    package = Path(found.origin).parent if found and found.origin else Path()
    if not package.is_relative_to(sys.prefix):
        sys.exit(f"mlpkit is imported from {package}; expected a package installed in {sys.prefix}")
    return package


def expected_kernels(kernels: str, folder: str) -> str:
    """Return what the program says of its kernels.

    Raises:
        SystemExit: other kernels are in use than expected.
    """
    from mlpkit_plugins.kernels import COMPILED  # noqa: PLC0415 - once it is known which package that is

    said = mlpkit(folder, "--version", "--verbose").strip()
    if (kernels == "compiled") != COMPILED:
        sys.exit(f"expected {kernels} kernels, but:\n{said}")
    return said


def trained(folder: str) -> float:
    """Check the main job's spec, train for a part of its steps, and return the accuracy on the test split.

    Raises:
        SystemExit: it is too low.
    """
    mlpkit(folder, "init", SPEC)
    mlpkit(folder, "check", f"{SPEC}.yaml")
    shortened = ("--set", f"training.iterations={STEPS}", "--set", f"training.evaluate_every={STEPS}")
    mlpkit(folder, "run", f"{SPEC}.yaml", "--quiet", "--no-report", "--out", "run", *shortened)
    metrics = json.loads(Path(folder, "run", "metrics.json").read_text(encoding="utf-8"))
    accuracy: float = metrics["test"]["accuracy"]
    if accuracy < LEAST_ACCURACY:
        sys.exit(f"the test accuracy is {accuracy}; expected at least {LEAST_ACCURACY}")
    return accuracy


def exported(folder: str) -> None:
    """Export the model as a page and as C."""
    for name in ("model.html", "model.c"):
        mlpkit(folder, "export", "run", "--to", name)


def mlpkit(folder: str, *arguments: str) -> str:
    """Run the program in a folder, and return its results.

    Raises:
        SystemExit: it failed.
    """
    command = [sys.executable, "-P", "-m", "mlpkit", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"mlpkit {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
