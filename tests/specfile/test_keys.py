"""The dotted keys of a spec."""

from __future__ import annotations

from pathlib import Path

import pytest
from requirements import require_components_of

from mlpkit.errors import SpecSchemaError
from mlpkit.specfile.keys import keys_below, keys_meant, suggestion
from mlpkit.specfile.spec import read_spec

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_each_key_can_be_set_to_the_value_it_has(path):
    require_components_of(path.read_text("utf-8"))
    spec = read_spec(path)
    said = {
        key: value
        for key, value in keys_below(spec.top_level)
        if isinstance(value, int | float | str) and not key.startswith("training.checkpoint.")  # by default as a whole
    }
    assert {"data", "layers", "training"} <= {key.partition(".")[0] for key in said}
    assert read_spec(path, overrides=said).resolved() == spec.resolved()


MNIST = next(path for path in SPECS if path.stem == "mnist_3layer")


@pytest.mark.parametrize(
    ("override", "remedy"),
    [
        ("epochs=3", "did you mean 'training.epochs'?"),
        ("learning_rate=3", "did you mean 'training.optimizer.sgd.learning_rate'?"),
        ("lr=3", "did you mean 'training.optimizer.sgd.learning_rate'?"),
        ("training.learning_rate=3", "did you mean 'training.optimizer.sgd.learning_rate'?"),
        ("sgd.learning_rate=3", "did you mean 'training.optimizer.sgd'?"),
        ("validation=100", "did you mean 'data.mnist.validation'?"),
        ("Affine1.units=5", "did you mean 'layers.Affine1'?"),
        ("units=5", "did you mean 'layers.Affine1.units', 'layers.Affine2.units' or 'layers.Affine3.units'?"),
        ("accuracy=1", ""),
        ("nonsense=1", ""),
        ("training.clip={}", ""),
    ],
)
def test_a_key_without_its_first_parts_is_answered_with_the_whole_key(override, remedy):
    with pytest.raises(SpecSchemaError) as caught:
        read_spec(MNIST, overrides=[override])
    (fault,) = caught.value.faults
    assert fault.remedy == remedy
    assert bool(fault.expected) != bool(remedy)


def test_the_advice_works_if_followed():
    for wrong in ("learning_rate", "epochs", "std", "seed"):
        keys = [key for key, _ in keys_below(read_spec(MNIST).top_level)]
        for key in keys_meant(wrong, keys):
            assert read_spec(
                MNIST, overrides=[f"{key}=1", *(["training.iterations=null"] if wrong == "epochs" else [])]
            )


def test_of_several_wrong_keys_each_has_its_advice():
    with pytest.raises(SpecSchemaError) as caught:
        read_spec(MNIST, overrides=["learning_rate=3", "momentum=0.9"])
    assert [fault.remedy for fault in caught.value.faults] == [
        "did you mean 'training.optimizer.sgd.learning_rate'?",
        "did you mean 'training.optimizer.sgd.momentum'?",
    ]


def test_keys_go_through_sections_layers_and_lists_of_layers():
    spec = read_spec(
        {
            "mlpkit": 1,
            "data": "mnist",
            "layers": [
                {"Residual": {"layers": ["Relu", {"Elu": {"name": "inner"}}]}},
                {"Parallel": {"branches": [["Relu"], [{"Elu": {"alpha": 2.0}}]]}},
                "SoftmaxWithLoss",
            ],
            "training": {
                "optimizer": {"sgd": {"learning_rate": {"step": {"first": 0.1, "every": 3}}}},
                "epochs": 1,
                "metrics": ["accuracy"],
                "clip": {"norm": 2},
                "rates": {"*.b": 2, "last": 3},
            },
        }
    )
    keys = dict(keys_below(spec.top_level))
    names = list(keys)
    assert [key for key in names if key.startswith("layers.")] == [
        "layers.Residual1",
        "layers.Residual1.layers",
        "layers.Residual1.layers.Relu1",
        "layers.Residual1.layers.inner",
        "layers.Residual1.layers.inner.alpha",
        "layers.Parallel1",
        "layers.Parallel1.branches",
        "layers.Parallel1.branches.0",
        "layers.Parallel1.branches.0.Relu1",
        "layers.Parallel1.branches.1",
        "layers.Parallel1.branches.1.Elu1",
        "layers.Parallel1.branches.1.Elu1.alpha",
        *(key for key in names if key.startswith("layers.Parallel1.") and not key.startswith("layers.Parallel1.b")),
        *(key for key in names if key.startswith("layers.SoftmaxWithLoss1")),
    ]
    assert keys["layers.Parallel1.branches.1.Elu1.alpha"] == 2
    assert keys["training.optimizer.sgd.learning_rate.step.every"] == 3
    assert [key for key in names if key.startswith(("training.rates", "training.metrics", "training.clip"))] == [
        "training.metrics",
        "training.clip",
        "training.clip.norm",
        "training.clip.value",
        "training.rates",
        "training.rates.last",
    ]
    assert names.index("training") + 1 == names.index("training.optimizer")


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        ("c", ["a.c", "a.b.c"]),
        ("b", ["a.b"]),
        ("b.c", ["a.b.c"]),
        ("d.size", ["x.d.size"]),
        ("seize", ["x.d.size", "y.size"]),
        ("a", []),
        ("nothing", []),
    ],
)
def test_the_keys_that_are_meant(wanted, meant):
    assert keys_meant(wanted, ["a.c", "a.b.c", "a.b.e", "x.d.size", "y.size"]) == meant


def test_only_a_few_of_many_keys_are_named():
    assert suggestion(["a"]) == "did you mean 'a'?"
    assert suggestion(["a", "b"]) == "did you mean 'a' or 'b'?"
    assert suggestion(list("abc")) == "did you mean 'a', 'b' or 'c'?"
    assert suggestion(list("abcd")) == "did you mean 'a', 'b', 'c' or another of 4?"
    assert suggestion(list("abcde")) == "did you mean 'a', 'b', 'c' or another of 5?"
    assert suggestion([]) == ""
