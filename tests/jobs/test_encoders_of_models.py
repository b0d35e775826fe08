"""Models whose encoder was tampered with: refused when they are loaded, whatever it names."""

from __future__ import annotations

import subprocess
import sys

import pytest

import mlpkit
from mlpkit.runs.model_file import load_model_file, save_model

SPEC = """\
mlpkit: 1
data: {csv: {file: data.csv, target: t, categorical: [c], validation: 0, test: 0}}
layers: [{Affine: {units: 3}}, SoftmaxWithLoss]
training: {optimizer: sgd, batch_size: 4, iterations: 2}
"""
ROWS = "".join(f"{i},{i % 5},{'xy'[i % 2]},{'pqr'[i % 3]}\n" for i in range(30))
NONE = "the encoder of the table is .*, which no data set of this kind writes"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Return the file of a trained model."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "data.csv").write_text(f"a,b,c,t\n{ROWS}")
    (folder / "spec.yaml").write_text(SPEC)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        mlpkit.run(mlpkit.load_spec("spec.yaml"), directory=folder / "run")
    return folder / "run" / "model.safetensors"


@pytest.fixture
def tampered(model):
    """Return a function that changes the encoder of the model, until the test is over."""
    original = model.read_bytes()

    def change(**parts):
        found = load_model_file(model)
        encoder = found.metadata["encoder"] | parts
        save_model(model, dict(found.arrays), dict(found.metadata) | {"encoder": encoder})
        return model

    yield change
    model.write_bytes(original)


def test_the_encoder_as_it_was_written_is_taken(tampered):
    mlpkit.load_model(tampered())


CHANGES = {
    "too few classes": ({"classes": ["p", "q"]}, "the encoder names 2 classes; the network has 3; restore the file"),
    "too many classes": ({"classes": [*"pqrs"]}, "the encoder names 4 classes; the network has 3; restore the file"),
    "a great many classes": ({"classes": [f"{i}" for i in range(100_000)]}, "the encoder names 100,000 classes; the n"),
    "a class twice": ({"classes": ["p", "q", "p"]}, NONE),
    "an enormous class": ({"classes": ["p", "q", "r" * 200_000]}, NONE),
    "no classes": ({"classes": None}, "the encoder of the table doesn't fit a data set of classes"),
    "a class that is no text": ({"classes": ["p", "q", 3]}, NONE),
    "a category twice": ({"categories": [["c", ["x", "x"]]]}, NONE),
    "one category more": ({"categories": [["c", [*"xyz"]]]}, "the encoder names 5 inputs; the network has 4"),
    "one category less": ({"categories": [["c", ["x"]]]}, "the encoder names 3 inputs; the network has 4"),
    "names of features that fill the memory": (
        {"categories": [["c" * 100_000, [f"{i}" for i in range(90_000)]]]},
        NONE,
    ),
    "a column twice": ({"numbers": ["a", "a"]}, NONE),
    "a column of numbers and categories": ({"numbers": ["a", "c"]}, NONE),
    "too few means": ({"means": [0.5]}, NONE),
    "a number that no float can hold": ({"means": [0.5, 10**400]}, NONE),
    "a deviation of zero": ({"stds": [0.0, 1.0]}, NONE),
    "a negative deviation": ({"stds": [-1.0, 1.0]}, NONE),
    "text for a number": ({"fills": ["0", 1.0]}, NONE),
}


@pytest.mark.parametrize(("parts", "expected"), CHANGES.values(), ids=CHANGES)
def test_an_encoder_that_does_not_fit_is_refused(tampered, parts, expected):
    path = tampered(**parts)
    with pytest.raises(mlpkit.ModelFileError, match=expected) as caught:
        mlpkit.load_model(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("verb", [("evaluate", "run"), ("predict", "run", "data.csv")])
def test_a_verb_says_so(tampered, verb):
    folder = tampered(classes=["p", "q"]).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "mlpkit", *verb], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "model.safetensors: the encoder names 2 classes; the network has 3" in done.stderr


def test_labels_are_as_many_as_the_network_has_outputs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text("a,u,v\n" + "".join(f"{i},{i % 2},{i % 3 % 2}\n" for i in range(30)))
    spec = SPEC.replace("target: t, categorical: [c]", "target: [u, v], predict: labels").replace("3", "2")
    (tmp_path / "spec.yaml").write_text(spec.replace("SoftmaxWithLoss", "SigmoidWithLoss"))
    mlpkit.run(mlpkit.load_spec("spec.yaml"), directory=tmp_path / "run")
    path = tmp_path / "run" / "model.safetensors"
    mlpkit.load_model(path)
    found = load_model_file(path)
    text = found.metadata["spec"].replace("target: [u, v]", "target: [u, v, w]")
    save_model(path, dict(found.arrays), dict(found.metadata) | {"spec": text})
    with pytest.raises(mlpkit.ModelFileError, match="the encoder names 3 targets; the network has 2"):
        mlpkit.load_model(path)
