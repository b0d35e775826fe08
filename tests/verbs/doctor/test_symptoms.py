"""Sick trainings are called by their names, healthy ones healthy, and the advice helps."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import chain, repeat

import numpy as np
import pytest

import mlpkit
from mlpkit.specfile.spec import read_spec
from mlpkit.training.events import Observer
from mlpkit.training.health import Symptom
from mlpkit.verbs.doctor.health_history import HealthHistory, TrainingFacts
from mlpkit.verbs.doctor.symptoms import SYMPTOMS, exploding_gradient, vanishing_gradient

ROWS, INPUTS, CLASSES = 400, 10, 3


class Listener(Observer):
    def __init__(self):
        self.symptoms, self.healths = [], []

    def probed(self, health):
        self.healths.append(health)

    def diagnosed(self, symptom):
        self.symptoms.append(symptom)

    @property
    def names(self):
        return [symptom.name for symptom in self.symptoms]


def affine(units, *, biases=0.0, **weights):
    given = {"weights": weights} if weights else {}
    return {"Affine": {"units": units, "biases": {"full": {"value": biases}}, **given}}


def normal(std, mean=0.0):
    return {"normal": {"std": std, "mean": mean}}


def deep(layer, activation):
    return [*chain.from_iterable(repeat((layer, activation), 12)), affine(CLASSES), "SoftmaxWithLoss"]


def shallow(activation="Relu", **weights):
    return [affine(16, **weights), activation, affine(CLASSES), "SoftmaxWithLoss"]


def smoothed(share):
    return [*shallow()[:-1], {"SoftmaxWithLoss": {"label_smoothing": share}}]


def warmed_up(rate):
    return {"warmup": {"schedule": {"constant": {"value": rate}}, "steps": 20}}


def regression(activation="Tanh"):
    return [affine(16), activation, affine(1), "MeanSquaredError"]


ZEROS = [*({"Affine": {"units": n, "weights": "zeros"}} for n in (16, CLASSES)), "SoftmaxWithLoss"]
SAME = [affine(16, full={"value": 0.1}), "Tanh", affine(CLASSES, full={"value": 0.1}), "SoftmaxWithLoss"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with data of several kinds."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, INPUTS))
    w = rng.normal(size=(INPUTS, CLASSES))
    classes = (x @ w + 0.3 * rng.normal(size=(ROWS, CLASSES))).argmax(axis=1)
    values = x @ w[:, :1] + 0.1 * rng.normal(size=(ROWS, 1))
    rare = (x[:, 0] + rng.normal(size=ROWS) > 2.2).astype(int)
    kinds = {
        "classes": (x, classes),
        "positive": (np.abs(x), classes),
        "large": (1000 * x + 500, classes),
        "tiny": (1e-3 * x, classes),
        "blank": (np.ones_like(x), classes),
        "shuffled": (x, rng.permutation(classes)),
        "random": (x[:80], rng.integers(CLASSES, size=80)),
        "rare": (x, rare),
        "rarest": (x, (x[:, 0] >= np.sort(x[:, 0])[-16]).astype(int)),
        "noisy": (x[:200], np.where(rng.random(200) < 0.3, rng.integers(CLASSES, size=200), classes[:200])),
        "wide": (x, 300 * values),
        "values": (x, values),
        "far": (x, values + 1000),
        "counts": (x, rng.poisson(np.exp(1 + values / 4))),
        "many": (x, rng.poisson(np.exp(2 + values / 4))),
        "shares": (x, 1 / (1 + np.exp(-values))),
        "outliers": (x, np.where(np.arange(ROWS)[:, None] < 3, 1e5, values)),
    }
    for name, (inputs, targets) in kinds.items():
        np.savez(folder / f"{name}.npz", x=inputs, t=targets)
    return folder


def train(folder, data, layers, rate=0.1, *, optimizer="sgd", given=(), given_optimizer=(), overrides=(), **training):
    """Train from a spec, and return who listened."""
    length = {"epochs": 30} if "iterations" not in training else {}
    spec = {
        "mlpkit": 1,
        "data": {"npz": {"file": f"{data}.npz", "validation": 0.25, **dict(given)}},
        "layers": layers,
        "training": {
            "optimizer": {optimizer: {"learning_rate": rate, **dict(given_optimizer)}},
            "batch_size": 32,
            **length,
            **training,
        },
    }
    (folder / "sick.yaml").write_text(json.dumps(spec))
    heard = Listener()
    with suppress(mlpkit.DivergenceError):
        mlpkit.run(read_spec(str(folder / "sick.yaml"), overrides=list(overrides)), observer=heard)
    return heard


VALUES = {"predict": "values", "scale_target": "none"}
SICK = {
    "dead units, by their first weights": ("dead_units", "positive", shallow(**normal(0.01, -5.0)), {}),
    "dead units, by the rate": ("dead_units", "classes", [affine(16), "Relu", *shallow()], {"rate": 30.0}),
    "saturated sigmoids": ("saturated_units", "classes", shallow("Sigmoid", **normal(30.0)), {}),
    "saturated tanhs": ("saturated_units", "classes", shallow("Tanh", **normal(30.0)), {}),
    "vanishing gradient": ("vanishing_gradient", "classes", deep(affine(16), "Sigmoid"), {}),
    "exploding gradient": ("exploding_gradient", "classes", deep(affine(16, **normal(2.0)), "Relu"), {}),
    "zeros as weights": ("identical_units", "classes", ZEROS, {}),
    "one number as weights": ("identical_units", "classes", SAME, {}),
    "rate too high": ("rate_too_high", "classes", [affine(CLASSES), "SoftmaxWithLoss"], {"rate": 10.0}),
    "rate too high for adam": ("rate_too_high", "classes", shallow(), {"rate": 3.0, "optimizer": "adam"}),
    "rate too high after a warmup": (
        "rate_too_high",
        "classes",
        shallow(),
        {"rate": warmed_up(1.0), "optimizer": "adam"},
    ),
    "rate too high at the top of a cycle": (
        "rate_too_high",
        "values",
        [affine(1), "MeanSquaredError"],
        {"rate": {"one_cycle": {"peak": 0.8}}, "given": VALUES},
    ),
    "diverging": ("rate_too_high", "values", regression(), {"rate": 1.0, "given": VALUES}),
    "rate too low": ("rate_too_low", "classes", shallow(), {"rate": 1e-6}),
    "shuffled labels": ("loss_at_chance", "shuffled", [affine(4), "Relu", affine(CLASSES), "SoftmaxWithLoss"], {}),
    "inputs too large": ("inputs_not_scaled", "large", shallow(), {}),
    "inputs too small": ("inputs_not_scaled", "tiny", shallow(), {}),
    "inputs that are all the same": ("constant_inputs", "blank", shallow("Tanh"), {"rate": 0.01}),
    "values far from zero": ("target_not_scaled", "far", regression("Relu"), {"optimizer": "adam", "given": VALUES}),
    "first weights too large": (
        "first_weights_too_large",
        "classes",
        [affine(16, **normal(20.0)), "Relu", affine(CLASSES, **normal(20.0)), "SoftmaxWithLoss"],
        {"rate": 1e-4},
    ),
    "first weights too large for scaled values": (
        "first_weights_too_large",
        "values",
        [affine(16, **normal(20.0)), "Relu", affine(1, **normal(20.0)), "MeanSquaredError"],
        {"rate": 1e-4, "epochs": 3, "given": {"predict": "values"}},
    ),
    "labels at random": (
        "nothing_carries_over",
        "random",
        [affine(100), "Relu", affine(100), "Relu", affine(CLASSES), "SoftmaxWithLoss"],
        {"rate": 0.001, "optimizer": "adam", "epochs": 80},
    ),
    "overfitting": (
        "overfitting",
        "noisy",
        [affine(100), "Relu", affine(100), "Relu", affine(CLASSES), "SoftmaxWithLoss"],
        {"rate": 0.001, "optimizer": "adam", "epochs": 80},
    ),
    "batch norm on one row": (
        "batch_too_small",
        "classes",
        [affine(16), "BatchNorm", "Relu", affine(CLASSES), "SoftmaxWithLoss"],
        {"batch_size": 1, "epochs": 1, "rate": 0.001},
    ),
    "dead units from the first layer on": (
        "dead_units",
        "classes",
        [affine(16, biases=-30.0), "Relu", affine(16), "Relu", affine(CLASSES), "SoftmaxWithLoss"],
        {},
    ),
    "dead units inside a layer": (
        "dead_units",
        "classes",
        [affine(16), {"Residual": {"layers": [affine(16, biases=-40.0), "Relu", affine(16)]}}, *shallow()],
        {},
    ),
    "nearly all units dropped": (
        "too_much_noise",
        "classes",
        [affine(32), "Relu", {"Dropout": {"rate": 0.97}}, affine(CLASSES), "SoftmaxWithLoss"],
        {},
    ),
    "weights that decay": ("shrunk_weights", "classes", shallow(), {"given_optimizer": {"weight_decay": 1.0}}),
    "weights that decay, with adamw": (
        "shrunk_weights",
        "classes",
        shallow(),
        {"optimizer": "adamw", "rate": 0.01, "given_optimizer": {"weight_decay": 20.0}},
    ),
    "a decay of 3, with adamw, that leaves something to learn by": (
        "shrunk_weights",
        "classes",
        shallow(),
        {"optimizer": "adamw", "rate": 0.01, "epochs": 60, "given_optimizer": {"weight_decay": 3.0}},
    ),
    "a decay of 0.3, with sgd": (
        "shrunk_weights",
        "classes",
        shallow(),
        {"epochs": 60, "given_optimizer": {"weight_decay": 0.3}},
    ),
    "a sigmoid before a loss that has its own function": (
        "bounded_outputs",
        "classes",
        [*shallow()[:-1], "Sigmoid", "SoftmaxWithLoss"],
        {"rate": 0.01, "optimizer": "adam", "epochs": 60},
    ),
    "a tanh before a loss that has its own function": (
        "bounded_outputs",
        "classes",
        [*shallow()[:-1], "Tanh", "SoftmaxWithLoss"],
        {},
    ),
    "a sigmoid before real values": (
        "bounded_outputs",
        "values",
        [*regression()[:-1], "Sigmoid", "MeanSquaredError"],
        {"rate": 0.01, "optimizer": "adam", "given": VALUES},
    ),
    "a sigmoid before the logarithm of a rate": (
        "bounded_outputs",
        "counts",
        [*regression()[:-1], "Sigmoid", "Poisson"],
        {"rate": 0.01, "optimizer": "adam", "given": VALUES},
    ),
    "smooth targets": ("indistinct_targets", "classes", smoothed(0.95), {}),
    "adam at 0.5": ("rate_too_high", "classes", shallow(), {"rate": 0.5, "optimizer": "adam", "epochs": 10}),
    "adam at 0.5, which ends as if it were overfitting": (
        "rate_too_high",
        "noisy",
        shallow("Tanh"),
        {"rate": 0.5, "optimizer": "adam", "epochs": 80},
    ),
    "thirty steps with all rows": (
        "too_few_steps",
        "classes",
        [affine(16), "Sigmoid", affine(16), "Sigmoid", affine(CLASSES), "SoftmaxWithLoss"],
        {"batch_size": 260, "epochs": 30, "rate": 0.03},
    ),
    "a loss that still falls towards chance": ("too_few_steps", "classes", shallow(), {"rate": 0.001, "epochs": 20}),
    "values of a large unit": (
        "target_not_scaled",
        "wide",
        regression("Relu"),
        {"optimizer": "adam", "rate": 0.001, "given": VALUES},
    ),
    "a rate that falls at once": (
        "rate_too_low",
        "classes",
        shallow(),
        {"rate": {"exponential": {"first": 0.1, "factor": 0.5, "unit": "steps"}}},
    ),
    "a rare class": (
        "classes_never_predicted",
        "rare",
        [affine(8), "Relu", affine(2), "SoftmaxWithLoss"],
        {"epochs": 14},
    ),
}


@pytest.fixture(scope="module")
def heard_of(folder):
    """Return what was said of a sick training; each is done once."""
    known = {}

    def look(case):
        if case not in known:
            _, data, layers, options = SICK[case]
            known[case] = train(folder, data, layers, **options)
        return known[case]

    return look


@pytest.mark.parametrize("case", SICK)
def test_a_sick_training_is_called_by_its_name_first(case, heard_of):
    heard = heard_of(case)
    assert heard.names[0] == SICK[case][0], heard.symptoms
    assert len(heard.names) == len(set(heard.names)) <= 2


def test_losses_below_zero_are_counted_from_the_least(heard_of):
    first, *_ = heard_of("a sigmoid before the logarithm of a rate").symptoms
    assert first.finding == (
        "within its bounds, the loss can't fall below 2.55; without them, it can reach 0.00 "
        "(losses counted from -4.512, the least possible)"
    )


def test_every_symptom_is_told_of_a_layer_or_of_the_network(heard_of):
    of_layers = {"dead_units": "Relu2", "saturated_units": "Sigmoid1", "vanishing_gradient": "Affine1"}
    cases = ("dead units, by the rate", "saturated sigmoids", "vanishing gradient")
    assert {heard_of(case).symptoms[0].name: heard_of(case).symptoms[0].layer for case in cases} == of_layers
    assert heard_of("rate too low").symptoms[0].layer == ""


HEALTHY = {
    "relu": ("classes", shallow(), {}),
    "tanh": ("classes", shallow("Tanh"), {}),
    "sigmoid": ("classes", shallow("Sigmoid"), {"rate": 1.0}),
    "adam": ("classes", shallow(), {"rate": 0.01, "optimizer": "adam"}),
    "batch norm": ("classes", [affine(16), "BatchNorm", "Relu", {"Dropout": {"rate": 0.2}}, *shallow()[2:]], {}),
    "deep, with batch norm": (
        "classes",
        [*chain.from_iterable(repeat((affine(16), "BatchNorm", "Relu"), 8)), affine(CLASSES), "SoftmaxWithLoss"],
        {"rate": 0.05, "epochs": 10},
    ),
    "values": ("values", regression(), {"rate": 0.01, "optimizer": "adam", "given": {"predict": "values"}}),
    "counts whose loss is below zero": (
        "many",
        [*regression()[:-1], "Poisson"],
        {"rate": 0.003, "optimizer": "adam", "given": VALUES},
    ),
    "a sigmoid before shares": (
        "shares",
        [*regression()[:-1], "Sigmoid", "MeanSquaredError"],
        {"rate": 0.01, "optimizer": "adam", "given": VALUES},
    ),
    "values far from zero, scaled": (
        "far",
        regression(),
        {"rate": 0.01, "optimizer": "adam", "given": {"predict": "values"}},
    ),
    "large inputs, scaled": ("large", shallow(), {"given": {"standardize": True}}),
    "a rate in waves, and a loss that rises and falls with it": (
        "values",
        [affine(1), "MeanSquaredError"],
        {"rate": {"coslog": {"peak": 0.8}}, "given": VALUES},
    ),
    "one class in twenty-five": (
        "rarest",
        [affine(8), "Relu", affine(2), "SoftmaxWithLoss"],
        {"rate": 0.01, "optimizer": "adam", "epochs": 15},
    ),
    "smoothed labels": ("classes", smoothed(0.1), {}),
    "labels smoothed by half": ("classes", smoothed(0.5), {}),
    "a decay that keeps rows from being learned by heart": (
        "noisy",
        shallow(),
        {"optimizer": "adamw", "rate": 0.01, "epochs": 60, "given_optimizer": {"weight_decay": 1.0}},
    ),
    "a decay that shortens weights which learn": (
        "values",
        regression("Relu"),
        {"epochs": 60, "given_optimizer": {"weight_decay": 0.03}, "given": {"predict": "values"}},
    ),
    "adam at 0.1": ("classes", shallow("Tanh"), {"rate": 0.1, "optimizer": "adam", "epochs": 10}),
    "zeros as the last weights": (
        "classes",
        [affine(16), "Relu", {"Affine": {"units": CLASSES, "weights": "zeros"}}, "SoftmaxWithLoss"],
        {},
    ),
}


@pytest.mark.parametrize("case", HEALTHY)
def test_nothing_is_said_of_a_healthy_training(case, folder):
    data, layers, options = HEALTHY[case]
    assert train(folder, data, layers, **options).symptoms == []


def test_a_few_far_values_are_not_taken_for_large_first_weights(folder):
    layers = [affine(16), "Relu", affine(1), {"Pinball": {"quantiles": [0.5]}}]
    heard = train(folder, "outliers", layers, 0.01, optimizer="adam", epochs=3, given={"predict": "values"})
    assert heard.healths[0]["loss"] > 10 * heard.healths[0]["chance"]
    assert heard.names == ["too_few_steps"]


def test_units_that_are_off_for_all_rows_by_chance_are_not_called_dead(folder):
    examples, heard = np.load(folder / "classes.npz"), Listener()
    waves = {"Periodic": {"size": 4, "frequencies": 8, "std": 0.01}}
    hidden = {"Affine": {"units": 64, "weights": "fan_in_uniform", "biases": "fan_in_uniform"}}
    layers = [waves, hidden, *shallow()[1:]]
    mlpkit.fit(examples["x"], examples["t"], layers=layers, epochs=8, seed=5, observer=heard)
    first = {layer["layer"]: layer["dead"] for layer in heard.healths[0]["layers"]}
    assert first["Relu1"] > 0.55
    assert heard.symptoms == []


FOLLOWED = [
    "adam at 0.5",
    "dead units, by their first weights",
    "saturated sigmoids",
    "exploding gradient",
    "zeros as weights",
    "rate too high",
    "rate too high for adam",
    "rate too high after a warmup",
    "rate too high at the top of a cycle",
    "rate too low",
    "inputs too large",
    "inputs too small",
    "values far from zero",
    "first weights too large",
    "first weights too large for scaled values",
    "overfitting",
    "batch norm on one row",
    "dead units from the first layer on",
    "a loss that still falls towards chance",
    "values of a large unit",
]


@pytest.mark.parametrize("case", FOLLOWED)
def test_the_first_advice_helps(case, folder, heard_of):
    symptom = heard_of(case).symptoms[0]
    advice = symptom.advice[0].split()
    assert advice[::2] == ["--set"] * (len(advice) // 2)
    _, data, layers, options = SICK[case]
    again = train(folder, data, layers, **options, overrides=advice[1::2])
    assert symptom.name not in again.names


def test_a_symptom_is_plain_data_and_back():
    symptom = Symptom("dead_units", "Relu1", "all of them", ("--set a=1", "b"), 7)
    assert Symptom.from_plain(symptom.to_plain()) == symptom
    assert str(symptom) == "dead units in Relu1: all of them; try --set a=1, or b"


def test_classes_are_called_by_their_names_and_weights_are_no_advice_if_there_are_some(folder):
    rows = np.load(folder / "rare.npz")
    table = np.column_stack([rows["x"], rows["t"]])
    lines = [",".join([*map(str, row[:-1]), ("usual", "rare")[int(row[-1])]]) for row in table]
    (folder / "rare.csv").write_text("\n".join([",".join([*"abcdefghij", "kind"]), *lines]))
    layers = [affine(8), "Relu", affine(2)]
    given = {"file": "rare.csv", "target": "kind", "validation": 0.25, "test": 0}
    findings = {}
    for weights in (None, [1.0, 1.0]):
        loss = {"SoftmaxWithLoss": {"class_weights": weights}}
        spec = {
            "mlpkit": 1,
            "data": {"csv": given},
            "layers": [*layers, loss],
            "training": {"optimizer": {"sgd": {"learning_rate": 0.1}}, "batch_size": 32, "epochs": 14},
        }
        (folder / "rare.yaml").write_text(json.dumps(spec))
        heard = Listener()
        mlpkit.run(mlpkit.load_spec(folder / "rare.yaml"), observer=heard)
        (symptom,) = (symptom for symptom in heard.symptoms if symptom.name == "classes_never_predicted")
        findings[str(weights)] = symptom.finding, symptom.advice
    finding = "none of 192 training rows is predicted as class 'rare'"
    balance = "--set layers.SoftmaxWithLoss1.class_weights=balanced"
    assert findings == {"None": (finding, (balance, "more steps")), "[1.0, 1.0]": (finding, ("more steps",))}


def test_what_explains_a_symptom_is_one_itself():
    assert {cause for _, causes in SYMPTOMS.values() for cause in causes} <= set(SYMPTOMS)


def test_advice_scales_the_schedule_of_the_learning_rate(heard_of):
    heard = heard_of("rate too high at the top of a cycle")
    assert heard.symptoms[0].advice[0] == "--set training.optimizer.sgd.learning_rate.one_cycle.peak=0.08"


def test_gradients_that_are_clipped_need_not_be_clipped(folder, heard_of):
    _, data, layers, options = SICK["diverging"]
    clipped = train(folder, data, layers, **options, clip={"norm": 100.0})
    rate, clip = heard_of("diverging").symptoms[0].advice
    assert clip == "--set training.clip.norm=1"
    assert [symptom.advice for symptom in clipped.symptoms] == [(rate,)]


@pytest.mark.parametrize(("times", "exploded"), [(0.9e4, False), (1.1e4, True)])
def test_gradients_explode_or_vanish_by_four_orders_of_magnitude(times, exploded):
    def history(*sizes):
        layers = [
            {"layer": f"Affine{i}", "norm": 1.0, "gradient_norm": 1.0, "gradients": {"mean": 0.0, "std": size}}
            for i, size in enumerate(sizes, start=1)
        ]
        return HealthHistory(TrainingFacts(10), [], [{"iteration": i, "layers": layers} for i in range(3)])

    assert bool(exploding_gradient(history(times, 1.0))) == exploded
    assert bool(vanishing_gradient(history(1.0, times))) == exploded


def test_of_examples_in_memory_the_advice_is_a_keyword():
    heard = Listener()
    x = 1000 * np.random.default_rng(0).normal(size=(60, 3)) + 500
    mlpkit.fit(x, np.arange(60) % 2, layers=[affine(4), "Relu", affine(2), "SoftmaxWithLoss"], epochs=1, observer=heard)
    assert (heard.names[0], heard.symptoms[0].advice) == ("inputs_not_scaled", ("standardize=True",))
