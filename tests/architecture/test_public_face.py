"""Names under which mlpkit is used."""

from __future__ import annotations

import subprocess
import sys

import mlpkit


def test_every_public_name_can_be_loaded():
    for name in mlpkit.__all__:
        assert getattr(mlpkit, name) is not None


def test_the_version_is_that_of_the_distribution():
    from importlib.metadata import version

    assert mlpkit.__version__ == version("mlpkit")


def test_importing_mlpkit_loads_neither_yaml_nor_numpy_nor_a_plugin():
    code = "import mlpkit, sys; print(sorted({'yaml', 'numpy', 'pluggy', 'mlpkit_plugins'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
