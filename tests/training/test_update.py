"""Applying an optimizer to the flat parameters."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import ComponentFailure, Optimizer, Sequential
from mlpkit.components.parameter import StepFactors
from mlpkit.network import flat_layout
from mlpkit.training.update import OptimizerState, Updater
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss
from mlpkit_plugins.optimizers.adam import Adam
from mlpkit_plugins.optimizers.adamw import Adamw
from mlpkit_plugins.optimizers.sgd import Sgd


@pytest.fixture
def network():
    return Sequential([Affine(7), Affine(5), SoftmaxWithLoss()], (3,), seed=0, dtype="float64")


@pytest.mark.parametrize("block", [1, 10, 16, 1000])
def test_blocks_cover_everything_once_and_those_that_decay_lie_first(network, toy, monkeypatch, block):
    monkeypatch.setattr(flat_layout, "BLOCK", block)
    optimizer = toy.RecordingOptimizer()
    Updater(optimizer, network)(0.25, 7)
    begin = network.values.__array_interface__["data"][0]
    end = begin
    for call in optimizer.calls:
        assert call["address"] == end
        assert call["gradient"] == call["size"]
        assert call["slots"] == {"m": call["size"], "v": call["size"]}
        assert (call["learning_rate"], call["step"]) == (0.25, 7)
        end += call["size"] * call["itemsize"]
    assert end - begin == network.values.nbytes
    decays = [call["decay"] for call in optimizer.calls]
    assert decays == sorted(decays, reverse=True)
    assert sum(call["size"] for call in optimizer.calls if call["decay"]) == network.layout.offsets["Affine1.b"]


def test_an_optimizer_without_decay_gets_blocks_that_reach_across(network, toy):
    class WithoutDecay(toy.RecordingOptimizer):
        uses_decay = False

    optimizer = WithoutDecay()
    Updater(optimizer, network)(0.1, 1)
    assert {factors.decay for factors in network.layout.factors.values()} == {0, 1}
    assert [call["size"] for call in optimizer.calls] == [network.layout.size]


def test_an_optimizer_that_is_not_elementwise_gets_whole_arrays(network, toy):
    class Whole(toy.RecordingOptimizer):
        elementwise = False

    optimizer = Whole()
    Updater(optimizer, network)(0.1, 1)
    assert sorted(call["size"] for call in optimizer.calls) == sorted(a.size for a in network.parameters.values())


class SeesParameters(Optimizer):
    """Remembers what it was called with, and keeps a matrix for each matrix."""

    sees = "parameters"
    slots_version = 2

    def __init__(self):
        self.learning_rate = 0.5
        self.calls = {}
        self.upgraded = []

    def slots_of(self, name, shape):
        return {"m": shape, "left": (shape[0], shape[0])} if len(shape) == 2 else {"m": shape}

    def update(self, value, gradient, slots, step):
        self.calls[step.name] = (value, gradient, dict(slots), step)
        for slot in slots.values():
            np.add(slot, step.number, out=slot)

    def upgrade_slots(self, slots, version):
        self.upgraded.append({name: slot.shape for name, slot in slots.items()})


def test_an_optimizer_that_sees_parameters_gets_each_in_its_shape(toy):
    network = Sequential([Affine(512), Affine(5), SoftmaxWithLoss()], (3,), seed=0)
    optimizer = SeesParameters()
    update = Updater(optimizer, network, factors={"Affine2.W": StepFactors(0.5, 2)})
    network.gradient_values[...] = 1
    update(0.25, 7)
    assert set(optimizer.calls) == set(network.parameters)
    for path, (value, gradient, slots, step) in optimizer.calls.items():
        parameter = network.parameters[path]
        assert np.shares_memory(value, parameter)
        assert (value.shape, value.strides) == (parameter.shape, parameter.strides)
        assert (gradient.shape, gradient.strides) == (parameter.shape, parameter.strides)
        assert (slots["m"].shape, slots["m"].strides) == (parameter.shape, parameter.strides)
        assert ("left" in slots) == (parameter.ndim == 2)
        assert (step.number, step.learning_rate) == (7, 0.5 if path == "Affine2.W" else 0.25)
        assert step.decay == {"Affine1.W": 1, "Affine2.W": 0.5}.get(path, 0)
    assert optimizer.calls["Affine1.W"][0].strides[0] > 512 * 4
    assert optimizer.calls["Affine2.W"][2]["left"].shape == (512, 512)


def test_slots_of_parameters_are_upgraded_one_parameter_at_a_time(network):
    optimizer, state = SeesParameters(), OptimizerState()
    Updater(optimizer, network, state)(0.1, 1)
    state.slots_version = 1
    Updater(optimizer, network, state)
    assert {"m": (5,)} in optimizer.upgraded
    assert {"m": (7, 5), "left": (7, 7)} in optimizer.upgraded
    assert len(optimizer.upgraded) == len(network.parameters)


def test_slots_of_parameters_go_on_from_another_training(network):
    optimizer, state = SeesParameters(), OptimizerState()
    Updater(optimizer, network, state)(0.1, 1)
    Updater(optimizer, network, state)(0.1, 1)
    assert all((slot == 1 + 2).all() for _, _, slots, _ in optimizer.calls.values() for slot in slots.values())


def test_slots_that_can_not_be_told_are_an_error_of_the_optimizer(network):
    class Broken(SeesParameters):
        def slots_of(self, name, shape):
            raise IndexError("tuple index out of range")

    with pytest.raises(ComponentFailure, match=r"^optimizer Broken failed in slots_of: IndexError: tuple index"):
        Updater(Broken(), network)


@pytest.mark.parametrize("block", [1, 13, 10_000])
def test_the_result_does_not_depend_on_the_blocks(network, monkeypatch, block):
    before = {name: array.copy() for name, array in network.parameters.items()}
    monkeypatch.setattr(flat_layout, "BLOCK", block)
    network.gradient_values[:] = np.arange(network.gradient_values.size)
    gradient = {name: network.layout.view(network.gradient_values, name).copy() for name in network.parameters}
    Updater(Sgd(0.5), network)(0.5, 1)
    for name, array in network.parameters.items():
        np.testing.assert_array_equal(array, before[name] - 0.5 * gradient[name])


def test_blocks_are_cut_where_a_factor_changes_and_nowhere_else(network, toy):
    optimizer, factors = toy.RecordingOptimizer(), {path: StepFactors() for path in network.parameters}
    Updater(optimizer, network, factors=factors | {"Affine2.b": StepFactors(0.5, 6)})(0.25, 1)
    begin = network.layout.offsets["Affine2.b"]
    seen = [(call["size"], call["learning_rate"], call["decay"]) for call in optimizer.calls]
    assert seen == [(begin, 0.25, 1), (network.layout.size - begin, 1.5, 0.5)]


def test_an_optimizer_without_decay_gets_blocks_cut_at_rates_alone(network, toy):
    class WithoutDecay(toy.RecordingOptimizer):
        uses_decay = False

    optimizer = WithoutDecay()
    Updater(optimizer, network, factors={"Affine2.W": StepFactors(0.5, 1), "Affine2.b": StepFactors(0, 2)})(0.25, 1)
    begin = network.layout.offsets["Affine2.b"]
    seen = [(call["size"], call["learning_rate"]) for call in optimizer.calls]
    assert seen == [(begin, 0.25), (network.layout.size - begin, 0.5)]


def test_whole_arrays_have_factors_of_their_own(network, toy):
    class Whole(toy.RecordingOptimizer):
        elementwise = False

    optimizer = Whole()
    Updater(optimizer, network, factors={"Affine2.W": StepFactors(0.5, 2)})(0.25, 1)
    seen = {call["size"]: (call["learning_rate"], call["decay"]) for call in optimizer.calls}
    assert seen == {21: (0.25, 1), 35: (0.5, 0.5), 7: (0.25, 0), 5: (0.25, 0)}


@pytest.mark.parametrize("optimizer", [Sgd(0.5, momentum=0.9, weight_decay=0.1), Adamw(0.5, weight_decay=0.1)])
def test_a_rate_is_as_good_as_another_learning_rate(network, optimizer):
    def trained(learning_rate, rate):
        network.values[...] = np.linspace(-1, 1, network.values.size)
        factors = {path: StepFactors(2, rate) for path in network.parameters}
        update = Updater(optimizer, network, factors=factors)
        for step in range(1, 5):
            network.gradient_values[...] = np.cos(network.values)
            update(learning_rate, step)
        return network.values.copy()

    np.testing.assert_array_equal(trained(0.5, 0.25), trained(0.125, 1))
    assert (trained(0.5, 0.25) != trained(0.5, 1)).any()


def test_an_optimizer_that_fails_is_named(network, toy):
    class Broken(toy.RecordingOptimizer):
        def update(self, *args, **kwargs):
            raise KeyError("momentum")

    with pytest.raises(ComponentFailure, match=r"^optimizer Broken failed in update: KeyError: 'momentum'$"):
        Updater(Broken(), network)(0.1, 1)


def steps(network, optimizer, counts):
    """Return the parameters after several trainings that share a state, given the steps of each."""
    network.values[...] = np.linspace(-1, 1, network.values.size)
    state = OptimizerState()
    for count in counts:
        update = Updater(optimizer, network, state)
        for step in range(1, count + 1):
            network.gradient_values[...] = np.cos(network.values)
            update(0.1, step)
    return network.values.copy()


@pytest.mark.parametrize("optimizer", [Adam(), Sgd(momentum=0.9)])
def test_it_goes_on_from_the_state_that_another_training_left(network, optimizer):
    np.testing.assert_array_equal(steps(network, optimizer, [2, 1, 4]), steps(network, optimizer, [7]))


def test_the_state_of_another_optimizer_is_dropped(network):
    state = OptimizerState()
    Updater(Adam(), network, state)(0.1, 1)
    assert (state.optimizer, state.steps, set(state.slots)) == ("Adam", 1, {"m", "v"})
    update = Updater(Sgd(momentum=0.9), network, state)
    assert (state.optimizer, state.steps, set(state.slots)) == ("Sgd", 0, set(update.slots))
    assert not any(slot.flat.any() for slot in update.slots.values())


def test_slots_of_an_earlier_version_are_upgraded(network):
    class Upgrades(Adam):
        def upgrade_slots(self, slots, version):
            assert version == 1
            slots["m"][...] *= 0.25

    state = OptimizerState()
    Updater(Upgrades(), network, state)
    state.slots_version = 1
    state.slots["m"][...] = 1
    update = Updater(Upgrades(), network, state)
    assert state.slots_version == Upgrades.slots_version
    np.testing.assert_array_equal(update.slots["m"].flat, 0.25)
