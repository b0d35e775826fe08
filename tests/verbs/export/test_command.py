"""``mlpkit export`` and ``mlpkit provenance``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from requirements import require_package

from mlpkit.verbs.export.command import _rounding_in_words
from mlpkit.verbs.export.export import Rounding
from mlpkit_plugins.layers.relu import Relu

HERE = Path(__file__).parent


EXPORTER = """
import numpy as np
import mlpkit
from mlpkit import Exporter, component, hookimpl


class Scores(Exporter):
    ending = ".scores"
    quantizes = True
    moved = 0

    def write(self, model, file):
        file.write_text("all of the model")

    def compute(self, file, model, feeds, names):
        probabilities = mlpkit.load("runs/tiny").predict_proba(feeds["image"]).copy()
        label = probabilities.argmax(axis=1)
        probabilities[:self.moved] = np.nextafter(probabilities[:self.moved], 1)
        return {"label": label, "probabilities": probabilities}


class Moved(Scores):
    moved = 1


class Unproved(Scores):
    compute = Exporter.compute


@hookimpl
def mlpkit_components():
    return [component("exporter", name.__name__.lower(), name) for name in (Scores, Moved, Unproved)]
"""


@pytest.fixture
def finished(cwd, invoke):
    """Return the folder of a finished run."""
    assert invoke("run", "tiny.yaml", "--out", "runs/tiny").code == 0
    return cwd / "runs/tiny"


@pytest.fixture
def said(invoke):
    """Return a function that runs commands, and returns all that they say."""

    def say(*commands):
        parts = []
        for command in commands:
            done = invoke(*command.split())
            parts.append(f"$ mlpkit {command}\n{done.out}{done.err}" + (f"[{done.code}]\n" if done.code else ""))
        return "\n".join(parts)

    return say


def test_screens(finished, cwd, said, golden, monkeypatch):
    require_package("onnxruntime")
    monkeypatch.setattr("mlpkit.verbs.export.provenance.LEVELS_UP", 0)
    text = said(
        "export runs/tiny --to tiny.onnx", "export runs/tiny --to bare.onnx --network-only", "provenance tiny.onnx"
    )
    text += "\n" + said("export runs/tiny --to tiny.c --quantize int8", "provenance tiny.c")
    text += "\n" + said("export runs/tiny --to tiny.onnx --quantize int8", "export runs/tiny --to tiny.c --quantize x")
    (finished / "model.safetensors").rename(cwd / "model.safetensors")
    text += "\n" + said("provenance tiny.onnx", "export runs/tiny --to tiny.onnx")
    (cwd / "model.safetensors").rename(finished / "model.safetensors")
    finished.rename(cwd / "moved")
    text += "\n" + said("provenance tiny.onnx", "provenance tiny.onnx --run moved", "provenance tiny.yaml")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    text += "\n" + said("export moved --to tiny.onnx")
    monkeypatch.setitem(sys.modules, "onnx", None)
    text += "\n" + said("export moved --to tiny.onnx", "export moved")
    golden(HERE / "export_screens.txt", _without_hashes(text).replace("bit for bit", "up to rounding"))


def _without_hashes(text):
    lines = text.splitlines(keepends=True)
    for index, line in enumerate(lines):
        words = line.split()
        if len(words) > 1 and words[0] in ("spec", "data", "weights") and len(words[1]) == 16:
            lines[index] = line.replace(words[1], "0123456789abcdef")
    return "".join(lines)


@pytest.mark.parametrize(
    ("exporter", "exact", "said", "warned"),
    [
        ("scores", 60, "; its predictions for 60 rows of the test split match mlpkit predict bit for bit", ""),
        ("moved", 59, "; its predictions for 60 rows of the test split match mlpkit predict up to rounding", ""),
        ("unproved", 0, "", "acme_scores.unproved has no method compute"),
    ],
)
def test_how_closely_the_file_was_proved(finished, invoke, exporter, exact, said, warned):
    Path("acme_scores.py").write_text(EXPORTER)
    command = ("export", "runs/tiny", "--to", "x", "--format", f"acme_scores.{exporter}", "--plugin", "acme_scores.py")
    done = invoke(*command)
    assert (done.code, done.out) == (0, f"x returns label and probabilities{said}\n"), done.err
    warning = f"warning: x: not proved to compute what the model does: {warned}\n" if warned else ""
    assert done.err == warning
    assert Path("x").read_text() == "all of the model"
    document = json.loads(invoke(*command, "--json").out)
    assert (document["exact"], document["rows"]) == (exact, 0 if warned else 60)


def test_the_outputs_are_a_list_in_words(cwd, invoke):
    assert invoke("run", "tiny.yaml", "--quiet", "--set", "coverage=0.5", "--out", "runs/sets").code == 0
    done = invoke("export", "runs/sets", "--to", "sets.js")
    assert done.out.startswith("sets.js returns label, probabilities and set; "), done.err


def test_what_rounding_changed_is_a_table(finished, invoke):
    Path("acme_scores.py").write_text(EXPORTER)
    command = ("export", "runs/tiny", "--to", "x", "--format", "acme_scores.unproved", "--plugin", "acme_scores.py")
    done = invoke(*command, "--quantize", "int8")
    figures = json.loads((finished / "metrics.json").read_text())["test"]
    assert done.code == 0
    first, heading, before, after, relabelled = done.out.splitlines()
    assert (first, heading.split()) == ("x returns label and probabilities", ["weights", "loss", "accuracy"])
    assert before.split() == ["float32", f"{figures['loss']:.4f}", f"{figures['accuracy']:.4f}"]
    rounding = json.loads(invoke(*command, "--quantize", "int8", "--json").out)["rounding"]
    assert after.split() == ["int8", *(f"{rounding['after'][name]:.4f}" for name in ("loss", "accuracy"))]
    assert relabelled == f"{rounding['relabelled']} of 60 rows have another label with int8"


@pytest.mark.parametrize(
    ("before", "after", "relabelled", "text"),
    [
        ({}, {}, None, "weights rounded to int8; the effect isn't known without the run's data"),
        (
            {"loss": 12.25, "confusion": [[3, 4], [5, 6]], "accuracy": 0.75},
            {"loss": 12.5, "confusion": [[4, 3], [5, 6]], "accuracy": 0.625},
            1234,
            """\
weights   loss  accuracy
float32  12.25    0.7500
int8     12.50    0.6250
1,234 of 9,876 rows have another label with int8""",
        ),
        ({"loss": 2.5}, {"loss": 2.75}, None, "weights    loss\nfloat32  2.5000\nint8     2.7500"),
        (
            *({"loss": 2.5}, {"loss": 2.75}, 0),
            "weights    loss\nfloat32  2.5000\nint8     2.7500\n0 of 9,876 rows have another label with int8",
        ),
    ],
    ids=["no data", "classes", "values", "same labels"],
)
def test_what_rounding_changed_in_words(before, after, relabelled, text):
    assert _rounding_in_words(Rounding(("Affine1.W",), before, after, 9876, relabelled)) == text


def test_json(finished, invoke, cwd):
    require_package("onnxruntime")
    done = invoke("export", "runs/tiny", "--to", "tiny.onnx", "--json")
    document = json.loads(done.out)
    assert 0 <= document.pop("exact") <= document["rows"]
    assert document == {
        "out": "tiny.onnx",
        "rows": 60,
        "split": "the test split",
        "outputs": ["label", "probabilities"],
    }

    found = json.loads(invoke("provenance", "tiny.onnx", "--json").out)

    assert (found["folder"], found["changed"]) == ("runs/tiny", [])
    assert found["provenance"]["inputs"] == [
        {
            "name": "image",
            "dtype": "uint8",
            "shape": [4, 4],
            "kind": "pixels",
            "meaning": "pixels from 0 to 255, each a byte",
        }
    ]


def test_json_with_rounded_weights(finished, invoke, cwd):
    done = invoke("export", "runs/tiny", "--to", "tiny.c", "--quantize", "int8", "--json")

    found = json.loads(done.out)["rounding"]

    assert found.keys() == {"weights", "before", "after", "rows", "relabelled"}
    assert (found["weights"], found["rows"]) == (["Affine1.W", "Affine2.W"], 60)
    assert found["before"].keys() == found["after"].keys() == {"loss", "accuracy"}
    assert json.loads(invoke("provenance", "tiny.c", "--json").out)["provenance"]["quantized"] == "int8"


def test_a_refusal(finished, invoke, cwd, monkeypatch):
    require_package("onnxruntime")
    monkeypatch.setattr(Relu, "onnx", lambda self, graph: graph.op("Neg", graph.input))

    done = invoke("export", "runs/tiny", "--to", "tiny.onnx")

    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: tiny.onnx doesn't compute what the model does, and was not kept: row ")
    assert " of the test split, counted from 0, differs from Relu1 on: the file gives " in done.err
    assert not (cwd / "tiny.onnx").exists()
