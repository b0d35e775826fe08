"""What the tests of the registry share: distributions that are installed for the length of a test."""

from __future__ import annotations

import importlib
import sys
from textwrap import dedent

import pytest

SWISH = """
    from mlpkit import Layer, component, hookimpl

    class Swish(Layer):
        \"\"\"Swish, y = x / (1 + exp(-x)).\"\"\"

        def __init__(self, beta: float = 1.0):
            self.beta = beta

        def forward(self, x):
            return x

        def backward(self, dy):
            return dy

    @hookimpl
    def mlpkit_components():
        return [component("layer", "Swish", Swish)]
"""


class Distributions:
    """Writes modules and the metadata of distributions into a folder that stands on the import path."""

    def __init__(self, folder):
        self.folder = folder

    def module(self, name, code=SWISH):
        path = self.folder.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(code), encoding="utf-8")
        importlib.invalidate_caches()
        return path

    def install(self, name="acme", code=SWISH, *, module=None, entries=None, version="1.2", metadata=True):
        """Install a distribution with a module and entry points, by default one that is called as the distribution."""
        module = module or f"{name}_plugin"
        self.module(module, code)
        info = self.folder / f"{name}-{version}.dist-info"
        info.mkdir()
        if metadata:
            info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        lines = [f"{key} = {module}" for key in [name]] if entries is None else entries
        info.joinpath("entry_points.txt").write_text("\n".join(["[mlpkit]", *lines]) + "\n")
        importlib.invalidate_caches()


@pytest.fixture
def distributions(tmp_path, monkeypatch):
    """Return what installs distributions; they and their modules are gone after the test."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    yield Distributions(tmp_path)
    for name in set(sys.modules) - before:
        if any(str(tmp_path) in str(getattr(sys.modules[name], where, "")) for where in ("__file__", "__path__")):
            del sys.modules[name]


@pytest.fixture
def swish():
    """Return the code of a sound plugin with one layer."""
    return dedent(SWISH)
