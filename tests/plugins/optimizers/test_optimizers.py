"""What every optimizer does: blocks, dtypes, threads, memory, rates, and that it finds a minimum."""

from __future__ import annotations

import copy
import inspect
import json
import tracemalloc

import numpy as np
import pytest

import mlpkit
from mlpkit import ModelFileError, ParameterError, Progress, Step
from mlpkit_plugins.optimizers.adagrad import Adagrad
from mlpkit_plugins.optimizers.adam import Adam
from mlpkit_plugins.optimizers.adamw import Adamw
from mlpkit_plugins.optimizers.lion import Lion
from mlpkit_plugins.optimizers.muon import Muon
from mlpkit_plugins.optimizers.nadamw import Nadamw
from mlpkit_plugins.optimizers.rmsprop import Rmsprop
from mlpkit_plugins.optimizers.sgd import Sgd
from mlpkit_plugins.optimizers.soap import Soap
from mlpkit_plugins.schedules.constant import Constant
from mlpkit_plugins.schedules.cosine import Cosine

ALLOCATING_NOTHING = [
    pytest.param(Sgd, {}, id="sgd"),
    pytest.param(Sgd, {"momentum": 0.9}, id="sgd with momentum"),
    pytest.param(Sgd, {"momentum": 0.9, "nesterov": True}, id="sgd of Nesterov"),
    pytest.param(Adam, {}, id="adam"),
    pytest.param(Adamw, {}, id="adamw"),
]
ALLOCATING_SCRATCH = [
    pytest.param(Sgd, {"momentum": 0.9, "weight_decay": 0.01}, id="sgd with weight decay"),
    pytest.param(Nadamw, {}, id="nadamw"),
    pytest.param(Rmsprop, {}, id="rmsprop"),
    pytest.param(Rmsprop, {"momentum": 0.9, "weight_decay": 0.01}, id="rmsprop with momentum and weight decay"),
    pytest.param(Adagrad, {}, id="adagrad"),
    pytest.param(Adagrad, {"weight_decay": 0.01}, id="adagrad with weight decay"),
    pytest.param(Lion, {}, id="lion"),
    pytest.param(Lion, {"weight_decay": 0.01}, id="lion with weight decay"),
]
ALL = [*ALLOCATING_NOTHING, *ALLOCATING_SCRATCH]
of_every_optimizer = pytest.mark.parametrize(("optimizer", "parameters"), ALL)


def bits(result):
    value, slots = result
    return value.tobytes(), {name: slot.tobytes() for name, slot in slots.items()}


def peak_memory_of_a_step(optimizer, dtype):
    """Return how much a step allocates at most, as a share of the parameters' memory."""
    value, gradient = np.ones(100_000, dtype), np.ones(100_000, dtype)
    slots = {name: np.zeros_like(value) for name in optimizer.slots}

    def step(number):
        optimizer.update(value, gradient, slots, Step(0.1, number))

    step(1)
    tracemalloc.start()
    try:
        step(2)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert np.all(value < 1)
    return peak / value.nbytes


@pytest.mark.parametrize(("optimizer", "parameters"), ALLOCATING_NOTHING)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_works_in_place_and_allocates_nothing(optimizer, parameters, dtype):
    assert peak_memory_of_a_step(optimizer(**parameters), dtype) < 0.1


@pytest.mark.parametrize(("optimizer", "parameters"), ALLOCATING_SCRATCH)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_works_in_place_and_in_little_memory(optimizer, parameters, dtype):
    assert peak_memory_of_a_step(optimizer(**parameters), dtype) < 2.1


@of_every_optimizer
def test_an_optimizer_without_decay_ignores_it(optimizer, parameters, make_steps):
    made = optimizer(**parameters)
    steps = make_steps(0, steps=3)
    same = bits(steps.taken_by(made, decay=True)) == bits(steps.taken_by(made, decay=False))
    assert same == (not made.uses_decay)
    assert made.elementwise


@of_every_optimizer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_where_the_gradient_is_zero_nothing_changes(optimizer, parameters, make_steps, dtype):
    steps = make_steps(0, steps=5, scale=0.0, dtype=dtype)
    value, slots = steps.taken_by(optimizer(**parameters), decay=False)
    assert value.tobytes() == steps.value.tobytes()
    assert all(not slot.any() for slot in slots.values())


@of_every_optimizer
def test_a_rate_of_zero_changes_slots_only(optimizer, parameters, make_steps):
    steps = make_steps(0, steps=5)
    value, slots = steps.taken_by(optimizer(**parameters), rates=0.0)
    assert value.tobytes() == steps.value.tobytes()
    assert all(slot.all() for slot in slots.values())


@of_every_optimizer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_finds_the_minimum_of_a_quadratic(optimizer, parameters, dtype):
    made = optimizer(**parameters)
    curvature, minimum = np.array([0.5, 1, 2, 4], dtype), np.array([-1, 0, 2, 3], dtype)
    value = np.zeros(4, dtype)
    slots = {name: np.zeros(4, dtype) for name in made.slots}
    first = 1.0 if optimizer is Adagrad else 0.3  # its steps grow shorter by themselves
    for step in range(1, 1001):
        gradient = curvature * (value - minimum)
        made.update(value, gradient, slots, Step(first * 0.99**step, step, decay=False))
    np.testing.assert_allclose(value, minimum, atol=1e-4)


@of_every_optimizer
def test_the_learning_rate_is_a_number_or_a_schedule(optimizer, parameters):
    constant = Constant(0.1)
    default = inspect.signature(optimizer).parameters["learning_rate"].default
    assert optimizer(**parameters).learning_rate == default
    assert optimizer(1, **parameters).learning_rate == 1.0
    assert optimizer(constant, **parameters).learning_rate is constant
    with pytest.raises(ParameterError, match="learning_rate: nan is not finite"):
        optimizer(float("nan"), **parameters)


@pytest.mark.parametrize(
    ("optimizer", "parameters"),
    [
        (Sgd, {"weight_decay": 0.25}),
        (Sgd, {"weight_decay": 0.25, "momentum": 0.5}),
        (Sgd, {"momentum": 0.5, "nesterov": True}),
        (Adamw, {"weight_decay": 0.25}),
        (Nadamw, {"weight_decay": 0.25}),
        (Rmsprop, {"weight_decay": 0.25, "momentum": 0.5}),
        (Adagrad, {"weight_decay": 0.25}),
        (Lion, {"weight_decay": 0.25}),
    ],
)
def test_a_schedule_of_decay_or_momentum_is_asked_at_each_step(optimizer, parameters, make_steps):
    steps = make_steps(1, steps=4)
    expected = bits(steps.taken_by(optimizer(**parameters)))
    names = [name for name in ("weight_decay", "momentum") if name in parameters]
    for name in names:
        assert bits(steps.taken_by(optimizer(**parameters | {name: Constant(parameters[name])}))) == expected
    halved = optimizer(**parameters | {names[0]: Cosine(parameters[names[0]])})
    value, gradient = np.ones(3), np.ones(3)
    slots = {name: np.full(3, 2.0) for name in halved.slots}
    half = optimizer(**parameters | {names[0]: parameters[names[0]] / 2})
    other, of_other = value.copy(), {name: slot.copy() for name, slot in slots.items()}
    halved.update(value, gradient.copy(), slots, Step(0.1, 6, progress=Progress(5, 0.5, 10)))
    half.update(other, gradient.copy(), of_other, Step(0.1, 6, progress=Progress(5, 0.5, 10)))
    np.testing.assert_allclose(value, other, rtol=1e-14)


SPEC = """\
mlpkit: 1
data: mnist
layers:
  - Affine: {{units: 10}}
  - SoftmaxWithLoss
training:
  optimizer: {}
  batch_size: 100
  iterations: 100
"""


@of_every_optimizer
def test_a_spec_can_ask_for_it(optimizer, parameters, tmp_path):
    rate = {"learning_rate": {"constant": {"value": 0.02}}}
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC.format(json.dumps({optimizer.__name__.lower(): parameters | rate})), encoding="utf-8")
    run = mlpkit.run(mlpkit.load_spec(path), directory=tmp_path / "run")
    assert run.metrics["test"]["loss"] < 2


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adagrad", "adamw", "nadamw", "lion"])
def test_in_a_network_weights_decay_and_biases_do_not(optimizer, tmp_path):
    path, trained = tmp_path / "spec.yaml", []
    for weight_decay in (0.0, 0.5):
        path.write_text(SPEC.format(json.dumps({optimizer: {"weight_decay": weight_decay}})), encoding="utf-8")
        spec = mlpkit.load_spec(path, overrides={"training.iterations": 1})
        trained.append(mlpkit.run(spec, directory=None).network.parameters)
    plain, decayed = trained
    assert plain["Affine1.b"].tobytes() == decayed["Affine1.b"].tobytes()
    assert np.abs(decayed["Affine1.W"]).sum() < np.abs(plain["Affine1.W"]).sum()


@of_every_optimizer
def test_a_copy_does_the_same(optimizer, parameters, make_steps):
    made = optimizer(**parameters)
    steps = make_steps(0, steps=3)
    assert bits(steps.taken_by(copy.deepcopy(made))) == bits(steps.taken_by(made))


@of_every_optimizer
def test_slots_of_another_version_are_refused(optimizer, parameters):
    with pytest.raises(ModelFileError, match=f"slots of version 7 of optimizer {optimizer.__name__}, which now keeps"):
        optimizer(**parameters).upgrade_slots({}, 7)


@pytest.mark.parametrize("scale", [0.0, 1e-45, 1e-25, 1e-10, 1e10])
@pytest.mark.parametrize("epsilon", [1e-300, 1e-60, 1e-30])
@pytest.mark.parametrize("step", [1, 10**9])
@pytest.mark.parametrize(
    ("optimizer", "parameters"), [(Adam, {"beta1": 0, "beta2": 0}), (Adagrad, {}), (Rmsprop, {"rho": 0})]
)
def test_an_epsilon_too_small_for_single_precision_leaves_steps_finite(optimizer, parameters, step, epsilon, scale):
    made, value = optimizer(**parameters, epsilon=epsilon), np.zeros(1, "float32")
    slots = {name: np.zeros(1, "float32") for name in made.slots}
    with np.errstate(under="ignore"):
        made.update(value, np.array([scale], "float32"), slots, Step(0.5, step))
    assert -0.5001 <= value[0] <= 0


@pytest.mark.parametrize(
    ("optimizer", "parameters", "message"),
    [
        (Adagrad, {"epsilon": 0}, "epsilon: 0 is out of range; expected a number, greater than 0"),
        (Adagrad, {"weight_decay": -1}, "weight_decay: -1 is out of range; expected a number, at least 0"),
        (Adam, {"beta1": 1}, "beta1: 1 is out of range; expected a number, at least 0 and less than 1"),
        (Adam, {"beta1": -0.5}, "beta1: -0.5 is out of range; expected a number, at least 0 and less than 1"),
        (Adam, {"beta2": 1.5}, "beta2: 1.5 is out of range; expected a number, at least 0 and less than 1"),
        (Adam, {"epsilon": 0}, "epsilon: 0 is out of range; expected a number, greater than 0"),
        (
            Adam,
            {"epsilon": "1e-8"},
            "epsilon: '1e-8' is not a number; expected a number, greater than 0; write it without quotes",
        ),
        (Adamw, {"weight_decay": -0.0001}, "weight_decay: -0.0001 is out of range; expected a number, at least 0"),
        (Adamw, {"beta1": 1}, "beta1: 1 is out of range; expected a number, at least 0 and less than 1"),
        (Adamw, {"beta2": -1}, "beta2: -1 is out of range; expected a number, at least 0 and less than 1"),
        (Adamw, {"epsilon": 0}, "epsilon: 0 is out of range; expected a number, greater than 0"),
        (Lion, {"beta1": 1}, "beta1: 1 is out of range; expected a number, at least 0 and less than 1"),
        (Lion, {"beta2": -1}, "beta2: -1 is out of range; expected a number, at least 0 and less than 1"),
        (Lion, {"weight_decay": -1}, "weight_decay: -1 is out of range; expected a number, at least 0"),
        (Rmsprop, {"rho": 1}, "rho: 1 is out of range; expected a number, at least 0 and less than 1"),
        (Rmsprop, {"momentum": -1}, "momentum: -1 is out of range; expected a number, at least 0 and less than 1"),
        (Rmsprop, {"epsilon": 0}, "epsilon: 0 is out of range; expected a number, greater than 0"),
        (Rmsprop, {"weight_decay": -1}, "weight_decay: -1 is out of range; expected a number, at least 0"),
        (Sgd, {"momentum": 1}, "momentum: 1 is out of range; expected a number, at least 0 and less than 1"),
        (Sgd, {"momentum": -0.1}, "momentum: -0.1 is out of range; expected a number, at least 0 and less than 1"),
        (
            Sgd,
            {"momentum": True},
            "momentum: true is not a number, at least 0 and less than 1, the name of a schedule or a "
            "mapping from one; expected a number, at least 0 and less than 1, or a schedule",
        ),
        (Sgd, {"weight_decay": -1}, "weight_decay: -1 is out of range; expected a number, at least 0"),
        (Sgd, {"nesterov": 1}, "nesterov: 1 is not true or false; expected true or false; did you mean true?"),
        (
            Sgd,
            {"nesterov": True},
            "nesterov: Nesterov's form needs momentum, and momentum is 0; give momentum as well, such as 0.9, "
            "or leave nesterov out",
        ),
        (Muon, {"other_rate": -1}, "other_rate: -1 is out of range; expected a number, at least 0"),
        (Nadamw, {"momentum_decay": -1}, "momentum_decay: -1 is out of range; expected a number, at least 0"),
        (Soap, {"refresh": 0}, "refresh: 0 is out of range; expected an integer, at least 1"),
    ],
)
def test_wrong_parameters_are_refused(optimizer, parameters, message):
    with pytest.raises(ParameterError) as caught:
        optimizer(**parameters)
    assert str(caught.value) == message
