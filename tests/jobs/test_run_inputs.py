"""What lock.json has of plugins: the text of a file, wherever it comes from."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

import mlpkit
from mlpkit.errors import RunFolderError, SpecError, SpecShapeError

PLUGIN = """\
from mlpkit import Layer, component, hookimpl


class Same(Layer):
    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


@hookimpl
def mlpkit_components():
    return [component("layer", "Same", Same)]
"""


def test_a_plugin_is_known_by_the_text_of_its_file(work, monkeypatch):
    file = work / "acme.py"
    file.write_text(PLUGIN)
    imported = importlib.util.spec_from_file_location("acme", file)
    module, typed = importlib.util.module_from_spec(imported), ModuleType("acme")
    imported.loader.exec_module(module)
    vars(typed).update(mlpkit_components=module.mlpkit_components)
    digest = f"sha256 {hashlib.sha256(PLUGIN.encode()).hexdigest()}"
    for number, (plugin, version, files) in enumerate(
        ((file, digest, {"acme": str(file)}), (module, digest, None), (typed, "", None))
    ):
        monkeypatch.setitem(sys.modules, "acme", plugin)
        overrides = {"layers.Relu1": "acme.Same", "training.epochs": 1}
        mlpkit.run(mlpkit.load_spec("tiny.yaml", plugins=[plugin], overrides=overrides), f"run-{number}", quiet=True)
        lock = json.loads((work / f"run-{number}/lock.json").read_text())
        assert (lock["plugins"], lock.get("plugin_files")) == ({"acme": version}, files)
    notes = [f"help: the run used the plugin {file}; add --plugin {file}, or name it in MLPKIT_PLUGINS"]
    for number, expected in enumerate((notes, [], [])):  # the folder of a module doesn't say where it was
        with pytest.raises(SpecError) as raised:
            mlpkit.load(f"run-{number}")
        assert [*getattr(raised.value, "__notes__", ())] == expected


def test_a_spec_that_no_longer_fits_is_an_error_at_its_place_and_missing_data_one_of_the_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = ["a,b,price", *(f"{i},{i % 7},{i % 5}" for i in range(40))]
    Path("homes.csv").write_text("\n".join(lines))
    data = {"csv": {"file": "homes.csv", "target": "price", "predict": "values", "validation": 0, "test": 0}}
    training = {"optimizer": "sgd", "iterations": 2, "batch_size": 20, "checkpoint": {"every": 1}}
    spec = {"mlpkit": 1, "data": data, "layers": [{"Affine": {"units": 1}}, "MeanSquaredError"], "training": training}
    mlpkit.run(mlpkit.load_spec(spec), "run")
    Path("run/metrics.json").unlink()  # as if it weren't finished
    Path("homes.csv").write_text("\n".join(lines[:20]))
    with pytest.raises(SpecShapeError, match=r"run/resolved\.yaml:\d+:\d+: a minibatch of 20 is larger than "):
        mlpkit.resume("run")
    Path("homes.csv").unlink()
    with pytest.raises(RunFolderError, match=r"^run: there is no file .*homes\.csv.*; restore the data that it "):
        mlpkit.resume("run")
