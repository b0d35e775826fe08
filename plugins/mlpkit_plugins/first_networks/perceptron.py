"""A first multilayer perceptron and its training, which did well on tables of many sizes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from mlpkit.components.recipe import KeyPath

WIDTH: Final = 256
WEIGHTS: Final = "lecun_normal"
ACTIVATION: Final = "Relu"
RATE: Final = 0.001
DECAY: Final = 0.02
AVERAGING: Final = 0.995

SMOOTHING: Final = 0.1

SMALL: Final = 1000
"""Up to this number of training rows, a network has a single hidden layer, and more dropout."""

LARGE: Final = 20_000
"""Above this number of training rows, values are predicted without dropout."""

BATCHES_PER_EPOCH: Final = 16
SMALLEST_BATCH: Final = 16
LARGEST_BATCH: Final = 256
"""The approximate number of minibatches in an epoch, and the bounds on their size."""

ENOUGH_FOR_A_METRIC: Final = 3000
"""With fewer training rows, the loss chooses the best weights, since a share of few validation rows is coarse."""

STEPS: Final = 4000
FEWEST_EPOCHS: Final = 5
MOST_EPOCHS: Final = 200
"""The approximate number of steps in a training, and the bounds on its epochs."""

EVALUATIONS: Final = 40
"""Evaluations in a training, at most one per epoch."""

PATIENCE: Final = 12
"""Evaluations without improvement after which training stops."""

AGAINST_OVERFITTING: Final = "against overfitting; raise it if training does much better than validation"

RARE: Final = 0.2
"""A class is rare if it has less than this share of the mean number of rows per class."""

CLASSES_SHOWN: Final = 8

LARGEST_WEIGHT: Final = 10.0
"""The largest weight of a rare class, relative to other classes."""


class ClassTarget(NamedTuple):
    """A target of classes.

    Args:
        counts: the number of examples of each class, by its name.
    """

    counts: Mapping[str, int]

    def __str__(self) -> str:
        """Return a text such as ``2 classes: cat 40%, dog 60%``."""
        total = sum(self.counts.values())
        shown = [f"{name} {count / total:.0%}" for name, count in list(self.counts.items())[:CLASSES_SHOWN]]
        return f"{len(self.counts)} classes: {', '.join(shown)}{', ...' if len(self.counts) > len(shown) else ''}"


class ValueTarget(NamedTuple):
    """A target of numbers, which are scaled while training."""


class LabelTarget(NamedTuple):
    """A target of labels, several of which can apply at once."""


TargetToLearn: TypeAlias = ClassTarget | ValueTarget | LabelTarget


class FirstNetwork(NamedTuple):
    """The network and training of a spec.

    Args:
        keys: ``layers`` and ``training``.
        comments: the reasons, by the path of a key.
        decisions: the decisions made, each a label and a text.
    """

    keys: Mapping[str, Any]
    comments: Mapping[KeyPath, str]
    decisions: Sequence[tuple[str, str]]


class Hidden(NamedTuple):
    """The layers before the last ones.

    Args:
        layers: the layers.
        comments: the reasons, by position.
        shape: their description.
        training: keys of ``training`` that belong to them.
    """

    layers: Sequence[Any]
    comments: Mapping[int, str]
    shape: str
    training: Mapping[str, Any] = MappingProxyType({})


def perceptron(examples: int, target: TargetToLearn) -> FirstNetwork:
    """Return a network for rows of roughly standardized numbers, and its training."""
    size = Size.of(examples)
    hidden: list[Any] = [{"Affine": {"units": WIDTH, "weights": WEIGHTS}}, ACTIVATION]
    comments = {0: f"{size.hidden_layers}: for some {rounded(examples)} training rows"}
    if rate := _dropout(examples, target):
        hidden.append({"Dropout": {"rate": rate}})
        comments[2] = AGAINST_OVERFITTING
    return first_network(Hidden(hidden * size.depth, comments, size.hidden_layers), size, examples, target)


def first_network(hidden: Hidden, size: Size, examples: int, target: TargetToLearn) -> FirstNetwork:
    """Add the last layers for a target to hidden layers, and return the network with its training."""
    output = _output(target)
    training = {
        "optimizer": {"adamw": {"learning_rate": RATE, "weight_decay": DECAY}},
        "batch_size": size.batch,
        "epochs": size.epochs,
        "evaluate_every": size.steps_between_evaluations,
        "metrics": output.metrics,
        "moving_average": {"decay": AVERAGING},
        "early_stopping": {"metric": "loss", "patience": PATIENCE},
        "best_weights": output.monitor if examples >= ENOUGH_FOR_A_METRIC else "loss",
        **hidden.training,
    }
    comments: dict[KeyPath, str] = {
        ("training", "epochs"): "at most",
        ("training", "evaluate_every"): "steps",
        ("training", "moving_average"): "averages the weights of the last few hundred steps",
        ("training", "early_stopping"): "stops when validation no longer improves",
        ("training", "best_weights"): "keeps the weights that did best on the validation rows",
        **{("layers", index): text for index, text in hidden.comments.items()},
        **{("layers", len(hidden.layers) + index): text for index, text in output.comments.items()},
    }
    length = f"adamw, {size.epochs} epochs at most, in minibatches of {size.batch}, with early stopping"
    decisions = [*output.decisions, ("network", f"{hidden.shape}, {output.loss}"), ("training", length)]
    return FirstNetwork({"layers": [*hidden.layers, *output.layers], "training": training}, comments, decisions)


class Size(NamedTuple):
    """The depth and the length of training for a number of examples."""

    depth: int
    batch: int
    epochs: int
    steps_between_evaluations: int

    @property
    def hidden_layers(self) -> str:
        """The description of the hidden layers."""
        return f"{self.depth} hidden layer{'s' * (self.depth > 1)} of {WIDTH} units"

    @classmethod
    def of(cls, examples: int, *, largest_batch: int = LARGEST_BATCH, steps: int = STEPS) -> Size:
        """Choose a size."""
        examples = max(examples, 1)
        batch = max(SMALLEST_BATCH, 2 ** round(math.log2(examples / BATCHES_PER_EPOCH)))
        batch = min(batch, largest_batch, 2 ** int(math.log2(examples)))
        steps_per_epoch = -(-examples // batch)
        epochs = min(MOST_EPOCHS, max(FEWEST_EPOCHS, round(steps / steps_per_epoch)))
        between = max(steps_per_epoch, epochs * steps_per_epoch // EVALUATIONS)
        return cls(1 if examples <= SMALL else 3, batch, epochs, between)


def _dropout(examples: int, target: TargetToLearn) -> float:
    """Return the rate of dropout: higher for fewer rows, and lower for values, which its noise blurs."""
    rate = 0.2 if examples <= SMALL else 0.1
    if not isinstance(target, ValueTarget):
        return rate
    return rate / 2 if examples <= LARGE else 0.0


class _Output(NamedTuple):
    """The last layers, with comments by their position, and the keys of training that depend on the target."""

    layers: Sequence[Any]
    loss: str
    metrics: Sequence[Any]
    monitor: str
    comments: Mapping[int, str]
    decisions: Sequence[tuple[str, str]] = ()


def _output(target: TargetToLearn) -> _Output:
    if isinstance(target, ClassTarget):
        return _for_classes(target)
    return _for_labels() if isinstance(target, LabelTarget) else _for_values()


def _for_classes(target: ClassTarget) -> _Output:
    count = len(target.counts)
    affine = {"Affine": {"units": "auto", "weights": WEIGHTS}}
    metrics = ["accuracy", "roc_auc"] if count == 2 else ["accuracy"]
    comments = {0: "as many units as classes", 1: "smoothed labels prevent overconfidence"}
    loss: dict[str, Any] = {"label_smoothing": SMOOTHING}
    layers = [affine, {"SoftmaxWithLoss": loss}]
    weights = _class_weights(target.counts)
    if not weights:
        return _Output(layers, "softmax", metrics, "accuracy", comments)
    loss["class_weights"] = weights
    comments[1] += "; rare classes weigh more: leave out class_weights for the best accuracy"
    rare = [("rare classes", f"weigh up to {max(weights.values()):.2g} times as much as other classes")]
    return _Output(layers, "softmax", ["f1", *metrics], "f1", comments, decisions=rare)


def _class_weights(counts: Mapping[str, int]) -> dict[str, float]:
    """Return the weights of rare classes: √(rows of a class that is just not rare / rows of the class)."""
    enough = RARE * sum(counts.values()) / len(counts)
    weights = {name: round(min(LARGEST_WEIGHT, math.sqrt(enough / count)), 2) for name, count in counts.items()}
    return {name: weight for name, weight in weights.items() if weight > 1}


def _for_values() -> _Output:
    layers = [{"Affine": {"units": "auto", "weights": WEIGHTS}}, "MeanSquaredError"]
    return _Output(layers, "mean squared error", ["r2", "mean_absolute_error"], "loss", {})


def _for_labels() -> _Output:
    layers = [{"Affine": {"units": "auto", "weights": WEIGHTS}}, "SigmoidWithLoss"]
    return _Output(
        layers, "a sigmoid for each label", [{"f1": {"threshold": 0.5}}], "loss", {0: "as many units as labels"}
    )


def rounded(count: int) -> str:
    """Round a number to two digits, as in 1,200."""
    return f"{int(float(f'{count:.2g}')):,}"
