"""What the tests of hostile plugins share: all of them, installed at once in a folder on the import path."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with all hostile plugins installed."""
    from hostile_plugins import HOSTILE

    folder = tmp_path_factory.mktemp("site")
    for plugin in HOSTILE:
        plugin.install(folder)
    return folder


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a function that runs the program in a process of its own, with folders on its import path."""

    folder = tmp_path_factory.mktemp("work")

    def run(*arguments: object, path: Path | None = None) -> Any:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        environment |= {"PYTHONPATH": str(path)} if path else {}
        command = [sys.executable, "-m", "mlpkit", *map(str, arguments)]
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", check=False, cwd=folder, env=environment, timeout=120
        )
        return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr)

    return run
