"""A spec pays only for the plugins that it names: nothing else is imported, nor is its metadata read."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PathDistribution

import pytest

from mlpkit.jobs.check import check
from mlpkit.registry.registry import Registry
from mlpkit.specfile.spec import read_spec

MANY = 50
SPEC = """
mlpkit: 1
data: mnist
layers:
  - Affine: {units: 10}
  - LAYER
  - SoftmaxWithLoss
training: {optimizer: sgd, iterations: 1}
"""
LOADED = "import sys; from mlpkit.cli.verbs import program\ntry: program(sys.argv[1:])\n"
LOADED += "finally: print([name for name in sys.modules if name.startswith('acme')])"


@pytest.fixture
def many(distributions):
    """Install fifty plugins, each of which needs a module that fails if it is imported."""
    for i in range(MANY):
        distributions.install(f"acme{i}", "raise SystemExit('imported')")
    return distributions


def loaded_by(folder, *arguments):
    command = [sys.executable, "-c", LOADED, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("arguments", [["--help"], ["check", "spec.yaml"], ["run", "spec.yaml", "--quiet"]])
def test_nothing_is_imported_that_is_not_named(many, arguments, swish):
    many.install("acme_named", swish)
    spec = many.folder / "spec.yaml"
    spec.write_text(SPEC.replace("LAYER", "Relu"))
    assert loaded_by(many.folder, *arguments) == "[]"
    spec.write_text(SPEC.replace("LAYER", "acme_named.Swish"))
    named = "[]" if arguments == ["--help"] else "['acme_named_plugin']"
    assert loaded_by(many.folder, *arguments) == named


def test_a_misspelt_name_that_is_near_a_built_in_imports_nothing_either(many):
    registry = Registry.discover()
    with pytest.raises(Exception, match="did you mean 'Affine'"):
        registry.find(("layer",), "Afine")
    assert [plugin.namespace for plugin in registry.plugins if plugin.status.value != "found"] == ["mlpkit"]


def test_metadata_is_read_for_what_is_named_only(many, swish, monkeypatch):
    many.install("acme_named", swish)
    read = []
    original = PathDistribution.read_text

    def read_text(self, filename):
        if filename != "entry_points.txt":
            read.append((self._path.name, filename))
        return original(self, filename)

    monkeypatch.setattr(PathDistribution, "read_text", read_text)
    (many.folder / "spec.yaml").write_text(SPEC.replace("LAYER", "acme_named.Swish"))
    check(read_spec(many.folder / "spec.yaml"))
    assert {folder.partition("-")[0] for folder, _ in read} <= {"acme_named", "mlpkit"}
