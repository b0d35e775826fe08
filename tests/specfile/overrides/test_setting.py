"""Where overrides go. What is refused is in ``wrong_specs``."""

from __future__ import annotations

import pytest

from mlpkit.components.schema.context import Problem
from mlpkit.specfile.document import parse_document, read_document

SPEC = """\
vars: {hidden: 50}
seed: 0
data: {mnist: {validation: 5000}}
layers:
  - Affine: {units: $hidden, weights: {normal: {std: 0.01}}}
  - Relu
  - Affine: {units: 50, name: middle}
  - acme.Conv2d: {filters: 3}
  - Residual: {layers: [Relu, {Affine: {units: 3}}]}
training:
  optimizer: {sgd: {learning_rate: 0.1}}
  batch_size: 1000
  metrics: [accuracy]
"""


def layers(*overrides: str) -> list[object]:
    found: list[object] = parse_document(SPEC, overrides=overrides).values["layers"]
    return found


def optimizer(optimizer: str, *overrides: str) -> object:
    return parse_document(f"training: {{optimizer: {optimizer}}}", overrides=overrides).values["training"]["optimizer"]


def test_keys_of_sections():
    document = parse_document(SPEC, overrides=["seed=3", "training.batch_size=5", "training.clip=1", "name=x"])
    assert document.values["seed"] == 3
    assert document.values["name"] == "x"
    assert document.values["training"] == {
        "optimizer": {"sgd": {"learning_rate": 0.1}},
        "batch_size": 5,
        "metrics": ["accuracy"],
        "clip": 1,
    }


def test_sections_that_are_not_there_are_made():
    assert parse_document("seed: 0", overrides=["training.epochs=3"]).values == {"seed": 0, "training": {"epochs": 3}}
    assert parse_document("training:", overrides=["training.epochs=3"]).values == {"training": {"epochs": 3}}


def test_layers_by_name():
    found = layers("layers.Affine1.units=64", "layers.middle.units=65", "layers.Conv2d1.filters=4")
    assert found[0] == {"Affine": {"units": 64, "weights": {"normal": {"std": 0.01}}}}
    assert found[2] == {"Affine": {"units": 65, "name": "middle"}}
    assert found[3] == {"acme.Conv2d": {"filters": 4}}


def test_a_component_of_a_plugin_by_its_name():
    named = "{acme.adam: {learning_rate: 0.1}}"
    for key in ("learning_rate", "acme.adam.learning_rate"):
        assert optimizer(named, f"training.optimizer.{key}=0.2") == {"acme.adam": {"learning_rate": 0.2}}


def test_parameters_inside_parameters():
    assert layers("layers.Affine1.weights.std=0.5")[0] == {"Affine": {"units": 50, "weights": {"normal": {"std": 0.5}}}}
    assert layers("layers.middle.weights=zeros")[2] == {"Affine": {"units": 50, "name": "middle", "weights": "zeros"}}


def test_layers_inside_layers():
    found = layers("layers.Residual1.layers.Affine1.units=4", "layers.Residual1.layers.Relu1=Tanh")
    assert found[4] == {"Residual": {"layers": ["Tanh", {"Affine": {"units": 4}}]}}


def test_layers_inside_layers_without_the_name_of_their_list():
    found = layers("layers.Residual1.Affine1.units=4", "layers.Residual1.Relu1=Tanh", "layers.Residual1.scale=2")
    assert found[4] == {"Residual": {"layers": ["Tanh", {"Affine": {"units": 4}}], "scale": 2}}


@pytest.mark.parametrize(
    "text",
    [
        "layers: [{Outer: {layers: [Relu, {Inner: {layers: [Relu, {Affine: {units: 1, name: last}}]}}]}}]",
        "vars: {deep: [Relu, {Affine: {units: 1, name: last}}]}\n"
        "layers: [{Outer: {layers: [Relu, {Inner: {layers: $deep}}]}}]",
    ],
)
@pytest.mark.parametrize("key", ["Outer1.Inner1.last", "Outer1.layers.Inner1.last", "Outer1.Inner1.layers.last"])
def test_layers_at_any_depth(text, key):
    found = parse_document(text, overrides=[f"layers.{key}.units=2"]).values["layers"]
    assert found == [
        {"Outer": {"layers": ["Relu", {"Inner": {"layers": ["Relu", {"Affine": {"units": 2, "name": "last"}}]}}]}}
    ]


def test_a_parameter_comes_before_a_layer_of_its_name():
    text = "layers: [{Outer: {depth: 1, layers: [{Relu: {name: depth}}]}}]"
    found = parse_document(text, overrides=["layers.Outer1.depth=2"]).values["layers"]
    assert found == [{"Outer": {"depth": 2, "layers": [{"Relu": {"name": "depth"}}]}}]


def test_a_layer_that_two_lists_have_needs_the_name_of_its_list(faults_of):
    text = "layers: [{Fork: {left: [Relu], right: [Relu]}}]"
    assert parse_document(text, overrides=["layers.Fork1.right.Relu1=Tanh"]).values["layers"] == [
        {"Fork": {"left": ["Relu"], "right": ["Tanh"]}}
    ]
    (fault,) = faults_of(text, "s", ["layers.Fork1.Relu1=Tanh"], reader=parse_document)
    assert fault == "--set:1:14: layers.Fork1 has a layer 'Relu1' in left and in right"


def test_a_bare_name_gets_parameters():
    assert layers("layers.Relu1.slope=0.1")[1] == {"Relu": {"slope": 0.1}}
    assert optimizer("sgd", "training.optimizer.learning_rate=1") == {"sgd": {"learning_rate": 1}}
    assert optimizer("{sgd: }", "training.optimizer.learning_rate=1") == {"sgd": {"learning_rate": 1}}


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("training.optimizer.learning_rate=1", {"sgd": {"learning_rate": 1, "decay": {"step": {"step": 2}}}}),
        ("training.optimizer.sgd.learning_rate=1", {"sgd": {"learning_rate": 1, "decay": {"step": {"step": 2}}}}),
        ("training.optimizer.decay.step=3", {"sgd": {"decay": {"step": {"step": 3}}}}),
        ("training.optimizer.sgd.decay.step.step=3", {"sgd": {"decay": {"step": {"step": 3}}}}),
        ("training.optimizer.decay.gamma=3", {"sgd": {"decay": {"step": {"step": 2, "gamma": 3}}}}),
        ("training.optimizer.decay=3", {"sgd": {"decay": 3}}),
        ("training.optimizer=adam", "adam"),
        ("training.optimizer={adam: {beta: 1}}", {"adam": {"beta": 1}}),
        ("training.optimizer=sgd", "sgd"),
    ],
)
def test_components_go_without_their_name(override, expected):
    assert optimizer("{sgd: {decay: {step: {step: 2}}}}", override) == expected


def test_mappings_that_are_no_components_keep_their_keys():
    found = parse_document("sweep: {grid: {a: 1}}\nrequires: {acme: '1'}", overrides=["sweep.runs=3", "requires.b='2'"])
    assert found.values == {"sweep": {"grid": {"a": 1}, "runs": 3}, "requires": {"acme": "1", "b": "2"}}


def test_variables_are_set_before_they_are_put_in():
    assert layers("vars.hidden=100")[0] == {"Affine": {"units": 100, "weights": {"normal": {"std": 0.01}}}}
    assert parse_document("x: $new", overrides=["vars.new=[1]"]).values == {"x": [1]}


def test_what_a_variable_stands_for_can_be_changed_in_one_place():
    text = "vars: {best: {sgd: {rate: 1, note: $$}}}\nx: $best\ntraining: {optimizer: $best}"
    document = parse_document(text, overrides=["training.optimizer.rate=2"])
    assert document.values == {
        "x": {"sgd": {"rate": 1, "note": "$"}},
        "training": {"optimizer": {"sgd": {"rate": 2, "note": "$"}}},
    }
    assert document.variables == {"best": {"sgd": {"rate": 1, "note": "$"}}}


@pytest.mark.parametrize(
    "text",
    [
        "vars: {stack: [Relu, {Affine: {units: 1}}]}\nlayers: $stack",
        "vars: {layer: {Affine: {units: 1}}}\nlayers: [Relu, $layer]",
        "vars: {width: {units: 1}}\nlayers: [Relu, {Affine: $width}]",
        "vars: {v: $w, w: {Affine: {units: 1}}}\nlayers: [Relu, $v]",
    ],
)
def test_layers_that_variables_stand_for_have_names(text):
    assert parse_document(text, overrides=["layers.Affine1.units=2"]).values["layers"][1] == {"Affine": {"units": 2}}


def test_layers_that_variables_make_endless_are_named_as_they_are_written(faults_of):
    doubling = "".join(f"  v{index}: [$v{index + 1}, $v{index + 1}]\n" for index in range(15))
    text = f"vars:\n{doubling}  v15: 1\nlayers: [$v0, Affine]"
    faults = faults_of(text, "s", ["layers.Affine1.units=2", "layers.Affine2.units=2"], reader=parse_document)
    assert [fault.partition(": ")[2] for fault in faults] == [
        "with variables put in, the spec holds more than 10,000 values",
        "layers has no layer 'Affine2'",
    ]


def test_overrides_that_nest_too_deep_are_refused(faults_of):
    override = ".".join("x" * 15) + "=" + "[" * 10 + "]" * 10
    (fault,) = faults_of("seed: 0", "s", [override], reader=parse_document)
    assert fault == "--set:1:36: with variables put in, lists and mappings are nested more than 20 levels deep"


def test_a_later_override_wins():
    assert parse_document("seed: 0", overrides=["seed=1", "seed=2"]).values == {"seed": 2}


def test_layers_keep_their_names_until_all_overrides_are_set():
    text = "layers: [Relu, Relu, {Affine: {units: 1}}]"
    overrides = ["layers.Relu1=Tanh", "layers.Relu2=Elu", "layers.Affine1.name=a", "layers.Affine1.units=2"]
    found = parse_document(text, overrides=overrides).values["layers"]
    assert found == ["Tanh", "Elu", {"Affine": {"units": 2, "name": "a"}}]


def test_overrides_may_replace_what_later_ones_change():
    overrides = ["layers=[Tanh, {Affine: {}}]", "layers.Affine1.units=2", "training.optimizer=adam"]
    document = parse_document(SPEC, overrides=[*overrides, "training.optimizer.beta=1"])
    assert document.values["layers"] == ["Tanh", {"Affine": {"units": 2}}]
    assert document.values["training"]["optimizer"] == {"adam": {"beta": 1}}


def test_a_fault_in_an_override_points_into_its_text_and_tells_what_it_replaces(write):
    write(a=SPEC)
    document = read_document("a.yaml", ["training.batch_size=abc"])
    assert str(document.located(Problem(("training", "batch_size"), "'abc' is not an integer"))).splitlines() == [
        "--set:1:21: 'abc' is not an integer",
        "    1 | training.batch_size=abc",
        "      |                     ^^^",
        "  note: --set training.batch_size=abc replaces a.yaml:12:15",
    ]


def test_a_fault_at_a_key_that_an_override_made_points_at_it():
    document = parse_document(SPEC, overrides=["training.batch_sise=3"])
    fault = document.located(Problem(("training", "batch_sise"), "unknown key", at_key=True))
    assert str(fault).splitlines() == [
        "--set:1:10: unknown key",
        "    1 | training.batch_sise=3",
        "      |          ^^^^^^^^^^",
    ]


def test_a_fault_in_a_python_value_shows_what_was_given():
    document = parse_document(SPEC, "s", {"training.batch_size": "abc"})
    fault = document.located(Problem(("training", "batch_size"), "wrong"))
    assert (str(fault).splitlines()[:2], fault.notes) == (
        ["overrides:1:21: wrong", "    1 | training.batch_size=abc"],
        ("overrides training.batch_size=abc replaces s:12:15",),
    )


def test_a_variable_set_by_an_override_says_so():
    document = parse_document(SPEC, "s", ["vars.hidden=abc"])
    assert document.origin_notes(("layers", 0, "Affine", "units")) == (
        "$hidden is 'abc', set by --set vars.hidden=abc",
        "--set vars.hidden=abc replaces s:1:16",
    )


def test_a_parameter_missing_from_a_replaced_component_points_at_the_override():
    document = parse_document(SPEC, "s", ["training.optimizer=adam"])
    assert str(document.place(("training", "optimizer", "adam", "beta"))) == "--set:1:20"


@pytest.mark.parametrize(
    ("text", "override", "fault"),
    [
        ("layers: [Relu]", "layers.Relu2.x=1", "--set:1:8: layers has no layer 'Relu2'"),
        ("layers: Relu", "layers.Relu1.x=1", "--set:1:8: layers is 'Relu', not a mapping"),
        ("name: mnist", "name.x=1", "--set:1:6: name is 'mnist', not a mapping"),
        ("training: 3", "training.x=1", "--set:1:10: training is 3, not a mapping"),
        ("training: {clip: [1]}", "training.clip.x=1", "--set:1:15: training.clip is a list"),
        ("vars: [1]", "vars.x=1", "--set:1:6: vars is a list"),
        ("data: {csv: {path: ./a}}", "data.path.x=1", "--set:1:11: data.path is './a', not a mapping"),
        ("requires: {acme: any}", "requires.acme.x=1", "--set:1:15: requires.acme is 'any', not a mapping"),
    ],
)
def test_a_key_can_not_lead_through_what_has_no_keys(text, override, fault, faults_of):
    assert fault in faults_of(text, "s", [override], reader=parse_document)
