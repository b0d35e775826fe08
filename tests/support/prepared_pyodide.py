"""Pyodide, which is Python in WebAssembly, with mlpkit and what it needs, laid out as on the server that browsers load
it from.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
from language_server import INSTALL, NODE_MODULES
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
NOT_BUILT = shutil.ignore_patterns("*.so", "*.egg-info", "__pycache__")


def pyodide(folder):
    """Write Pyodide and its packages into a folder, and mlpkit's wheel beside it; return the wheel.

    The test is skipped if Pyodide or its NumPy is missing.
    """
    runtime, numpy = NODE_MODULES / "pyodide", next(NODE_MODULES.parent.glob("numpy-*_wasm32.whl"), None)
    if not runtime.exists():
        pytest.skip(f"there is no Pyodide; {INSTALL} installs it")
    if numpy is None:
        pytest.skip("there is no NumPy for Pyodide; put its wheel into tests/node")
    packages = folder / "pyodide"
    packages.mkdir()
    for name in RUNTIME:
        shutil.copy(runtime / name, packages)
    lock = json.loads((runtime / "pyodide-lock.json").read_text())
    listed = [name for name in needed("mlpkit") if name in lock["packages"]]
    wheels = {name: _repacked(name, packages) for name in listed if name != "numpy"}
    wheels["numpy"] = Path(shutil.copy(numpy, packages))
    lock["packages"] = {name: _locked(name, wheel) for name, wheel in wheels.items()}
    (packages / "pyodide-lock.json").write_text(json.dumps(lock))
    return built(folder)


def needed(name):
    """Return the names of what a distribution needs at least."""
    required = map(Requirement, distribution(name).requires or ())
    return [each.name for each in required if each.marker is None]


def _repacked(name, folder):
    """Write an installed distribution as a wheel, without what was compiled."""
    found = distribution(name)
    wheel = folder / f"{name.replace('-', '_')}-{found.version}-py3-none-any.whl"
    with ZipFile(wheel, "w") as archive:
        for path in found.files:
            if ".." not in path.parts and path.suffix not in {".so", ".pyc"}:
                archive.write(found.locate_file(path), path.as_posix())
    return wheel


def _locked(name, wheel):
    """Return what Pyodide's list of packages says of one."""
    return {
        "name": name,
        "version": wheel.name.split("-")[1],
        "file_name": wheel.name,
        "install_dir": "site",
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "package_type": "package",
        "imports": [],
        "depends": [],
        "unvendored_tests": False,
    }


def built(folder):
    """Build mlpkit's pure wheel in a folder."""
    tree = folder / "tree"
    tree.mkdir()
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    for name in ("mlpkit", "plugins", "specs"):
        shutil.copytree(ROOT / name, tree / name, ignore=NOT_BUILT, symlinks=True)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(folder),
        str(tree),
    ]
    subprocess.run([*command, "-w", folder, tree], check=True, env=os.environ | {"MLPKIT_PURE": "1"})
    (wheel,) = folder.glob("mlpkit-*-none-any.whl")
    return wheel
