"""A multilayer perceptron to begin with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlpkit_plugins.first_networks.perceptron import ClassTarget, LabelTarget, ValueTarget, perceptron

PAGE = Path(__file__).parents[3] / "docs" / "data.md"


def loss_of(network):
    (name, parameters), *_ = network.keys["layers"][-1].items()
    return name, parameters


def units_of(network):
    return [layer["Affine"]["units"] for layer in network.keys["layers"] if "Affine" in layer]


targets = st.sampled_from([ValueTarget(), LabelTarget()]) | st.builds(
    ClassTarget, st.dictionaries(st.text(max_size=5), st.integers(1, 10**6), min_size=2, max_size=30)
)


@given(st.integers(1, 10**9), targets)
def test_every_size_gets_a_training_that_takes_part_of_its_rows_at_a_time(examples, target):
    training = perceptron(examples, target).keys["training"]
    assert examples // 2 < training["batch_size"] <= examples if examples < 16 else 16 <= training["batch_size"] <= 256
    assert 5 <= training["epochs"] <= 200
    steps = training["epochs"] * -(-examples // training["batch_size"])
    assert 1 <= steps // training["evaluate_every"] <= 41


@given(st.integers(1, 10**9), targets)
def test_comments_are_about_what_is_there(examples, target):
    network = perceptron(examples, target)
    for path in network.comments:
        found = network.keys
        for key in path:
            found = found[key]


def test_more_rows_get_a_deeper_network():
    few, many = (
        perceptron(examples, ClassTarget({"a": examples // 2, "b": examples // 2})) for examples in (500, 50_000)
    )
    assert units_of(few) == [256, "auto"]
    assert units_of(many) == [256, 256, 256, "auto"]


CLASSES, VALUES, LABELS = ClassTarget({"a": 60, "b": 40}), ValueTarget(), LabelTarget()


@pytest.mark.parametrize(
    ("examples", "target", "depth", "dropout", "batch", "epochs", "between"),
    [
        (1, VALUES, 1, 0.1, 1, 200, 5),
        (3, VALUES, 1, 0.1, 2, 200, 10),
        (100, LABELS, 1, 0.2, 16, 200, 35),
        (1000, CLASSES, 1, 0.2, 64, 200, 80),
        (1001, CLASSES, 3, 0.1, 64, 200, 80),
        (20_000, VALUES, 3, 0.05, 256, 51, 100),
        (20_001, VALUES, 3, None, 256, 51, 100),
        (1_000_000, LABELS, 3, 0.1, 256, 5, 3907),
    ],
)
def test_depth_noise_and_length_go_by_the_rows(examples, target, depth, dropout, batch, epochs, between):
    network = perceptron(examples, target)
    layers, training = network.keys["layers"], network.keys["training"]
    assert units_of(network) == [256] * depth + ["auto"]
    noise = [layer["Dropout"]["rate"] for layer in layers if "Dropout" in layer]
    assert noise == ([] if dropout is None else [dropout] * depth)
    assert [training[key] for key in ("batch_size", "epochs", "evaluate_every")] == [batch, epochs, between]


EXAMPLES = {
    "rare classes": (1234, ClassTarget({"ham": 9900, "spam": 100, "junk": 1})),
    "numbers": (50_000, VALUES),
    "labels": (12, LABELS),
}


def test_a_first_network_is_word_for_word_what_it_was(golden):
    """Constants and comments that did well on tables, which no other test can know."""
    shown = {}
    for name, (examples, target) in EXAMPLES.items():
        network = perceptron(examples, target)
        comments = {".".join(map(str, path)): text for path, text in network.comments.items()}
        shown[name] = {**network.keys, "comments": comments, "decisions": dict(network.decisions)}
    text = yaml.safe_dump(json.loads(json.dumps(shown)), sort_keys=False, width=120, default_flow_style=None)
    golden(Path(__file__).parent / "perceptron.golden.yaml", text)


def test_few_rows_are_judged_by_the_loss():
    few, many = (perceptron(examples, ClassTarget({"a": 500, "b": 500})).keys["training"] for examples in (300, 9000))
    assert (few["best_weights"], many["best_weights"]) == ("loss", "accuracy")
    assert few["early_stopping"]["metric"] == many["early_stopping"]["metric"] == "loss"


def test_many_classes_are_shown_by_the_first_eight():
    assert str(CLASSES) == "2 classes: a 60%, b 40%"
    assert str(ClassTarget(dict.fromkeys("abcdefgh", 1))).endswith(" 12%, h 12%")
    assert str(ClassTarget(dict.fromkeys("abcdefghi", 1))).endswith(" 11%, h 11%, ...")


def test_classes_that_are_about_as_frequent_have_no_weights():
    network = perceptron(1000, ClassTarget({"a": 900, "b": 100}))
    assert loss_of(network) == ("SoftmaxWithLoss", {"label_smoothing": 0.1})
    network = perceptron(1000, ClassTarget({"a": 500, "b": 300, "c": 200}))
    assert loss_of(network) == ("SoftmaxWithLoss", {"label_smoothing": 0.1})
    assert network.keys["training"]["metrics"] == ["accuracy"]


def test_rare_classes_weigh_more_and_are_looked_after():
    network = perceptron(10_000, ClassTarget({"ham": 9900, "spam": 100}))
    assert loss_of(network)[1]["class_weights"] == {"spam": pytest.approx(10**0.5, abs=0.01)}
    training = network.keys["training"]
    assert training["metrics"] == ["f1", "accuracy", "roc_auc"]
    assert training["best_weights"] == "f1"
    assert ("rare classes", "weigh up to 3.2 times as much as other classes") in network.decisions


@given(st.dictionaries(st.text(max_size=5), st.integers(1, 10**6), min_size=2, max_size=30))
def test_only_rare_classes_weigh_more_and_the_rarer_the_more(counts):
    weights = loss_of(perceptron(1000, ClassTarget(counts)))[1].get("class_weights", {})
    enough = 0.2 * sum(counts.values()) / len(counts)
    assert all(counts[name] < enough and 1 < weight <= 10 for name, weight in weights.items())
    assert all(weights.get(name, 1) >= 1.01 for name in counts if counts[name] < 0.95 * enough)
    ordered = sorted(counts, key=counts.__getitem__)
    assert [weights.get(name, 1) for name in ordered] == sorted((weights.get(name, 1) for name in counts), reverse=True)


def test_noise_does_not_blur_values_if_rows_are_many():
    few, many = (perceptron(examples, ValueTarget()).keys["layers"] for examples in (500, 50_000))
    assert {"Dropout": {"rate": 0.1}} in few
    assert not any("Dropout" in layer for layer in many)
    assert few[-2:] == many[-2:] == [{"Affine": {"units": "auto", "weights": "lecun_normal"}}, "MeanSquaredError"]


@pytest.mark.parametrize(("examples", "monitor"), [(2999, "loss"), (3000, "f1")])
def test_what_chooses_the_best_weights_with_rare_classes_is_what_the_docs_say(examples, monitor):
    network = perceptron(examples, ClassTarget({"common": examples - 30, "rare": 30}))
    assert network.keys["training"]["metrics"][0] == "f1"
    assert network.keys["training"]["best_weights"] == monitor
    text = " ".join(PAGE.read_text().split())
    assert (
        "`f1` is reported. It chooses the best weights from 3,000 training rows on; with fewer, the loss does" in text
    )
