"""The resolved spec in a run folder, and in a model, is read again as what was run."""

from __future__ import annotations

import pytest
import yaml

import mlpkit
from mlpkit.errors import SpecSchemaError
from mlpkit.jobs.check import check
from mlpkit.specfile.spec import read_spec

PLUGIN = """
from mlpkit import Callback, component, hookimpl

class Note(Callback):
    '''Keeps a note.'''

    def __init__(self, text: str = "", label: str = LABEL, key: object = None):
        self.text = text

@hookimpl
def mlpkit_components():
    return [component("callback", "note", Note)]
"""


@pytest.fixture
def plugin(work):
    """Return a function that writes a plugin whose callback has a default of its own, and returns its file."""

    def write(label: str = "a") -> str:
        (work / "acme.py").write_text(PLUGIN.replace("LABEL", repr(label)), encoding="utf-8")
        return "acme.py"

    return write


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("my spec", "my_spec"),
        ("modèle", "modele"),
        ("spec (1)", "spec_1"),
        ("-a", "a"),
        ("a.b", "a.b"),
        ("$HOME", "HOME"),
    ],
)
def test_a_spec_is_called_as_its_file_as_far_as_a_folder_can_be(work, file, name):
    text = (work / "tiny.yaml").read_text("utf-8").replace("name: tiny\n", "")
    (work / f"{file}.yaml").write_text(text, encoding="utf-8")
    spec = mlpkit.load_spec(f"{file}.yaml", overrides={"training.epochs": 1})
    assert spec.name == name
    run = mlpkit.run(spec, "run")
    assert mlpkit.load_model(run.folder / "model.safetensors").parameters.keys() == run.network.parameters.keys()


def test_a_file_of_whose_name_nothing_is_left_asks_for_a_name(work):
    text = (work / "tiny.yaml").read_text("utf-8").replace("name: tiny\n", "")
    (work / "模型.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SpecSchemaError) as caught:
        mlpkit.load_spec("模型.yaml")
    assert str(caught.value).splitlines() == [
        "模型.yaml:1:1: '模型' can't name a run folder, and the spec has no other name",
        "    1 | mlpkit: 1",
        "      | ^",
        "  expected: letters, digits, '_', '-', '.'",
        "  help: give it one, such as name: my_network",
    ]
    assert mlpkit.load_spec("模型.yaml", overrides=["name=my_network"]).name == "my_network"


@pytest.mark.parametrize(
    "text", ["1e5", "0o17", "0x1F", "08", "-.0", "1_000", "no", "~", "$seed", "$$", "a: b # c", " x ", "a\n\nb", "ä"]
)
def test_a_text_stays_the_text_that_it_is(work, plugin, text):
    overrides = {"training.epochs": 1, "training.callbacks": [{"acme.note": {"text": text}}]}
    spec = mlpkit.load_spec("tiny.yaml", overrides=overrides, plugins=[plugin()])
    run = mlpkit.run(spec, "run")
    again = mlpkit.load_spec("run/resolved.yaml", plugins=["acme.py"])
    assert again.training.callbacks[0].arguments["text"] == text
    assert (
        mlpkit.load_model(run.folder / "model.safetensors", plugins=["acme.py"]).parameters.keys()
        == run.network.parameters.keys()
    )
    assert yaml.safe_load((work / "run/resolved.yaml").read_text("utf-8"))["training"]["callbacks"] == [
        {"acme.note": {"text": text.replace("$", "$$"), "label": "a", "key": None}}
    ]


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("\a", "the spec can't be read again: a string can't hold the character U+0007"),
        ({"k" * 1100: 1}, "with every default filled in, the spec can't be read again: "),
    ],
)
def test_a_default_that_can_not_be_read_again_is_refused_before_the_first_step(work, plugin, label, message):
    overrides = {"training.callbacks": ["acme.note"]}
    (work / "acme.py").write_text(PLUGIN.replace("label: str = LABEL", f"label: object = {label!r}"), encoding="utf-8")
    spec = mlpkit.load_spec("tiny.yaml", overrides=overrides, plugins=["acme.py"])
    with pytest.raises(SpecSchemaError) as caught:
        mlpkit.run(spec, "run")
    assert message in str(caught.value)
    assert not (work / "run").exists()
    with pytest.raises(SpecSchemaError):
        check(read_spec("tiny.yaml", overrides=overrides, plugins=["acme.py"]))
