"""Layers and losses from one import."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import mlpkit
import mlpkit.layers
import mlpkit_plugins
from mlpkit.layers import Affine, Relu, SoftmaxWithLoss
from mlpkit.registry.registry import Registry
from mlpkit_plugins.layers.affine import Affine as BuiltIn

DECLARED = {d.name for d in mlpkit_plugins.mlpkit_components() if d.kind in ("layer", "loss")}


def test_they_are_the_classes_of_the_plugins():
    assert Affine is BuiltIn
    network = mlpkit.Sequential([Affine(3), Relu(), SoftmaxWithLoss()], input_shape=(4,))
    assert network.parameters["Affine1.W"].shape == (4, 3)


def test_dir_lists_them():
    assert set(dir(mlpkit.layers)) >= DECLARED


def test_a_star_imports_them():
    names: dict[str, object] = {}
    exec("from mlpkit.layers import *", names)
    assert names.keys() >= DECLARED
    assert names["Affine"] is BuiltIn


def test_mlpkit_alone_is_enough_to_reach_public_modules():
    code = "import mlpkit\nprint(mlpkit.layers.Affine(3), mlpkit.testing.begin_pass, mlpkit.sklearn.MLPClassifier)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("Affine(units=3) <function begin_pass at "), done.stderr


def test_the_stub_names_each_of_them():
    text = Path(mlpkit.layers.__file__).with_suffix(".pyi").read_text("utf-8")
    assert {line.rpartition(" ")[2] for line in text.splitlines() if line.startswith("from mlpkit_plugins")} == DECLARED


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Afine", "no 'Afine' among the layers and losses of mlpkit; did you mean 'Affine'?"),
        ("adam", "'adam' is an optimizer, not a layer or a loss"),
        ("acme", "no 'acme' among the layers and losses of mlpkit"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name, said):
    with pytest.raises(AttributeError) as caught:
        getattr(mlpkit.layers, name)
    assert str(caught.value).startswith(said)


def test_a_plugin_is_reached_by_its_namespace(tmp_path, monkeypatch):
    file = tmp_path / "acme.py"
    file.write_text(
        "from mlpkit import Layer, component, hookimpl\n\n\n"
        "class Same(Layer):\n    def forward(self, x):\n        return x\n\n    def backward(self, dy):\n"
        "        return dy\n\n\n@hookimpl\ndef mlpkit_components():\n    return [component('layer', 'Same', Same)]\n",
        "utf-8",
    )
    registry = Registry.discover(plugins=[file])
    monkeypatch.setattr(mlpkit.layers, "installed", lambda: registry)
    assert mlpkit.layers.acme.Same().type_name == "Same"
    assert dir(mlpkit.layers.acme) == ["Same"]
    assert "acme" in dir(mlpkit.layers)
    assert repr(mlpkit.layers.acme) == "<layer and loss classes of acme>"
    with pytest.raises(AttributeError, match="no 'Sane' among the layers and losses of acme; did you mean 'Same'"):
        _ = mlpkit.layers.acme.Sane


def test_the_import_loads_no_layer():
    code = "import mlpkit.layers, sys; print([name for name in sys.modules if name.startswith('mlpkit_plugins')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_constructor_is_shown():
    assert list(inspect.signature(Affine).parameters) == ["units", "weights", "bias", "biases", "ntk"]
    code = "from mlpkit.layers import Affine; help(Affine)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "class Affine(" in done.stdout
    in_one_line = "".join(done.stdout.replace("|", "").split())  # Python 3.13 gives each parameter a line
    biases = "biases:'InitializerLike'='zeros',ntk:'bool'=False"
    assert f"Affine(units:'Units',*,weights:'InitializerLike'='he_normal',bias:'bool'=True,{biases})" in in_one_line


@pytest.mark.parametrize(
    ("layer", "shown"),
    [
        (lambda: Affine(50), "Affine(units=50)"),
        (lambda: Affine(50, weights="zeros", bias=False), "Affine(units=50, weights='zeros', bias=False)"),
        (Relu, "Relu()"),
    ],
)
def test_a_layer_reads_as_the_call_that_built_it(layer, shown):
    assert repr(layer()) == shown
    assert repr(eval(shown)) == shown
