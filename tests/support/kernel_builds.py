"""Kernels that are compiled aside, with other compiler flags.

As a pytest plugin, ``-p kernel_builds``, it has tests test the build that MLPKIT_TESTED_KERNELS names.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTED = "MLPKIT_TESTED_KERNELS"
MODULE = "mlpkit_plugins.kernels.compiled"


def built_kernels(folder, flags):
    """Return the extension module that setup.py compiles with further flags, and what the compiler said."""
    compiler = folder / "cc"
    compiler.write_text(f'#!/bin/sh\nexec cc "$@" {flags}\n')  # the last flag counts, where two contradict each other
    compiler.chmod(0o755)
    command = [sys.executable, "setup.py", "build_ext", "--build-lib", folder / "lib", "--build-temp", folder / "temp"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "CC": str(compiler)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    return next(folder.rglob("compiled*.so"), None), done.stdout


def _load(path):
    spec = importlib.util.spec_from_file_location(MODULE, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if TESTED in os.environ:
    sys.modules[MODULE] = _load(os.environ[TESTED])
