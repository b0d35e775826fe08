"""The built wheel holds what the tree holds, and asks for what the design says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from documentation_pages import BY_HAND, FROM_CODE
from requirements import require_package, requires

ROOT = Path(__file__).parents[2]
CORE_DEPENDENCIES = {
    "annotated-types",
    "click",
    "markdown-it-py",
    "numpy",
    "packaging",
    "platformdirs",
    "pluggy",
    "pyyaml",
    "rich",
    "threadpoolctl",
}


def copied_tree(folder):
    """Copy into a folder what wheels are built from, and return where it is."""
    return shutil.copytree(ROOT, folder / "tree", ignore=_unwanted, symlinks=True)


def built(tree, folder, **environment):
    """Build a wheel into a folder, and return it opened."""
    require_package("build")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    subprocess.run([*command, str(folder), str(tree)], check=True, timeout=300, env={**os.environ, **environment})
    (wheel,) = folder.glob("*.whl")
    return zipfile.ZipFile(wheel)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel whose kernels the compiler doesn't optimize, which takes a fraction of the time."""
    compiler = tmp_path_factory.mktemp("compiler") / "cc"
    compiler.write_text('#!/bin/sh\nexec cc "$@" -O0\n')  # the last flag counts
    compiler.chmod(0o755)
    folder = tmp_path_factory.mktemp("wheel")
    with built(copied_tree(tmp_path_factory.mktemp("tree")), folder, CC=str(compiler)) as archive:
        yield archive


def _unwanted(folder, names):
    """Return what the wheel is not made from: at the root whatever is hidden or no source, elsewhere what was built."""
    patterns = ["*.so", "*.egg-info", "__pycache__"]
    if Path(folder) == ROOT:
        patterns += [".*", "build", "tests", "benchmarks"]
    if Path(folder) == ROOT / "docs":
        patterns += [page.name for page in FROM_CODE]
    return shutil.ignore_patterns(*patterns)(folder, names)


def test_the_wheel_holds_exactly_what_the_tree_holds(wheel):
    shipped = {name for name in wheel.namelist() if ".dist-info/" not in name and not name.endswith(".so")}
    tree = set()
    for package, home in (("mlpkit", ROOT / "mlpkit"), ("mlpkit_plugins", ROOT / "plugins/mlpkit_plugins")):
        for path in home.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts and not path.name.endswith((".so", ".clang-format")):
                tree.add(f"{package}/{path.relative_to(home).as_posix()}")
    specs = [path for folder in ("", "papers", "tables") for path in (ROOT / "specs" / folder).glob("*.yaml")]
    tree |= {f"mlpkit/shipped_specs/{path.relative_to(ROOT / 'specs').as_posix()}" for path in specs}
    pages = [*BY_HAND, *FROM_CODE, *(path for path in (ROOT / "docs/pictures").rglob("*") if path.is_file())]
    tree |= {f"mlpkit/shipped_docs/{path.relative_to(ROOT / 'docs').as_posix()}" for path in pages}
    lessons = [path for path in (ROOT / "specs/from_scratch").iterdir() if path.is_file() and path.name != "README.md"]
    tree |= {f"mlpkit/shipped_specs/from_scratch/{path.name}" for path in lessons}
    assert shipped == tree


@requires("compiler", shutil.which("cc") is not None, "there is no compiler")
def test_the_wheel_holds_compiled_kernels(wheel):
    compiled = [name for name in wheel.namelist() if name.endswith(".so")]
    assert compiled == ["mlpkit_plugins/kernels/compiled.abi3.so"]


def test_a_wheel_can_be_built_without_a_compiler(tmp_path):
    with built(copied_tree(tmp_path), tmp_path, CC=str(tmp_path / "no-compiler")) as archive:
        names = archive.namelist()
    assert "mlpkit_plugins/kernels/with_numpy.py" in names
    assert not [name for name in names if name.endswith(".so")]


def test_a_pure_wheel_holds_the_same_without_kernels(wheel, tmp_path):
    with built(copied_tree(tmp_path), tmp_path, MLPKIT_PURE="1") as archive:
        assert Path(archive.filename).name.endswith("-py3-none-any.whl")
        pure = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert pure == {name for name in wheel.namelist() if ".dist-info/" not in name and not name.endswith(".so")}


def test_an_sdist_holds_what_both_wheels_are_built_from(wheel, tmp_path):
    here = ("--no-isolation", "--skip-dependency-check")  # the NumPy here may be older than that for building
    require_package("build")
    command = [sys.executable, "-m", "build", "--sdist", *here, "--outdir", str(tmp_path)]
    environment = {**os.environ, "MLPKIT_PURE": "1"}
    subprocess.run(
        [*command, str(copied_tree(tmp_path))], check=True, timeout=300, env=environment, capture_output=True
    )
    (sdist,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2].removeprefix("plugins/") for name in archive.getnames()}
    assert held >= {name for name in wheel.namelist() if ".dist-info/" not in name and not name.endswith(".so")}
    assert held >= {"setup.py", "pyproject.toml", "README.md", "LICENSE"}


def test_a_core_install_asks_for_the_core_dependencies_and_nothing_else(wheel):
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    metadata = Parser().parsestr(wheel.read(name).decode())
    required = {
        re.match(r"[\w-]+", line)[0].lower() for line in metadata.get_all("Requires-Dist") if "extra ==" not in line
    }
    assert required == CORE_DEPENDENCIES
    assert metadata["License-Expression"] == "MIT"


def test_mnist_comes_with_its_attribution_and_licence(wheel):
    text = wheel.read("mlpkit_plugins/datasets/mnist_files/README.md").decode()
    assert "LeCun" in text
    assert "CC BY-SA 3.0" in text
