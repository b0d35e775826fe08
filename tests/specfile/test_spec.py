"""A checked spec: what it is called, what it shows of itself, its order when written, and how large it may be."""

from __future__ import annotations

import pytest

import mlpkit
from mlpkit.errors import Fix, SpecSchemaError, UsageError
from mlpkit.specfile.source import DEEPEST_NESTING, MOST_VALUES
from mlpkit.specfile.spec import _too_large, folder_name, parse_spec

SPEC = """\
mlpkit: 1  # <first>
name: x
seed: 7
data: mnist
layers: [Affine: {units: 10, name: wide}, Relu, SoftmaxWithLoss]
training: {optimizer: sgd, iterations: 10}
"""


def spec_with(text="", **replaced):
    spec = SPEC
    for old, new in replaced.items():
        spec = spec.replace(f"{old}: x", f"{old}: {new}")
    return parse_spec(f"{spec}{text}\n", name="s.yaml")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a.b-c_", "a.b-c_"),
        ("_a", "_a"),
        ("a b", "a_b"),
        ("a / b", "a_b"),
        ("..a..", "a"),
        ("-a-b-", "a-b"),
        ("_a b_", "a_b"),
        ("naïve café", "naive_cafe"),
        ("..", ""),
        ("", ""),
    ],
)
def test_a_folder_is_called_most_like_a_text(text, name):
    assert folder_name(text) == name


@pytest.mark.parametrize(("name", "remedy"), [("a b", "write name: a_b"), ("'...'", ""), ("'a/é'", "write name: a_e")])
def test_a_name_that_no_folder_can_have_is_answered_with_one_like_it(name, remedy):
    with pytest.raises(SpecSchemaError) as raised:
        spec_with(name=name)
    (fault,) = raised.value.faults
    assert (fault.line, fault.column, fault.remedy, fault.code) == (2, 7, remedy, "wrong-name")


def test_a_spec_shows_its_name_its_data_its_layers_and_its_text():
    spec = spec_with()
    assert repr(spec) == "<Spec x: wide, Relu1, SoftmaxWithLoss1 on mnist>"
    html = spec._repr_html_()
    assert html.startswith("<pre style=")
    assert html.endswith("</pre>")
    assert ">mlpkit: 1  # &lt;first&gt;\nname: x\n" in html


def test_only_the_whole_ensemble_is_calibrated_and_has_regions():
    whole = spec_with("ensemble: {folds: 4}\ncalibration: temperature\ncoverage: 0.9")
    assert (whole.calibration.name, whole.coverage, whole.folds, whole.member) == ("temperature", 0.9, 4, None)
    member = whole.with_member(0)
    assert (member.calibration, member.coverage, member.folds, member.member) == (None, None, 4, 0)
    assert (spec_with().folds, spec_with("ensemble: {members: 3}").folds) == (None, None)


@pytest.mark.parametrize(
    ("text", "seeds", "message"),
    [
        ("", [], "seeds: the list of seeds is empty"),
        ("", 1001, "seeds: 1001 isn't allowed here"),
        ("", (3, 4, 3), "seeds.2: the seed 3 is given twice"),
        ("", [3, -4], "seeds.1: -4 is out of range"),
        ("ensemble: {members: 3}", 2, "seeds: a spec trains either an ensemble or several seeds"),
    ],
)
def test_other_seeds_are_checked_as_a_spec_is(text, seeds, message):
    with pytest.raises(UsageError, match=f"^{message}"):
        spec_with(text).with_seeds(seeds)


def test_other_seeds_may_be_any_sequence_and_the_seed_itself_stays():
    spec = spec_with().with_seeds(range(9, 5, -2))
    assert (spec.seeds, spec.seed) == ((9, 7), 7)
    assert (spec.with_seed(5).seeds, spec.with_seeds(2).seeds) == ((5,), (7, 8))


def test_a_resolved_spec_has_one_order_whatever_its_own_is():
    keys = {
        "coverage": 0.9,
        "calibration": "temperature",
        "training": {"threads": 5, "slices": 4, "iterations": 3, "optimizer": "sgd"},
        "initialize_from": "runs/first",
        "layers": [{"Affine": {"units": 10}}, "SoftmaxWithLoss"],
        "data": "mnist",
        "requires": {"numpy": ">=1"},
        "dtype": "float32",
        "by": ["town"],
        "ensemble": {"folds": 2},
        "seed": 1,
        "about": {"description": "counts"},
        "mlpkit": 1,
        "seeds": None,
        "vars": {"unused": 1},
    }
    resolved = mlpkit.load_spec(keys).resolved(slices=2, threads=3)
    first = ["mlpkit", "name", "about", "seed", "ensemble", "by", "dtype", "requires", "data", "layers"]
    assert list(resolved) == [*first, "initialize_from", "training", "calibration", "coverage"]
    assert (resolved["name"], list(resolved["training"].items())[-2:]) == ("spec", [("slices", 2), ("threads", 3)])
    assert list(mlpkit.load_spec(keys | {"training": {**keys["training"], "threads": None}}).resolved()["training"])[
        -2:
    ] == ["slices", "reduce"]


def nested(depth):
    return [nested(depth - 1)] if depth else 0


def test_how_large_a_resolved_spec_may_be():
    room = MOST_VALUES - 4  # beside the spec itself, its two values, and the list in one of them
    layers = {"seed": 3, "layers": {"inside": [0] * room}}
    assert _too_large(layers) is None
    layers["layers"]["inside"] += (0,)
    problem = _too_large(layers)
    assert problem.path == ("layers",)
    assert problem.at_key
    assert problem.message == "with every default filled in, the spec holds more than 10,000 values"
    assert problem.remedy == "write fewer layers, or one that repeats others"


@pytest.mark.parametrize("key", ["data", "layers"])
def test_how_deep_a_resolved_spec_may_be(key):
    other = {"data": [1], "layers": {"a": "b"}}
    assert _too_large(other | {key: nested(DEEPEST_NESTING - 1)}) is None
    problem = _too_large(other | {key: nested(DEEPEST_NESTING)})
    assert (problem.path, problem.at_key) == ((key,), True)
    assert problem.message.startswith("with every default filled in, lists and mappings are nested more than 20 levels")


def test_a_hundred_problems_are_reported_and_no_more():
    for text, path in (
        ("extra: 1\n" + "".join(f"extra{i}: 1\n" for i in range(120)), "extra98"),
        (f"seeds: {[-1] * 120}", "seeds.99"),
        (f"seeds: {[-1] * 99}\nby: []", "seeds.98"),
    ):
        with pytest.raises(SpecSchemaError) as raised:
            spec_with(text)
        assert len(raised.value.faults) == 100
        assert path in [fault.path for fault in raised.value.faults]


@pytest.mark.parametrize(
    ("old", "new", "fixed"),
    [
        ("training:", "trainig:", True),
        ("training: {optimizer: sgd", "trainig: {optimizer: [1]", True),  # what is wrong inside speaks for the key
        ("dtype: float32", "dtyp: float3", True),
        ("name: x", "nane: y", True),
        ("name: x", "nane: [1]", False),
        ("name: x", "nane: 3", False),
    ],
)
def test_a_misspelt_key_is_corrected_if_its_value_is_one_of_the_key(old, new, fixed):
    with pytest.raises(SpecSchemaError) as raised:
        parse_spec(f"{SPEC}dtype: float32\n".replace(old, new), name="s.yaml")
    wrong, right = new.partition(":")[0], old.partition(":")[0]
    (fault,) = (fault for fault in raised.value.faults if fault.path == wrong)
    assert fault.fix == (Fix(wrong, right) if fixed else None)


def test_two_keys_that_may_be_meant_for_one_are_not_corrected():
    with pytest.raises(SpecSchemaError) as raised:
        parse_spec(SPEC.replace("name: x", "nane: y\nnamee: z"), name="s.yaml")
    assert [(fault.path, fault.remedy, fault.fix) for fault in raised.value.faults] == [
        ("nane", "did you mean 'name'?", None),
        ("namee", "did you mean 'name'?", None),
    ]
