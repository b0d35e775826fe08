"""When a network is looked at, and that looking changes nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest
from peak_memory import with_peak

import mlpkit
from mlpkit.runs.json_files import is_health
from mlpkit.training.events import Observer, StopRequest
from mlpkit.verbs.doctor.health import is_probed

LAYERS = [{"Affine": {"units": 8}}, "BatchNorm", "Relu", "Dropout", {"Affine": {"units": 3}}, "SoftmaxWithLoss"]


class Listener(Observer):
    def __init__(self):
        self.healths, self.symptoms = [], []

    def probed(self, health):
        self.healths.append(health)

    def diagnosed(self, symptom):
        self.symptoms.append(symptom)


class StopAfter(Listener):
    """Asks to stop after a number of evaluations."""

    def __init__(self, evaluations, stop):
        super().__init__()
        self.left, self.stop = evaluations, stop

    def evaluated(self, record, seconds):
        self.left -= 1
        if self.left == 0:
            self.stop.stop("the test")


@pytest.fixture(scope="module")
def examples():
    rng = np.random.default_rng(3)
    return rng.normal(size=(90, 6)), rng.integers(3, size=90)


def train(examples, **options):
    given = {"optimizer": {"adam": {"learning_rate": 0.01}}, "batch_size": 16, "epochs": 20, "validation": 0.2}
    return mlpkit.fit(*examples, layers=LAYERS, **given | options)


def test_a_training_that_is_looked_at_has_the_same_bits(examples):
    heard = Listener()
    looked_at, alone = train(examples, observer=heard, accumulate=2), train(examples, accumulate=2)
    assert heard.healths
    assert looked_at.history == alone.history
    assert looked_at.network.values.tobytes() == alone.network.values.tobytes()
    assert looked_at.network.replicas[0].state.tobytes() == alone.network.replicas[0].state.tobytes()


def test_the_network_is_looked_at_before_the_first_step_and_after_evaluations(examples):
    heard = Listener()
    run = train(examples, observer=heard, epochs=20)
    evaluated = [record["iteration"] for record in run.history]
    assert evaluated[0] == 5
    chosen = [step for number, step in enumerate(evaluated, start=1) if number % 2 == 0]  # ten steps apart
    assert [health["iteration"] for health in heard.healths] == [0, *chosen]
    assert all(layer["update_ratio"] for layer in heard.healths[-1]["layers"] if layer["norm"])


def test_a_network_whose_evaluations_are_far_apart_is_looked_at_after_each_of_the_first(examples):
    heard = Listener()
    run = train(examples, observer=heard, epochs=40, evaluate_every=10)
    evaluated = [record["iteration"] for record in run.history]
    chosen = [step for number, step in enumerate(evaluated, start=1) if number <= 15 or number % 2 == 0]
    assert [health["iteration"] for health in heard.healths] == [0, *chosen]


def test_looks_grow_with_the_logarithm_of_the_evaluations():
    assert all(map(is_probed, range(1, 16)))
    assert [n for n in range(32, 64) if is_probed(n)] == [32, 36, 40, 44, 48, 52, 56, 60]
    assert sum(map(is_probed, range(1, 10_001))) < 100


def test_the_last_evaluation_is_looked_at_whatever_its_number(examples):
    heard = Listener()
    run = train(examples, observer=heard, epochs=17)
    assert heard.healths[-1]["iteration"] == run.history[-1]["iteration"]
    assert not is_probed(len(run.history))


def test_a_look_computes_in_the_memory_of_the_training():
    x, t = np.zeros((192, 4), np.float32), np.arange(192) % 3
    layers = [{"Affine": {"units": 4000}}, "Relu", {"Affine": {"units": 3}}, "SoftmaxWithLoss"]
    given = {"layers": layers, "batch_size": 192, "epochs": 30, "optimizer": "sgd"}
    _, alone = with_peak(lambda: mlpkit.fit(x, t, **given))
    heard = Listener()
    _, looked_at = with_peak(lambda: mlpkit.fit(x, t, observer=heard, **given))
    assert heard.healths
    assert looked_at - alone < 3 * 192 * 4000 * 4  # with buffers of its own, five more arrays that large


@pytest.mark.parametrize("evaluations", [1, 9])
def test_a_resumed_run_continues_the_record_and_says_nothing_twice(evaluations, examples, tmp_path):
    dead = {"layers": [{"Affine": {"units": 8, "weights": {"normal": {"mean": -9.0}}}}, "Relu", *LAYERS[4:]]}
    given = {"batch_size": 16, "epochs": 12, "optimizer": "sgd", "validation": 0.2, **dead}
    x, t = np.abs(examples[0]), examples[1]
    whole, stop = Listener(), StopRequest()
    mlpkit.fit(x, t, observer=whole, directory=tmp_path / "whole", **given)
    first, second = StopAfter(evaluations, stop), Listener()
    mlpkit.fit(x, t, observer=first, stop=stop, directory=tmp_path / "broken", **given)
    mlpkit.resume(tmp_path / "broken", examples=(x, t), observer=second)
    assert (tmp_path / "broken/health.jsonl").read_bytes() == (tmp_path / "whole/health.jsonl").read_bytes()
    assert [symptom.name for symptom in whole.symptoms] == ["dead_units"]
    assert [*first.symptoms, *second.symptoms] == whole.symptoms


def test_a_record_that_lacks_something_keeps_no_run_from_being_resumed(examples, tmp_path):
    given, stop = {"layers": LAYERS, "batch_size": 16, "epochs": 6, "optimizer": "sgd"}, StopRequest()
    mlpkit.fit(*examples, observer=StopAfter(2, stop), stop=stop, directory=tmp_path / "run", **given)
    (tmp_path / "run/health.jsonl").write_text('{"iteration": 0}\n{"iterat')
    heard = Listener()
    mlpkit.resume(tmp_path / "run", examples=examples, observer=heard)
    assert [health["iteration"] for health in heard.healths] == [18, 30, 36]
    assert all(map(is_health, heard.healths))


def test_the_record_is_what_was_told(examples, tmp_path):
    heard = Listener()
    train(examples, observer=heard, epochs=3, directory=tmp_path / "run")
    lines = (tmp_path / "run/health.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == heard.healths


def test_a_network_that_diverged_is_looked_at_once_more(examples, tmp_path):
    heard = Listener()
    with pytest.raises(mlpkit.DivergenceError):
        train(examples, observer=heard, optimizer={"sgd": {"learning_rate": 1e38}}, directory=tmp_path / "run")
    assert [symptom.name for symptom in heard.symptoms] == ["diverging"]
    assert heard.healths[-1]["loss"] is None
