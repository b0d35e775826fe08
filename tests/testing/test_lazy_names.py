"""Public names are loaded when they are first used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from requirements import require_package

import mlpkit
import mlpkit.testing


@pytest.mark.parametrize("package", [mlpkit, mlpkit.testing], ids=["mlpkit", "mlpkit.testing"])
def test_a_public_name_is_listed_found_and_known_to_type_checkers(package):
    require_package("sklearn")
    modules = getattr(package, "_SUBMODULES", ())
    assert dir(package) == sorted([*package.__all__, *modules])
    for name in (*package.__all__, *modules):
        assert getattr(package, name) is getattr(package, name)
    stub = ast.parse(Path(package.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    imported = {
        alias.asname: node.module
        for node in stub.body
        if isinstance(node, ast.ImportFrom) and node.module != package.__name__  # those are the modules
        for alias in node.names
    }
    assert imported == package._HOME_OF
    assert set(package.__all__) - {"__version__"} == set(imported)


@pytest.mark.parametrize("package", [mlpkit, mlpkit.testing], ids=["mlpkit", "mlpkit.testing"])
def test_another_name_is_no_attribute(package):
    with pytest.raises(AttributeError, match=f"^module '{package.__name__}' has no attribute 'nothing'$"):
        _ = package.nothing


def test_importing_the_tests_for_authors_loads_no_numpy():
    code = "import mlpkit.testing, sys; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
