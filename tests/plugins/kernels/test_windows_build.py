"""The kernels, cross-built for Windows."""

import subprocess
import sys
from pathlib import Path

from requirements import require_module

SCRIPT = Path(__file__).parents[3] / "tools/windows/build_wheel.py"


def test_the_extension_needs_only_python_and_windows_and_exports_its_initialization(tmp_path):
    for name in ("abi3info", "pefile", "ziglang"):
        require_module("cross-compiler", name, f"needs {name}: pip install {name}")
    command = [sys.executable, str(SCRIPT), "--extension", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "compiled.pyd").read_bytes().startswith(b"MZ")
