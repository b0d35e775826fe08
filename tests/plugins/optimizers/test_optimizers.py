"""What every optimizer does: blocks, dtypes, threads, memory, rates, and that it finds a minimum."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlpkit
from mlpkit import ModelFileError, ParameterError, Step
from mlpkit_plugins.optimizers.adagrad import Adagrad
from mlpkit_plugins.optimizers.adam import Adam
from mlpkit_plugins.optimizers.adamw import Adamw
from mlpkit_plugins.optimizers.lion import Lion
from mlpkit_plugins.optimizers.nadamw import Nadamw
from mlpkit_plugins.optimizers.rmsprop import Rmsprop
from mlpkit_plugins.optimizers.sgd import Sgd
from mlpkit_plugins.schedules.constant import Constant

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


@settings(max_examples=30, deadline=None)
@of_every_optimizer
@given(seed=st.integers(0, 2**32), cuts=st.sets(st.integers(1, 19)), dtype=st.sampled_from(["float32", "float64"]))
def test_blocks_make_no_difference(optimizer, parameters, make_steps, seed, cuts, dtype):
    steps = make_steps(seed, steps=10, dtype=dtype)
    made = optimizer(**parameters)
    assert bits(steps.taken_by(made, cuts=cuts)) == bits(steps.taken_by(made))


@of_every_optimizer
def test_threads_make_no_difference(optimizer, parameters, make_steps):
    steps = make_steps(0, steps=5, dtype="float32", size=400_000)
    cuts = range(10_000, 400_000, 10_000)
    made = optimizer(**parameters)
    with ThreadPoolExecutor(8) as pool:
        together = steps.taken_by(made, cuts=cuts, each=pool.map)
    assert bits(together) == bits(steps.taken_by(made, cuts=cuts))


@of_every_optimizer
def test_keeps_nothing_but_its_slots(optimizer, parameters, make_steps):
    made = optimizer(**parameters)
    before = pickle.dumps(vars(made))
    steps = make_steps(0, steps=3)
    first = bits(steps.taken_by(made))
    assert pickle.dumps(vars(made)) == before
    assert bits(steps.taken_by(made)) == first


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
