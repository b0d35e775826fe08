"""The programs on the page about exports give what predict gives."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from generators.marked_blocks import marked_blocks
from requirements import require, require_package

import mlpkit
from mlpkit.verbs.export.export import export
from mlpkit_plugins.exporters.js_engines import NODE, find_program

PAGE = (Path(__file__).parents[2] / "docs/exports.md").read_text("utf-8")
PROGRAMS = {block.language: block.text for block in marked_blocks(PAGE) if block.role == "exported"}
PASSENGER = {"age": 22.0, "sex": "male", "embarked": None}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return the folder of a run on a table like the page's."""
    folder = tmp_path_factory.mktemp("titanic")
    rng = np.random.default_rng(0)
    lines = [
        f"{rng.integers(1, 80)},{sex},{port},{'yes' if sex == 'female' else 'no'}"
        for sex, port in zip(rng.choice(["male", "female"], 200), rng.choice(["S", "C", ""], 200), strict=True)
    ]
    (folder / "titanic.csv").write_text("\n".join(["age,sex,embarked,survived", *lines]), encoding="utf-8")
    (folder / "titanic.yaml").write_text(
        "mlpkit: 1\n"
        "data: {csv: {file: titanic.csv, target: survived, categorical: [sex, embarked], missing: fill, test: 0.2}}\n"
        "layers: [{Affine: {units: 4}}, Relu, {Affine: {units: auto}}, SoftmaxWithLoss]\n"
        "training: {optimizer: {sgd: {learning_rate: 0.1}}, epochs: 5}\n",
        encoding="utf-8",
    )
    mlpkit.run(mlpkit.load_spec(folder / "titanic.yaml"), folder / "runs/titanic")
    return folder / "runs/titanic"


@pytest.fixture(scope="module")
def model(run):
    return mlpkit.load(run)


def test_python(run, model, tmp_path, monkeypatch):
    require_package("onnxruntime")
    export(run, tmp_path / "titanic.onnx")
    monkeypatch.chdir(tmp_path)

    names: dict = {}
    exec(compile(PROGRAMS["python"], "exports.md", "exec"), names)

    assert names["label"].tolist() == model.predict([PASSENGER]).tolist()
    np.testing.assert_allclose(names["probabilities"], model.predict_proba([PASSENGER]), rtol=1e-5)
    assert [each["name"] for each in names["provenance"]["inputs"]] == ["age", "sex", "embarked"]


def test_c(run, model, tmp_path):
    require("compiler", shutil.which("cc") is not None, "cc is not installed")
    export(run, tmp_path / "titanic.c")
    declared, call = PROGRAMS["c"].split("\n\n")
    lines = ["#include <stdio.h>", declared, "int main(void)", "{", call]
    lines += ['printf("%s %.9g", out.label, out.probabilities[0]);', "return 0;", "}"]
    (tmp_path / "main.c").write_text("\n".join(lines), encoding="utf-8")

    subprocess.run(["cc", "-std=c99", "main.c", "titanic.c", "-lm", "-o", "program"], cwd=tmp_path, check=True)
    said = subprocess.run([tmp_path / "program"], capture_output=True, text=True, check=True).stdout.split()

    assert said[0] == model.predict([PASSENGER])[0]
    assert float(said[1]) == pytest.approx(model.predict_proba([PASSENGER])[0, 0], rel=1e-6)


def test_javascript(run, model, tmp_path):
    engine = find_program(NODE)
    require("node", engine is not None, "Node is not installed")
    export(run, tmp_path / "titanic.js")
    (tmp_path / "program.mjs").write_text(f"{PROGRAMS['js']}\nconsole.log(JSON.stringify(found));\n", encoding="utf-8")

    found = json.loads(
        subprocess.run([engine, tmp_path / "program.mjs"], capture_output=True, text=True, check=True).stdout
    )

    assert found["label"] == model.predict([PASSENGER])[0]
    assert found["probabilities"] == pytest.approx(model.predict_proba([PASSENGER])[0].tolist(), rel=1e-5)
