"""What is wrong with names and patterns that choose layers or parameters, and what probably was meant."""

from __future__ import annotations

import pytest

import mlpkit
from mlpkit.components.schema.context import Correction
from mlpkit.jobs.layer_patterns import frozen_layers, max_weight_norm_faults, step_factors
from mlpkit.jobs.prove import prove

PARAMETERS = "one of Affine1.W, Affine1.b, Affine2.W, Affine2.b, or a pattern such as '*.W'"
LAYERS = "one of Affine1, Relu1, Affine2, SoftmaxWithLoss1, or a pattern with '*'"


@pytest.fixture
def proof(work):
    return prove(mlpkit.load_spec("tiny.yaml")).proof


def spec(**training):
    return mlpkit.load_spec("tiny.yaml", overrides={f"training.{key}": value for key, value in training.items()})


@pytest.mark.parametrize(
    ("pattern", "expected", "remedy", "meant"),
    [
        ("Affine1", "", "write 'Affine1.*' for all parameters of Affine1", None),
        ("Affin1.W", "", "did you mean 'Affine1.W'?", "Affine1.W"),
        ("other", PARAMETERS, "", None),
        ("Affin1.*", PARAMETERS, "", None),
    ],
)
def test_a_pattern_that_matches_no_parameter(pattern, expected, remedy, meant, proof):
    norms = max_weight_norm_faults(spec(max_weight_norm={pattern: 2, "*.b": 1}), proof)
    _, rates = step_factors(spec(rates={pattern: 2, "*.b": 1}), proof)
    _, decays = step_factors(spec(decays={pattern: 2, "*.b": 1}), proof)
    for key, faults in (("max_weight_norm", norms), ("rates", rates), ("decays", decays)):
        (fault,) = faults
        assert (fault.path, fault.at_key) == (("training", key, pattern), True)
        assert (fault.message, fault.expected, fault.remedy) == (
            f"no parameter is called '{pattern}'",
            expected,
            remedy,
        )
        assert fault.fix == (Correction(pattern, meant) if meant else None)


@pytest.mark.parametrize(
    ("pattern", "expected", "remedy", "meant"),
    [("Rellu1", "", "did you mean 'Relu1'?", "Relu1"), ("other", LAYERS, "", None), ("x*", LAYERS, "", None)],
)
def test_a_pattern_that_matches_no_layer(pattern, expected, remedy, meant, proof):
    frozen, (fault,) = frozen_layers(spec(freeze=["Affine1", pattern]), proof)
    assert (frozen, fault.path, fault.message) == (
        ["Affine1"],
        ("training", "freeze", 1),
        f"no layer is called '{pattern}'",
    )
    assert (fault.expected, fault.remedy) == (expected, remedy)
    assert fault.fix == (Correction(pattern, meant) if meant else None)


def test_something_is_left_to_train(proof):
    assert frozen_layers(spec(freeze=["Affine1", "A*1", "Relu1"]), proof) == (["Affine1", "Relu1"], [])
    _, (fault,) = frozen_layers(spec(freeze=["Affine*"]), proof)
    assert fault.message == "every layer with parameters is frozen, so nothing is left to train"
    assert fault.remedy == "freeze fewer layers: leave Affine2 to be trained"


@pytest.mark.parametrize(("hidden", "more"), [(5, ""), (6, ", ...")])
def test_up_to_twelve_parameters_are_named(hidden, more, work):
    layers = [*[{"Affine": {"units": 4}}] * hidden, {"Affine": {"units": 10}}, "SoftmaxWithLoss"]
    many = mlpkit.load_spec("tiny.yaml", overrides={"layers": layers, "training.rates": {"other": 2}})
    _, (fault,) = step_factors(many, prove(mlpkit.load_spec("tiny.yaml", overrides={"layers": layers})).proof)
    names = ", ".join(f"Affine{i}.{name}" for i in range(1, 7) for name in "Wb")
    assert fault.expected == f"one of {names}{more}, or a pattern such as '*.W'"
