"""``layers`` as a mapping by name, over the list of the spec that is extended."""

from __future__ import annotations

import pytest

from mlpkit.errors import Fix, SpecSyntaxError
from mlpkit.specfile.document import read_document

BASE = """\
vars: {hidden: 50, act: Relu, wide: {units: 7}}
layers:
  - Affine: {units: $hidden, weights: {normal: {std: 0.1}}}
  - Relu
  - Dropout: {rate: 0.5}
  - Affine: $wide
  - $act
  - Residual: {layers: [Relu, {Affine: {units: 3}}, {Affine: {units: 4, name: last}}]}
  - Parallel: {branches: [[Relu], [Affine: {units: 2}]]}
  - Affine: {units: 10, name: out}
"""


@pytest.fixture
def changed(write):
    """Return a function that gives the layers of a spec with these changes."""

    def layers(changes: str, *overrides: str) -> list[object]:
        write(a=f"extends: b.yaml\nlayers: {changes}\n", b=BASE)
        found: list[object] = read_document("a.yaml", overrides).values["layers"]
        return found

    return layers


@pytest.fixture
def written(write):
    write(b=BASE)
    found: list[object] = read_document("b.yaml").values["layers"]
    return found


@pytest.mark.parametrize(
    ("changes", "place", "layer"),
    [
        ("{Affine1: {units: 5}}", 0, {"Affine": {"units": 5, "weights": {"normal": {"std": 0.1}}}}),
        (
            "{Affine1: {weights: {normal: {mean: 1}}}}",
            0,
            {"Affine": {"units": 50, "weights": {"normal": {"std": 0.1, "mean": 1}}}},
        ),
        ("{Affine1: {weights: zeros}}", 0, {"Affine": {"units": 50, "weights": "zeros"}}),
        ("{Affine1: {Affine: {units: 5}}}", 0, {"Affine": {"units": 5, "weights": {"normal": {"std": 0.1}}}}),
        ("{Affine1: Affine}", 0, {"Affine": {"units": 50, "weights": {"normal": {"std": 0.1}}}}),
        ("{Affine1: {Maxout: {units: 5}}}", 0, {"Maxout": {"units": 5}}),
        ("{Relu1: Tanh}", 1, "Tanh"),
        ("{Relu1: {acme.Swish: }}", 1, {"acme.Swish": None}),
        ("{Relu1: {slope: 1}}", 1, {"Relu": {"slope": 1}}),
        ("{Affine2: {bias: false}}", 3, {"Affine": {"units": 7, "bias": False}}),
        ("{Relu2: Tanh}", 4, "Tanh"),
        ("{out: {units: 3}}", 7, {"Affine": {"units": 3, "name": "out"}}),
        (
            "{Residual1: {scale: 2}}",
            5,
            {
                "Residual": {
                    "layers": ["Relu", {"Affine": {"units": 3}}, {"Affine": {"units": 4, "name": "last"}}],
                    "scale": 2,
                }
            },
        ),
        (
            "{Residual1: {Affine1: null, last: {units: 5}}}",
            5,
            {"Residual": {"layers": ["Relu", {"Affine": {"units": 5, "name": "last"}}]}},
        ),
        (
            "{Residual1: {layers: {Relu1: Tanh, last: }}}",
            5,
            {"Residual": {"layers": ["Tanh", {"Affine": {"units": 3}}]}},
        ),
        ("{Residual1: {layers: [Tanh]}}", 5, {"Residual": {"layers": ["Tanh"]}}),
        ("{Residual1: {Repeat: {times: 2}}}", 5, {"Repeat": {"times": 2}}),
        (
            "{Parallel1: {'1': {Affine1: {units: 9}}}}",
            6,
            {"Parallel": {"branches": [["Relu"], [{"Affine": {"units": 9}}]]}},
        ),
    ],
)
def test_a_layer_changes_and_the_others_stay(changed, written, changes, place, layer):
    assert changed(changes) == [*written[:place], layer, *written[place + 1 :]]


def test_layers_go_by_the_names_in_the_base_while_others_are_removed(changed, written):
    found = changed("{Affine1: null, Relu1: null, Affine2: {units: 5}, Relu2: Tanh}")
    assert found == [written[2], {"Affine": {"units": 5}}, "Tanh", *written[5:]]


def test_no_change_and_variables(changed, written, write):
    assert changed("{}") == written
    assert changed("{Affine1: {units: $hidden}}\nvars: {hidden: 3}")[0]["Affine"]["units"] == 3
    assert changed("$mine\nvars: {mine: {Dropout1: null}}") == [*written[:2], *written[3:]]
    write(a="extends: b.yaml\nlayers: {Relu1: null}\n", b="vars: {all: [Relu, Tanh]}\nlayers: $all\n")
    assert read_document("a.yaml").values == {"layers": ["Tanh"]}
    write(b=f"{BASE}training: {{x: $act}}\n", a="extends: b.yaml\nlayers: {Relu2: {slope: 1}}\n")
    assert read_document("a.yaml").values["training"] == {"x": "Relu"}  # the variable itself keeps its value


@pytest.mark.parametrize(("change", "layer"), [("Tanh", "Tanh"), ("{Elu: {alpha: 2}}", {"Elu": {"alpha": 2}})])
def test_a_value_that_is_not_a_mapping_replaces_the_layer(write, change, layer):
    write(a=f"extends: b.yaml\nlayers: {{Affine2: {change}}}\n", b="layers: [Affine, {Affine: 7}, Relu]\n")
    assert read_document("a.yaml").values["layers"] == ["Affine", layer, "Relu"]


def test_each_spec_of_a_chain_changes_the_one_before_it(write, written):
    write(
        a="extends: c.yaml\nlayers: {Affine1: {units: 5}}\n",
        c="extends: b.yaml\nlayers: {Affine1: null}\n",
        d="extends: a.yaml\nlayers: [Tanh]\n",
    )
    assert read_document("a.yaml").values["layers"] == [*written[1:3], {"Affine": {"units": 5}}, *written[4:]]
    assert read_document("d.yaml").values["layers"] == ["Tanh"]


def test_overrides_remove_layers_too(changed, written):
    assert changed(
        "{Affine1: {units: 5}}", "layers.Dropout1=null", "layers.Residual1.Relu1=null", "layers.out.units=3"
    ) == [
        {"Affine": {"units": 5, "weights": {"normal": {"std": 0.1}}}},
        *(written[1], *written[3:5]),
        {"Residual": {"layers": [{"Affine": {"units": 3}}, {"Affine": {"units": 4, "name": "last"}}]}},
        written[6],
        {"Affine": {"units": 3, "name": "out"}},
    ]


@pytest.mark.parametrize(
    ("changes", "fault", "remedy"),
    [
        ("{Afine1: {units: 5}}", "a.yaml:2:10: layers has no layer 'Afine1'", "did you mean 'Affine1'?"),
        ("{Conv2d1: null}", "a.yaml:2:10: layers has no layer 'Conv2d1'", ""),
        ("{Residual1: {layers: {Tanh1: null}}}", "a.yaml:2:31: layers.Residual1.layers has no layer 'Tanh1'", ""),
    ],
)
def test_an_unknown_layer(write, changes, fault, remedy):
    write(a=f"extends: b.yaml\nlayers: {changes}\n", b=BASE)
    with pytest.raises(SpecSyntaxError) as caught:
        read_document("a.yaml")
    (found,) = caught.value.faults
    assert (f"{found.file}:{found.line}:{found.column}: {found.message}", found.remedy) == (fault, remedy)
    assert found.code == "unknown-layer"
    assert found.fix == (Fix("Afine1", "Affine1") if "Affine1" in remedy else None)
    assert found.remedy or found.expected.startswith("one of ")
