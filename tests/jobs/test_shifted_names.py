"""Numbered names of layers that mean another layer than in the spec that they were written for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit.components.schema.component_types import default_names
from mlpkit.errors import SpecShapeError
from mlpkit.jobs.prove import prove
from mlpkit.specfile.spec import read_spec

BASE = """\
mlpkit: 1
data: mnist
layers:
  - Affine: {units: 50}
  - Relu
  - Affine: {units: 10}
  - SoftmaxWithLoss
training: {optimizer: {sgd: {weight_decay: 0.1}}, batch_size: 100, epochs: 1}
"""
LONGER = "[Affine: {units: 80}, Relu, Affine: {units: 50}, Relu, Affine: {units: 10}, SoftmaxWithLoss]"
DEEP = BASE.replace("layers:\n", "layers:\n  - Affine: {units: 80}\n  - Relu\n")


@pytest.fixture
def proved(tmp_path, monkeypatch):
    """Return a function that proves the last of some specs, each of which extends the one before."""
    monkeypatch.chdir(tmp_path)

    def proof(*specs, overrides=(), base=BASE):
        for before, name, text in zip(" abc", "abcd", (base, *specs), strict=False):
            extends = f"extends: {before}.yaml\n" if before != " " else ""
            (tmp_path / f"{name}.yaml").write_text(extends + text, encoding="utf-8")
        return prove(read_spec(f"{'abcd'[len(specs)]}.yaml", overrides=overrides))

    return proof


@pytest.fixture
def shifted(proved):
    """Return a function that gives the faults of such a spec, all of which are of shifted names."""

    def faults(*specs, **options):
        with pytest.raises(SpecShapeError) as caught:
            proved(*specs, **options)
        assert {each.code for each in caught.value.faults} == {"shifted-name"}
        return [f"{each.file}:{each.line}:{each.column}: {each.message}" for each in caught.value.faults]

    return faults


@pytest.mark.parametrize("key", ["rates", "decays", "max_weight_norm"])
def test_a_name_that_moved_names_both_layers(shifted, key):
    assert shifted(f"training: {{{key}: {{Affine2.W: 0.5}}}}\n", f"layers: {LONGER}\n") == [
        f"b.yaml:2:{15 + len(key)}: 'Affine2.W' was written for the layer at a.yaml:6:5, which is now called Affine3; "
        "Affine2 is now the layer at c.yaml:2:37"
    ]


def test_names_in_lists_and_lists_from_overrides(shifted):
    found = shifted("training: {freeze: [Affine1, Relu1]}\n", overrides=[f"layers={LONGER}"])
    assert [message.split(";")[0] for message in found] == [
        "b.yaml:2:21: 'Affine1' was written for the layer at a.yaml:4:5, which is now called Affine2",
        "b.yaml:2:30: 'Relu1' was written for the layer at a.yaml:5:5, which is now called Relu2",
    ]


@pytest.mark.parametrize(
    ("changes", "overrides", "what"),
    [
        ("layers: {Affine1: null}\n", [], "which is now called Affine1; Affine2 is now the layer at a.yaml:8:5"),
        ("layers: {Affine2: null}\n", [], "which is gone; Affine2 is now the layer at a.yaml:8:5"),
        ("layers: {Affine2: {Maxout: {units: 50}}}\n", [], "which is gone; Affine2 is now the layer at a.yaml:8:5"),
        (
            "layers: {Affine1: {Maxout: {units: 50}}}\n",
            [],
            "which is now called Affine1; Affine2 is now the layer at a.yaml:8:5",
        ),
        ("", ["layers.Affine1=null"], "which is now called Affine1; Affine2 is now the layer at a.yaml:8:5"),
        (
            "",
            {"layers.Affine1": {"Maxout": {"units": 50}}},
            "which is now called Affine1; Affine2 is now the layer at a.yaml:8:5",
        ),
    ],
)
def test_layers_that_are_removed_or_replaced_by_name(shifted, changes, overrides, what):
    base = DEEP.replace("epochs: 1", "epochs: 1, freeze: [Affine2]")
    (found,) = shifted(changes, overrides=overrides, base=base)
    assert found == f"a.yaml:10:88: 'Affine2' was written for the layer at a.yaml:6:5, {what}"


@settings(max_examples=10, deadline=None)
@given(st.lists(st.sampled_from(["Sigmoid", "Tanh"]), min_size=1, max_size=6), st.data())
def test_a_name_is_right_if_and_only_if_it_keeps_its_layer(tmp_path_factory, types, data):
    names = default_names(types)
    meant = data.draw(st.integers(0, len(types) - 1))
    removed = data.draw(st.sets(st.integers(0, len(types) - 1)))
    kept = [i for i in range(len(types)) if i not in removed]
    now = dict(zip(default_names(types[i] for i in kept), kept, strict=True))
    folder = tmp_path_factory.mktemp("specs")
    layers = "".join(f"  - {each}\n" for each in types)
    base = BASE.replace("layers:\n", f"layers:\n{layers}").replace("epochs", f"freeze: [{names[meant]}], epochs")
    (folder / "a.yaml").write_text(base)
    (folder / "b.yaml").write_text(f"extends: a.yaml\nlayers: {{{', '.join(f'{names[i]}: null' for i in removed)}}}\n")
    found = now.get(names[meant])
    codes = []
    try:
        prove(read_spec(folder / "b.yaml"))
    except SpecShapeError as error:
        codes = [fault.code for fault in error.faults]
    assert codes == ([] if found == meant else ["unknown-layer" if found is None else "shifted-name"])


def test_a_new_list_without_the_layer(shifted):
    (found,) = shifted(
        "layers: [Affine: {units: 10}, SoftmaxWithLoss]\n", base=BASE.replace("epochs", "rates: {Affine1.W: 2}, epochs")
    )
    assert found.endswith("which is gone; Affine1 is now the layer at b.yaml:2:10")


def test_another_layer_in_the_place_of_the_one_before_goes_by_its_name(proved):
    other = "layers: [Affine: {units: 60}, Relu, Affine: {units: 10}, SoftmaxWithLoss]\n"
    assert (
        proved(other, base=BASE.replace("epochs", "rates: {Affine1.W: 0.5}, epochs")).factors["Affine1.W"].rate == 0.5
    )


def test_a_name_among_hundreds_of_equal_layers_keeps_its_meaning_too(shifted):
    many = ", ".join(["Affine: {units: 10}"] * 200)
    base = BASE.replace(BASE[BASE.index("layers") : BASE.index("training")], f"layers: [{many}, SoftmaxWithLoss]\n")
    (found,) = shifted(
        f"layers: [Affine: {{units: 9}}, {many}, Tanh, SoftmaxWithLoss]\n",
        base=base.replace("epochs", "freeze: [Affine1], epochs"),
    )
    assert found.endswith("which is now called Affine2; Affine1 is now the layer at b.yaml:2:10")


def test_layers_inside_layers(shifted, proved):
    inside = "  - Residual: {layers: [{Affine: {units: 784}}, Tanh, {Affine: {units: 784}}, {Affine: {units: 784}}]}\n"
    base = BASE.replace("layers:\n", f"layers:\n{inside}").replace(
        "epochs", "rates: {Residual1.Affine2.*: 0.5}, epochs"
    )
    (found,) = shifted("layers: {Residual1: {Affine1: null}}\n", base=base)
    assert found.endswith("which is now called Affine1; Affine2 is now the layer at a.yaml:4:79")
    proved("layers: {Residual1: {Affine3: null}}\n", base=base)


@pytest.mark.parametrize(
    "training",
    [
        "rates: {'*.W': 0.5}",  # a pattern for all
        "rates: {Affine2.*: 0.5}",  # the next list leaves the second where it was
    ],
)
def test_what_means_the_same_is_right(proved, training):
    same = "layers: [Affine: {units: 50}, Relu, Affine: {units: 10}, Affine: {units: 10}, SoftmaxWithLoss]\n"
    assert proved(same, base=BASE.replace("epochs", f"{training}, epochs")).warnings == ()


def test_changes_that_keep_the_names_are_right(proved):
    base = BASE.replace("epochs", "freeze: [Affine1], rates: {Affine2.W: 0.5}, epochs")
    assert proved("layers: {Affine1: {units: 7}, Relu1: null}\n", base=base).warnings == ()
    assert proved("layers: {Affine1: {Affine: {units: 7}}, Relu1: Tanh}\n", base=base).warnings == ()
    assert proved("", overrides=["layers.Affine1.units=7", "layers.Relu1=null"], base=base).warnings == ()


def test_a_name_beside_the_new_list_means_that_list(proved):
    assert proved(f"layers: {LONGER}\ntraining: {{rates: {{Affine2.W: 0.5}}}}\n").warnings == ()
    both = [f"layers={LONGER}", "training.freeze=[Affine1]"]
    assert proved(overrides=both).warnings == ()


def test_names_in_overrides_are_those_before_the_first(shifted, proved):
    both = ["layers.Affine1=null", "training.freeze=[Affine2]"]
    assert shifted(overrides=both, base=DEEP) == [
        "--set:1:18: 'Affine2' was written for the layer at a.yaml:6:5, which is now called Affine1; Affine2 is now "
        "the layer at a.yaml:8:5"
    ]
    named = ["layers.Affine1=null", "layers.Affine2.name=second", "training.freeze=[second]"]
    assert proved(overrides=named, base=DEEP).frozen == ["second"]


def test_the_advice_works(proved):
    base = BASE.replace("epochs", "rates: {Affine2.W: 0.5}, epochs")
    again = proved(f"layers: {LONGER}\ntraining: {{rates: {{Affine2.W: 0.5}}}}\n", base=base)
    assert again.factors["Affine2.W"].rate == 0.5
    named = base.replace("units: 10", "units: 10, name: out").replace("Affine2.W", "out.W")
    longer = LONGER.replace("units: 10", "units: 10, name: out")
    assert proved(f"layers: {longer}\n", base=named).factors["out.W"].rate == 0.5
