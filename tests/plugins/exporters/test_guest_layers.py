"""Layers of other packages: one that is written in operators leaves in every format, one that isn't in none."""

import re

import numpy as np
import pytest
from built_in_exporters import EXPORTERS

import mlpkit
from mlpkit import NotExportableError
from mlpkit.verbs.export.export import export

PLUGIN = """
import numpy as np
from mlpkit import Layer, component, hookimpl


class Bent(Layer):
    def forward(self, x):
        self.x = x
        return np.where(x > 0, x * x, 0.25 * x)

    def backward(self, dy):
        return dy * np.where(self.x > 0, 2 * self.x, 0.25).astype(dy.dtype)


class DescribedBent(Bent):
    def onnx(self, graph):
        x = graph.input
        return graph.op("Where", graph.op("Greater", x, 0.0), graph.op("Mul", x, x), graph.op("Mul", x, 0.25))


class MisdescribedBent(Bent):
    def onnx(self, graph):
        return graph.op("Bend", graph.input)


@hookimpl
def mlpkit_components():
    return [component("layer", each.__name__, each) for each in (Bent, DescribedBent, MisdescribedBent)]
"""

ENDINGS = sorted(EXPORTERS)


@pytest.fixture
def exported(tmp_path, monkeypatch):
    """Return a function that trains a network with a layer of the guest, and exports it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "guest.py").write_text(PLUGIN, encoding="utf-8")
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "points.npz", x=rng.normal(size=(80, 3)), t=rng.integers(0, 2, 80))

    def export_with(layer, ending):
        (tmp_path / "bent.yaml").write_text(
            "mlpkit: 1\ndata: {npz: {file: points.npz, test: 0.25}}\n"
            f"layers: [{{Affine: {{units: 4}}}}, guest.{layer}, {{Affine: {{units: 2}}}}, SoftmaxWithLoss]\n"
            "training: {optimizer: {sgd: {learning_rate: 0.1}}, epochs: 2}\n",
            encoding="utf-8",
        )
        plugins = [tmp_path / "guest.py"]
        mlpkit.run(mlpkit.load_spec("bent.yaml", plugins=plugins), "run")
        return export(tmp_path / "run", tmp_path / f"bent{ending}", plugins=plugins)

    return export_with


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_layer_in_operators_leaves(exported, ending):
    found = exported("DescribedBent", ending)

    assert found.file.is_file()
    assert found.rows == 20 or "missing" in found.warning or "no engine" in found.warning


@pytest.mark.parametrize("layer", ["Bent", "MisdescribedBent"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_another_layer_is_refused_by_name_and_line(exported, tmp_path, ending, layer):
    with pytest.raises(NotExportableError) as caught:
        exported(layer, ending)

    place = re.match(r"(.+):(\d+):(\d+): (.+)", str(caught.value))
    assert place is not None
    resolved, line, column, message = place.groups()
    text = (tmp_path / "run/resolved.yaml").read_text("utf-8").splitlines()[int(line) - 1]
    assert resolved == str(tmp_path / "run/resolved.yaml")
    assert text[int(column) - 1 :].startswith(f"guest.{layer}")
    assert f"{layer}1" in message
    assert not (tmp_path / f"bent{ending}").exists()
