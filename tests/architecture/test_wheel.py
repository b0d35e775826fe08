"""The built wheel holds what the tree holds, and asks for what the design says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE_DEPENDENCIES = {
    "annotated-types",
    "click",
    "numpy",
    "packaging",
    "platformdirs",
    "pluggy",
    "pyyaml",
    "rich",
    "safetensors",
    "threadpoolctl",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    tree = folder / "tree"
    unwanted = shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__", "tests", "benchmarks")
    shutil.copytree(ROOT, tree, ignore=unwanted, symlinks=True)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(tree)]
    subprocess.run(command, check=True, timeout=300)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        yield archive


def test_the_wheel_holds_exactly_what_the_tree_holds(wheel):
    shipped = {name for name in wheel.namelist() if ".dist-info/" not in name}
    tree = set()
    for package, home in (("mlpkit", ROOT / "mlpkit"), ("mlpkit_plugins", ROOT / "plugins/mlpkit_plugins")):
        for path in home.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                tree.add(f"{package}/{path.relative_to(home).as_posix()}")
    tree |= {f"mlpkit/shipped_specs/{path.name}" for path in (ROOT / "specs").glob("*.yaml")}
    assert shipped == tree


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
