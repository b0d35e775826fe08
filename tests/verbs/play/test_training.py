"""A training that goes forward and back."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from mlpkit.errors import UsageError
from mlpkit.jobs.prove import prove
from mlpkit.registry.registry import Registry
from mlpkit.verbs.play import training
from mlpkit.verbs.play.text import SpecText

ADAM = "{adam: {learning_rate: {cosine: {first: 0.5}}}}"
SPEC = """\
mlpkit: 1
data: {npy: {inputs: x.npy, targets: t.npy, validation: 0.25, test: 0}}
layers: [{Affine: {units: 5}}, Tanh, {Affine: {units: 3}}, SoftmaxWithLoss]
training: {optimizer: {adam: {learning_rate: {cosine: {first: 0.5}}}}, batch_size: 8, LENGTH, evaluate_train: false}
"""


@pytest.fixture
def played(cwd):
    """Return a function that begins to play."""
    rng, opened = np.random.default_rng(0), []
    np.save("x.npy", rng.normal(size=(40, 2)))
    np.save("t.npy", np.arange(40) % 3)

    def begin(length="iterations: 20", optimizer=ADAM):
        spec = SPEC.replace("LENGTH", length).replace(ADAM, optimizer)
        text = SpecText(Path("spec.yaml"), spec, Registry.discover())
        opened.append(training.PlayedTraining(text, prove(text.spec())))
        return opened[-1]

    yield begin
    for each in opened:
        each.close()


def weights(player):
    return {name: np.array(array) for name, array in player.network.parameters.items()}


def assert_same(found, expected):
    for name, array in found.items():
        np.testing.assert_array_equal(array, expected[name])


@pytest.mark.parametrize("most", [1, 2, 5, 48])
def test_each_step_back_has_its_bits_however_few_moments_are_remembered(most, played, monkeypatch):
    monkeypatch.setattr(training, "MOST_MOMENTS", most)
    player, seen = played(), {}
    for _ in range(20):
        seen[player.step] = weights(player), player.records[-1]
        player.forward(1)
    assert len(player._moments) <= most + 1
    for steps, at in ((1, 19), (6, 13), (1, 12), (5, 7), (2, 5), (99, 0)):
        player.back(steps)
        assert (player.step, player.first_step) == (at, 0)
        assert_same(weights(player), seen[at][0])
        assert player.records[-1] == seen[at][1]
        assert [record["iteration"] for record in player.records] == [*range(at + 1)]


def test_no_more_steps_are_done_than_the_spec_has(played):
    player = played()
    assert player.total == 20
    player.forward(19)
    player.forward(7)
    assert player.step == 20
    with pytest.raises(UsageError) as caught:
        player.forward(1)
    assert str(caught.value) == "all 20 steps of the spec are done; give it more, or start again"


def test_a_training_that_ends_after_a_time_has_no_last_step(played):
    player = played("seconds: 99", optimizer="sgd")
    assert player.total is None
    player.forward(3)
    assert (player.step, player.learning_rate()) == (3, 0.01)


def test_the_rate_is_that_of_the_next_step(played):
    player = played()
    for step in (0, 5, 10):
        assert player.learning_rate() == pytest.approx(0.25 * (1 + math.cos(math.pi * step / 20)))
        assert player.records[-1]["learning_rate"] == player.learning_rate()
        player.forward(5)


@pytest.mark.parametrize(
    ("parameter", "index", "value", "text"),
    [
        ("Nope.W", [0, 0], 1.0, "the network has no weight Nope.W[0, 0]"),
        ("Affine1.W", [0], 1.0, "the network has no weight Affine1.W[0]"),
        ("Affine1.W", [0, 0, 0], 1.0, "the network has no weight Affine1.W[0, 0, 0]"),
        ("Affine1.W", [2, 0], 1.0, "the network has no weight Affine1.W[2, 0]"),
        ("Affine1.W", [0, 5], 1.0, "the network has no weight Affine1.W[0, 5]"),
        ("Affine1.W", [-1, 0], 1.0, "the network has no weight Affine1.W[-1, 0]"),
        ("Affine1.W", [0, 0.5], 1.0, "the network has no weight Affine1.W[0, 0.5]"),
        ("Affine1.W", [1, 4], math.inf, "inf is not a finite number"),
        ("Affine1.W", [1, 4], math.nan, "nan is not a finite number"),
    ],
)
def test_a_weight_that_is_not_there_cannot_be_set(parameter, index, value, text, played):
    player = played()
    before, records = weights(player), player.records
    with pytest.raises(UsageError) as caught:
        player.set_weight(parameter, index, value)
    assert str(caught.value) == text
    assert_same(weights(player), before)
    assert player.records == records


def test_a_weight_that_is_set_is_evaluated_and_undone(played):
    player = played()
    player.forward(3)
    before, record = weights(player), player.records[-1]
    player.set_weight("Affine1.W", [1, 4], 7.5)
    assert weights(player)["Affine1.W"][1, 4] == 7.5
    assert [each["iteration"] for each in player.records] == [0, 3]
    assert player.records[-1]["validation_loss"] != record["validation_loss"]
    player.forward(2)
    player.back(2)
    assert weights(player)["Affine1.W"][1, 4] == 7.5
    player.back(1)
    player.forward(1)
    assert_same(weights(player), before)


@pytest.mark.parametrize("most", [1, 48])
def test_a_weight_that_is_set_is_never_forgotten_on_the_way_back(most, played, monkeypatch):
    monkeypatch.setattr(training, "MOST_MOMENTS", most)
    player, seen = played(), {}
    for value in (7.5, -3.25):
        player.set_weight("Affine1.W", [0, 2], value)  # the first one where a moment is remembered already
        for _ in range(8):
            seen[player.step] = weights(player)
            player.forward(1)
    for steps, at in ((1, 15), (7, 8), (1, 7), (7, 0)):
        player.back(steps)
        assert_same(weights(player), seen[at])


def test_moments_are_evenly_spaced_so_few_steps_are_repeated_on_the_way_back(played, monkeypatch):
    monkeypatch.setattr(training, "MOST_MOMENTS", 7)
    player = played("iterations: 70")
    for _ in range(60):
        player.forward(1)
    assert [moment.snapshot.step for moment in player._moments] == [*range(0, 60, 8)]


def test_the_first_of_many_evaluations_are_forgotten(played, monkeypatch):
    monkeypatch.setattr(training, "MOST_RECORDS", 3)
    player = played()
    for _ in range(6):
        player.forward(2)
    assert [record["iteration"] for record in player.records] == [6, 8, 10, 12]


def test_what_all_moments_take_is_limited(played, monkeypatch):
    monkeypatch.setattr(training, "MOST_BYTES", 1)
    player = played()
    for _ in range(6):
        player.forward(1)
    assert (player.step, player.first_step, len(player._moments)) == (6, 5, 1)
    player.back(4)
    assert player.step == 5


def test_another_optimizer_continues_from_the_same_step(played):
    player = played()
    player.forward(4)
    before, setup = weights(player), player.setup
    text = SpecText(setup.text.path, setup.text.text.replace(ADAM, "{sgd: {learning_rate: 0.25}}"), Registry.discover())
    player.change(text, prove(text.spec()))
    assert (player.step, player.learning_rate(), player.setup.text) == (4, 0.25, text)
    assert_same(weights(player), before)
    assert [record["iteration"] for record in player.records] == [0, 4]
    assert player.records[-1]["learning_rate"] == 0.25
    player.forward(1)
    player.back(2)
    assert (player.step, player.setup) == (3, setup)
