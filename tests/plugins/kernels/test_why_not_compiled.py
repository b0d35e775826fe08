"""Why there are no compiled kernels, as the record of the installation says."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import sys
from importlib import metadata
from types import SimpleNamespace

record = sys.argv[1] if len(sys.argv) > 1 else None
sys.modules["mlpkit_plugins.kernels.compiled"] = None  # as if it weren't there
metadata.distribution = lambda name: SimpleNamespace(read_text=lambda file: record if file == "WHEEL" else "")
from mlpkit_plugins import kernels

print(kernels.COMPILED, kernels.PRODUCTS_BY, kernels.PRODUCTS_BY_REASON, sep="; ")
"""

FROM_PURE_WHEEL = "installed from a wheel without compiled kernels; with a C compiler, install mlpkit from source"
WITHOUT_COMPILER = "no C compiler worked at installation; with one, install mlpkit again"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (["Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"], FROM_PURE_WHEEL),
        (["Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp311-cp311-linux_x86_64\n"], WITHOUT_COMPILER),
        ([], WITHOUT_COMPILER),
    ],
)
def test_the_reason_is_what_the_wheel_was(record, reason):
    environment = {name: value for name, value in os.environ.items() if name != "MLPKIT_KERNELS"}
    command = [sys.executable, "-c", PROGRAM, *record]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"False; NumPy; {reason}\n"
