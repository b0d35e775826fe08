"""Intervals and sets leave with a model: each file gives those of the model in Python."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from built_in_exporters import EXPORTERS
from requirements import Optional, require

import mlpkit
from mlpkit.errors import ExportError
from mlpkit.graph.provenance import find_provenance
from mlpkit.network.coverage import Coverage

onnxruntime = Optional("onnxruntime")

RNG = np.random.default_rng(1)
ROWS = 150
X = RNG.normal(size=(ROWS, 2)).round(4)
GOOD = (X[:, 0] + RNG.normal(size=ROWS)).round(4)
PRICE = np.exp(GOOD + 5).round(4)
KIND = np.digitize(GOOD, [-1, 0, 1])
VALUES = {"predict": "values", "scale_target": "standardize"}
QUANTILES = {"Pinball": {"quantiles": [0.3, 0.5, 0.7]}}
MODELS = {
    "value": ({"target": "good", **VALUES}, "MeanSquaredError"),
    "several": ({"target": ["good", "price"], **VALUES}, "MeanSquaredError"),
    "factor": ({"target": "price", **VALUES, "scale_target": "log"}, "MeanSquaredError"),
    "quantiles": ({"target": "good", **VALUES}, QUANTILES),
    "factors": ({"target": "price", **VALUES, "scale_target": "log"}, QUANTILES),
    "set": ({"target": "kind"}, "SoftmaxWithLoss"),
}


@pytest.fixture(scope="module", autouse=True)
def runs(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("work"))
        with Path("table.csv").open("w", newline="") as file:
            rows = zip(*X.T, GOOD, PRICE, KIND, strict=True)
            csv.writer(file).writerows([["a", "low", "good", "price", "kind"], *rows])
        for name, (of_data, loss) in MODELS.items():
            table = {"file": "table.csv", "inputs": ["a", "low"], "validation": 0.3, "test": 0.2, **of_data}
            how = {"optimizer": {"adam": {"learning_rate": 0.02}}, "epochs": 3, "batch_size": 20}
            layers = [{"Affine": {"units": 4}}, "Tanh", {"Affine": {"units": "auto"}}, loss]
            spec = {"mlpkit": 1, "data": {"csv": table}, "training": how, "layers": layers, "coverage": 0.4}
            mlpkit.run(mlpkit.load_spec(spec), name)
        yield


def regions_of(name):
    """The regions of all rows by the names of a file's outputs: an input is called low, too."""
    model = mlpkit.load(name)
    if name == "set":
        return {"set": model.predict_set("table.csv")}
    ends = model.predict_interval("table.csv").reshape(ROWS, -1, 2)
    return {"predicted_low": ends[..., 0], "high": ends[..., 1]}


def test_the_models_of_these_tests_shrink_and_widen_intervals():
    thresholds = {name: mlpkit.load(name).network.states["coverage.threshold"] for name in MODELS}
    assert thresholds["quantiles"] < 0
    assert thresholds["factors"] < 1
    assert 0 < thresholds["set"] < 1


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("ending", EXPORTERS)
def test_every_file_has_regions_and_is_proved_on_them(name, ending):
    if ending == ".c":
        require("compiler", shutil.which("cc") is not None, "there is no C compiler")
    if ending in {".js", ".html"}:
        require("node", shutil.which("node") is not None, "node is not installed")
    done = mlpkit.export(name, f"{name}{ending}")
    assert {*regions_of(name)} <= {*done.outputs}
    assert (done.warning, done.split) == ("", "the test split")
    assert done.rows > 20
    assert find_provenance(Path(f"{name}{ending}").read_bytes())["coverage"] == 0.4


@pytest.mark.parametrize("name", MODELS)
def test_onnx_gives_the_regions_of_the_model(name):
    mlpkit.export(name, f"{name}.onnx")
    session = onnxruntime.InferenceSession(f"{name}.onnx", providers=["CPUExecutionProvider"])
    expected = regions_of(name)
    found = session.run([*expected], {"a": X[:, 0], "low": X[:, 1]})
    for output, values in zip(found, expected.values(), strict=True):
        assert output.dtype == values.dtype
        np.testing.assert_allclose(output, values, atol=1e-5 * abs(values).max())


@pytest.mark.parametrize("name", ["value", "several", "set"])
def test_javascript_returns_numbers_and_truth_values(name):
    require("node", shutil.which("node") is not None, "node is not installed")
    mlpkit.export(name, f"{name}.js")
    rows = [{"a": float(a), "low": float(low)} for a, low in X[:5]]
    program = (
        f'import("{Path(f"{name}.js").resolve()}").then(({{ model, predict }}) => '
        f"console.log(JSON.stringify([model.coverage, predict({json.dumps(rows)})])));"
    )
    done = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    coverage, found = json.loads(done.stdout)
    assert coverage == 0.4
    model = mlpkit.load(name)
    if name == "set":
        assert [each["set"] for each in found] == model.predict_set(rows).tolist()
        return
    ends = np.array([[each["low"], each["high"]] for each in found])
    expected = model.predict_interval(rows)
    np.testing.assert_allclose(ends, expected if name == "value" else expected.transpose(0, 2, 1), rtol=1e-5)


@pytest.mark.parametrize(("name", "output"), [("value", "high"), ("set", "set")])
def test_a_file_with_other_regions_is_not_kept(name, output, monkeypatch):
    described = Coverage.onnx_regions

    def wrong(self, graph, prediction):
        found = described(self, graph, prediction)
        change = ("Add", 0.01) if output == "high" else ("Not",)
        return {**found, output: graph.op(change[0], found[output], *change[1:])}

    monkeypatch.setattr(Coverage, "onnx_regions", wrong)
    with pytest.raises(ExportError, match=f"the file gives .* for {output}"):
        mlpkit.export(name, "wrong.onnx")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("value", r"Intervals like this hold 40 % of the targets: \u2212?[\d.]+ to [\d.]+"),
        ("several", r"Intervals like this hold 40 % of the targets: good \u2212?[\d.]+ to \u2212?[\d.]+, price "),
        ("set", r"Sets like this hold 40 % of the targets: \d(, \d)*"),
    ],
)
def test_a_page_says_what_the_region_is(name, said, browser):
    mlpkit.export(name, f"{name}.html")
    address = Path(f"{name}.html").resolve().as_uri()
    browser.show(address, "document.body.innerText.includes('like this hold')")
    assert re.search(said, browser.evaluate("document.body.innerText"))
    assert not browser.complaints
