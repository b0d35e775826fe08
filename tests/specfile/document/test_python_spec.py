"""Specs that are mappings in Python."""

from __future__ import annotations

import copy
import math
from pathlib import Path

import pytest
import yaml
from requirements import require_components_of

import mlpkit
from mlpkit.errors import SpecError
from mlpkit.jobs.check import check
from mlpkit.registry.registry import Registry
from mlpkit.specfile.nodes import plain
from mlpkit.specfile.python_spec import reference_of
from mlpkit.specfile.source import DiagnosticList, SourceText
from mlpkit.specfile.spec import read_spec
from mlpkit.specfile.strict_yaml import parse_yaml
from mlpkit_plugins.initializers.normal import Normal
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.layers.repeat import Repeat
from mlpkit_plugins.layers.residual import Residual
from mlpkit_plugins.layers.sequence import Sequence

ROOT = Path(__file__).parents[3]
WRONG = ROOT / "tests/specfile/wrong_specs"
SHIPPED = sorted(path.name for path in (ROOT / "specs").glob("*.yaml"))
SPEC = {
    "mlpkit": 1,
    "data": "mnist",
    "layers": [{"Affine": {"units": 50}}, "Relu", {"Affine": {"units": 10}}, "SoftmaxWithLoss"],
    "training": {"optimizer": {"sgd": {"learning_rate": 0.1}}, "iterations": 10},
}


def changed(**keys):
    return copy.deepcopy(SPEC) | keys


def message_of(spec, **options):
    with pytest.raises(SpecError) as caught:
        mlpkit.load_spec(spec, **options)
    return str(caught.value)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_mapping_means_what_the_file_means(name, monkeypatch):
    monkeypatch.chdir(ROOT / "specs")
    require_components_of(Path(name).read_text("utf-8"))
    from_file = mlpkit.load_spec(name)
    mapping = {"name": Path(name).stem} | yaml.safe_load(Path(name).read_text("utf-8"))
    assert mlpkit.load_spec(mapping).resolved() == from_file.resolved()


def _told(spec):
    with pytest.raises(SpecError) as caught:
        check(read_spec(spec))
    return sorted((fault.message, fault.expected, fault.remedy) for fault in caught.value.faults)


def _plain_cases():
    for path in sorted(WRONG.glob("*.yaml")):
        try:
            mapping = yaml.safe_load(path.read_text("utf-8"))
            mlpkit.load_spec(path)
        except mlpkit.errors.SpecSchemaError:
            if isinstance(mapping, dict) and "extends" not in mapping and not path.with_suffix(".set").exists():
                yield path.stem, mapping
        except (yaml.YAMLError, UnicodeDecodeError, SpecError, ValueError):
            continue


def test_a_wrong_mapping_is_told_what_a_wrong_file_is(monkeypatch):
    monkeypatch.chdir(WRONG)
    compared = 0
    for case, mapping in _plain_cases():
        if _reads_the_same(case, mapping):  # PyYAML reads YAML 1.1
            compared += 1
            assert _told(mapping) == _told(f"{case}.yaml"), case
    assert compared > 50


def _reads_the_same(case, mapping):
    faults = DiagnosticList()
    text = SourceText(case, Path(f"{case}.yaml").read_text("utf-8"))
    return repr(plain(parse_yaml(text, faults))) == repr(mapping)


def test_an_error_names_the_key_and_says_what_it_says_of_a_file():
    spec = changed(training={"optimizer": {"sgd": {"learning_rate": -1}}, "epoch": 3})
    assert message_of(spec) == (
        "training.epoch: unknown key 'epoch' of training\n"
        "  help: did you mean 'epochs'?\n\n"
        "training.optimizer.sgd.learning_rate: -1 is out of range\n"
        "  expected: a number, at least 0"
    )


def test_an_item_of_a_list_goes_by_its_number():
    spec = changed(layers=["Relu", {"Affine": {"unit": 10}}, "SoftmaxWithLoss"])
    assert message_of(spec) == (
        "layers[1].Affine.unit: unknown parameter 'unit' of layer Affine\n  help: did you mean 'units'?"
    )


def test_a_layer_that_does_not_fit_and_what_feeds_it_go_by_their_keys():
    spec = mlpkit.load_spec(changed(layers=[{"Affine": {"units": 12}}, {"Reshape": {"shape": [5]}}, "SoftmaxWithLoss"]))
    with pytest.raises(SpecError) as caught:
        mlpkit.build(spec)
    assert str(caught.value).startswith("layers[1].Reshape: Reshape1 can't give inputs of shape (12,) the shape (5,)")
    assert "come from Affine1 at layers[0]" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (math.nan, "seed: nan is not finite"),
        (object(), "seed: a value of type object can't be part of a spec"),
        ({1: 2}, "seed: the key 1 is not a string"),
        ("\a", "seed: a string can't hold the character U+0007"),
    ],
)
def test_what_no_spec_can_hold_is_named_by_its_key(value, said):
    assert message_of(changed(seed=value)) == said


def test_a_mapping_that_holds_itself_is_refused():
    spec = changed()
    spec["training"]["clip"] = spec
    assert "lists and mappings are nested more than 20 levels deep" in message_of(spec)


def test_the_root_is_called_the_spec():
    assert message_of({}).startswith("spec: missing key 'mlpkit' of the spec")


def test_variables_and_dollars_mean_what_they_do_in_a_file():
    spec = mlpkit.load_spec(changed(vars={"steps": 7}, training=SPEC["training"] | {"iterations": "$steps"}))
    assert spec.training.iterations == 7


def test_its_text_is_read_again_as_the_same_spec(tmp_path):
    spec = mlpkit.load_spec(changed(vars={"steps": 7}, training=SPEC["training"] | {"iterations": "$steps"}))
    (tmp_path / "spec.yaml").write_text(spec.document.text, "utf-8")
    assert mlpkit.load_spec(tmp_path / "spec.yaml").resolved() == spec.resolved()


def test_it_extends_a_file_relative_to_the_working_directory(tmp_path, monkeypatch):
    (tmp_path / "base.yaml").write_text(yaml.safe_dump(SPEC), "utf-8")
    monkeypatch.chdir(tmp_path)
    spec = mlpkit.load_spec({"extends": "base.yaml", "training": {"iterations": 3}})
    assert spec.training.iterations == 3
    assert message_of({"extends": "bases.yaml"}).startswith("extends: there is no file 'bases.yaml'")


def test_overrides_are_set_in_it():
    assert mlpkit.load_spec(SPEC, overrides={"layers.Affine1.units": 7}).layers[0].recipe.arguments["units"] == 7


def test_the_mapping_stays_as_it_is():
    spec = changed()
    mlpkit.load_spec(spec, overrides={"seed": 3, "layers.Affine1.units": 7})
    assert spec == SPEC


def test_layers_built_in_python_are_described_by_how_they_were_built():
    layers = [Residual([Affine(784, weights=Normal(0.01)), Relu()]), Affine(10, bias=False), "SoftmaxWithLoss"]
    built = mlpkit.load_spec(changed(layers=layers))
    normal = {"Affine": {"units": 784, "weights": {"normal": {"std": 0.01}}}}
    named = changed(layers=[{"Residual": {"layers": [normal, "Relu"]}}, {"Affine": {"units": 10, "bias": False}}])
    named["layers"].append("SoftmaxWithLoss")
    assert built.resolved() == mlpkit.load_spec(named).resolved()


def test_a_class_that_no_plugin_provides_is_refused_by_its_key():
    class Mine(Relu):
        """A layer of a notebook."""

    told = message_of(changed(layers=[Mine(), "SoftmaxWithLoss"]))
    assert told.startswith("layers[0]: no plugin provides the class ")
    assert "help: put it into a file with a function mlpkit_components, and pass plugins=['FILE.py']" in told


def test_a_component_from_a_plugin_file_goes_by_its_namespace(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from mlpkit import Layer, component, hookimpl\n\n\n"
        "class Same(Layer):\n    def forward(self, x):\n        return x\n\n    def backward(self, dy):\n"
        "        return dy\n\n\n@hookimpl\ndef mlpkit_components():\n    return [component('layer', 'Same', Same)]\n",
        "utf-8",
    )
    registry = Registry.discover(plugins=[file])
    same = registry.find(("layer",), "mine.Same").component()
    assert reference_of(same, registry) == "mine.Same"


def test_parameters_in_lists_and_mappings_are_described_too(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from mlpkit import Initializer, Layer, Recipe, component, hookimpl\n\n\n"
        "class Many(Layer):\n    def __init__(self, first: dict[str, Initializer], second: list[Initializer],\n"
        "                 inner: Recipe[Layer], third: tuple[int, int] = (1, 2), fourth: int | None = 3) -> None:\n"
        "        pass\n\n    def forward(self, x):\n        return x\n\n    backward = forward\n\n\n"
        "@hookimpl\ndef mlpkit_components():\n    return [component('layer', 'Many', Many)]\n",
        "utf-8",
    )
    registry = Registry.discover(plugins=[file])
    inner = mlpkit.load_spec(SPEC).layers[0].recipe
    many = registry.find(("layer",), "mine.Many").component(
        {"a": Normal(0.5)}, [Normal(), Normal(2.0)], inner, third=(1, 4), fourth=None
    )
    assert reference_of(many, registry) == {
        "mine.Many": {
            "first": {"a": {"normal": {"std": 0.5}}},
            "second": ["normal", {"normal": {"std": 2.0}}],
            "inner": inner.reference(),
            "third": [1, 4],
            "fourth": None,
        }
    }


def test_a_function_among_the_parameters_is_refused():
    told = message_of(changed(layers=[Sequence([Repeat(2, lambda: Affine(10))]), "SoftmaxWithLoss"]))
    assert told == (
        "layers[0]: Repeat.layer is a function, which a spec can't hold\n  help: give its name, or a mapping"
    )
