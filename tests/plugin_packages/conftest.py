"""What the tests of whole plugin packages share: an environment of their own, beside which nothing is installed."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

SCRIPTS = {
    "pip": "from pip._internal.cli.main import main",
    "pytest": "from pytest import main",
    "mlpkit": "from mlpkit.cli.main import main",
}
"""The programs in an environment, and how each begins."""

OFFLINE = {
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_BUILD_ISOLATION": "0",  # which is how pip spells that there is to be none
    "PIP_NO_INDEX": "1",
}


@dataclass(frozen=True)
class Environment:
    """A new virtual environment that sees what is installed in that of the tests, and its programs.

    Args:
        folder: where it is.
    """

    folder: Path

    def __call__(self, command: str, *, cwd: Path, exit_code: int = 0) -> str:
        """Run a command as a shell would, and return what it prints."""
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=cwd,
            env={**os.environ, **OFFLINE, "PATH": path, "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == exit_code, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr


@pytest.fixture(scope="session")
def new_environment(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Environment]:
    """Return a function that makes an environment."""

    def make() -> Environment:
        folder = tmp_path_factory.mktemp("environment")
        venv.create(folder, with_pip=False)
        (packages,) = folder.glob("lib/python*/site-packages")
        lines = [f"import site; site.addsitedir({place!r})" for place in site.getsitepackages()]
        (packages / "tests.pth").write_text("\n".join(lines), encoding="utf-8")
        python = folder / "bin" / Path(sys.executable).name
        for name, first_line in SCRIPTS.items():
            script = folder / "bin" / name
            script.write_text(f"#!{python}\nimport sys\n{first_line}\nsys.exit(main())\n", encoding="utf-8")
            script.chmod(0o755)
        return Environment(folder)

    return make
