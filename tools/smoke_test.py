"""Tests an installed mlpkit from outside its source tree: kernels, training, exports, a resume after a kill.

    python smoke_test.py compiled
    python smoke_test.py numpy

The argument tells which kernels must be in use. The exit code is 1 if something is wrong.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from importlib import metadata, util
from pathlib import Path

SPEC = "mnist_3layer"
FILE = f"{SPEC}.mlpkit.yaml"
STEPS = 2000
LEAST_ACCURACY = 0.9


def main() -> None:
    """Run the tests in a new folder, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kernels", choices=["compiled", "numpy"], help="which kernels must be in use")
    kernels = parser.parse_args().kernels
    with tempfile.TemporaryDirectory() as folder:
        print(f"installed in {installed_package()}")
        print(check_kernels(kernels, folder))
        print(f"test accuracy after {STEPS} steps: {train(folder)}")
        export(folder)
        predict(folder)
        resume(folder)
        print(f"mlpkit {metadata.version('mlpkit')}: passed")


def installed_package() -> Path:
    """Return the folder of the installed package, which must not be the source tree.

    Raises:
        SystemExit: it is the source tree.
    """
    spec = util.find_spec("mlpkit")
    package = Path(spec.origin).parent if spec and spec.origin else Path()
    if not package.is_relative_to(sys.prefix):
        sys.exit(f"mlpkit is imported from {package}; expected a package installed in {sys.prefix}")
    return package


def check_kernels(kernels: str, folder: str) -> str:
    """Return the program's description of its kernels.

    Raises:
        SystemExit: other kernels are in use than expected.
    """
    from mlpkit_plugins.kernels import COMPILED  # noqa: PLC0415 - only after the package was checked

    description = mlpkit(folder, "--version", "--verbose").strip()
    if (kernels == "compiled") != COMPILED:
        sys.exit(f"expected {kernels} kernels, but:\n{description}")
    return description


def train(folder: str) -> float:
    """Check the spec, train for some of its steps, and return the accuracy on the test split.

    Raises:
        SystemExit: the accuracy is too low.
    """
    mlpkit(folder, "init", SPEC)
    mlpkit(folder, "check", FILE)
    shortened = ("--set", f"training.iterations={STEPS}", "--set", f"training.evaluate_every={STEPS}")
    mlpkit(folder, "run", FILE, "--quiet", "--no-report", "--out", "run", *shortened)
    metrics = json.loads(Path(folder, "run", "metrics.json").read_text(encoding="utf-8"))
    accuracy: float = metrics["test"]["accuracy"]
    if accuracy < LEAST_ACCURACY:
        sys.exit(f"the test accuracy is {accuracy}; expected at least {LEAST_ACCURACY}")
    return accuracy


def export(folder: str) -> None:
    """Export the model as an HTML page and as C."""
    for name in ("model.html", "model.c"):
        mlpkit(folder, "export", "run", "--to", name)


def predict(folder: str) -> None:
    """Predict from a file.

    Raises:
        SystemExit: a row has no prediction.
    """
    import numpy as np  # noqa: PLC0415 - only after the package was checked

    np.save(Path(folder, "rows.npy"), np.zeros((3, 784), np.float32))
    rows = mlpkit(folder, "predict", "run", "rows.npy").splitlines()
    if len(rows) != 1 + 3:
        sys.exit(f"expected a header and 3 predictions; found {rows}")


def resume(folder: str) -> None:
    """Kill a training, resume it, and compare its model with that of one that was not interrupted.

    Raises:
        SystemExit: they differ.
    """
    keys = {"iterations": STEPS, "evaluate_every": 500, "batch_size": 100, "checkpoint.every": 100}
    shortened = ["--quiet", "--no-report", *(f"--set=training.{key}={value}" for key, value in keys.items())]
    mlpkit(folder, "run", FILE, "--out", "whole", *shortened)
    command = [sys.executable, "-P", "-m", "mlpkit", "run", FILE, "--out", "killed", *shortened]
    with subprocess.Popen(command, cwd=folder) as process:
        while not any(Path(folder, "killed", "checkpoints").glob("[!.]*")) and process.poll() is None:
            time.sleep(0.02)
        process.kill()
    killed = not Path(folder, "killed", "metrics.json").exists()
    mlpkit(folder, "resume", "killed", "--quiet", "--no-report")
    whole, resumed = (Path(folder, run, "model.safetensors").read_bytes() for run in ("whole", "killed"))
    if not killed or whole != resumed:
        sys.exit("the resumed run has another model" if killed else "the training ended before it could be killed")
    print("resumed after a kill: the same model")


def mlpkit(folder: str, *arguments: str) -> str:
    """Run the program in a folder, and return its output.

    Raises:
        SystemExit: the program failed.
    """
    command = [sys.executable, "-P", "-m", "mlpkit", *arguments]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if process.returncode:
        sys.exit(f"mlpkit {' '.join(arguments)} ended with {process.returncode}:\n{process.stdout}{process.stderr}")
    return process.stdout


if __name__ == "__main__":
    main()
