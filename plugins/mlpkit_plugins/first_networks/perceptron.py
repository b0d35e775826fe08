"""A multilayer perceptron to begin with, and how to train it: what did well on tables of many sizes."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlpkit.components.recipe import KeyPath

WIDTH: Final = 256
WEIGHTS: Final = "lecun_normal"
ACTIVATION: Final = "Relu"
RATE: Final = 0.001
DECAY: Final = 0.02
AVERAGING: Final = 0.995

SMOOTHING: Final = 0.1

SMALL: Final = 1000
"""Up to so many training rows, a network has a single hidden layer, and more dropout."""

LARGE: Final = 20_000
"""From so many on, values are predicted without dropout."""

BATCHES_PER_EPOCH: Final = 16
SMALLEST_BATCH: Final = 16
LARGEST_BATCH: Final = 256
"""About so many minibatches make an epoch, between a smallest and a largest one; none has more rows than there are."""

ENOUGH_FOR_A_METRIC: Final = 3000
"""With fewer training rows, the loss tells better which weights did best: a share of few validation rows is coarse."""

STEPS: Final = 4000
FEWEST_EPOCHS: Final = 5
MOST_EPOCHS: Final = 200
"""About so many steps make a training, between a smallest and a largest number of epochs."""

EVALUATIONS: Final = 40
"""Evaluations in the whole of it, at most one an epoch."""

PATIENCE: Final = 12
"""Evaluations without improvement after which it ends."""

AGAINST_OVERFITTING: Final = "against learning rows by heart; raise it if training does much better than validation"

RARE: Final = 0.2
"""A class is rare if it has less than this share of the rows that it would have if all had as many."""

CLASSES_SHOWN: Final = 8

LARGEST_WEIGHT: Final = 10.0
"""A rare class weighs at most this many times as much as the others."""


class ClassTarget(NamedTuple):
    """A target of classes.

    Args:
        counts: how many examples each class has, by its name.
    """

    counts: Mapping[str, int]

    def __str__(self) -> str:
        """Read as in ``2 classes: cat 40%, dog 60%``."""
        total = sum(self.counts.values())
        shown = [f"{name} {count / total:.0%}" for name, count in list(self.counts.items())[:CLASSES_SHOWN]]
        return f"{len(self.counts)} classes: {', '.join(shown)}{', ...' if len(self.counts) > len(shown) else ''}"


class ValueTarget(NamedTuple):
    """A target of numbers, which are scaled while training."""


class LabelTarget(NamedTuple):
    """A target of labels, several of which can apply at once."""


TargetToLearn: TypeAlias = ClassTarget | ValueTarget | LabelTarget


class FirstNetwork(NamedTuple):
    """What a spec says of a network and its training.

    Args:
        keys: ``layers`` and ``training``.
        comments: why, by the path of a key.
        decisions: what was decided, each a label and a text.
    """

    keys: Mapping[str, Any]
    comments: Mapping[KeyPath, str]
    decisions: Sequence[tuple[str, str]]


class Hidden(NamedTuple):
    """The layers before the last ones.

    Args:
        layers: the layers.
        comments: why, by position.
        shape: what they are, in words.
        training: keys of ``training`` that go with them.
    """

    layers: Sequence[Any]
    comments: Mapping[int, str]
    shape: str
    training: Mapping[str, Any] = MappingProxyType({})


def perceptron(examples: int, target: TargetToLearn) -> FirstNetwork:
    """Return a network for examples that are rows of numbers, about standardized, and how to train it.

    Args:
        examples: how many there are to train on.
        target: what is to be predicted.
    """
    size = Size.of(examples)
    hidden: list[Any] = [{"Affine": {"units": WIDTH, "weights": WEIGHTS}}, ACTIVATION]
    comments = {0: f"{size.hidden_layers}: for some {rounded(examples)} training rows"}
    if rate := _dropout(examples, target):
        hidden.append({"Dropout": {"rate": rate}})
        comments[2] = AGAINST_OVERFITTING
    return first_network(Hidden(hidden * size.depth, comments, size.hidden_layers), size, examples, target)


def first_network(hidden: Hidden, size: Size, examples: int, target: TargetToLearn) -> FirstNetwork:
    """Return a network with the last layers that fit a target, and how to train it.

    Args:
        hidden: the layers before these.
        size: how long to train, and in which parts.
        examples: how many there are to train on.
        target: what is to be predicted.
    """
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
        ("training", "moving_average"): "the weights of the last few hundred steps are averaged, which steadies them",
        ("training", "early_stopping"): "ends if validation has long stopped improving",
        ("training", "best_weights"): "ends with the weights that did best on the validation rows",
        **{("layers", index): text for index, text in hidden.comments.items()},
        **{("layers", len(hidden.layers) + index): text for index, text in output.comments.items()},
    }
    length = f"adamw, {size.epochs} epochs at most, in minibatches of {size.batch}, with early stopping"
    decisions = [*output.decisions, ("network", f"{hidden.shape}, {output.loss}"), ("training", length)]
    return FirstNetwork({"layers": [*hidden.layers, *output.layers], "training": training}, comments, decisions)


class Size(NamedTuple):
    """What fits a number of examples."""

    depth: int
    batch: int
    epochs: int
    steps_between_evaluations: int

    @property
    def hidden_layers(self) -> str:
        """The hidden layers in words."""
        return f"{self.depth} hidden layer{'s' * (self.depth > 1)} of {WIDTH} units"

    @classmethod
    def of(cls, examples: int, *, largest_batch: int = LARGEST_BATCH, steps: int = STEPS) -> Size:
        """Return what fits.

        Args:
            examples: how many there are to train on.
            largest_batch: the most examples in a minibatch.
            steps: about how many steps to do.
        """
        examples = max(examples, 1)
        batch = max(SMALLEST_BATCH, 2 ** round(math.log2(examples / BATCHES_PER_EPOCH)))
        batch = min(batch, largest_batch, 2 ** int(math.log2(examples)))
        steps_per_epoch = -(-examples // batch)
        epochs = min(MOST_EPOCHS, max(FEWEST_EPOCHS, round(steps / steps_per_epoch)))
        between = max(steps_per_epoch, epochs * steps_per_epoch // EVALUATIONS)
        return cls(1 if examples <= SMALL else 3, batch, epochs, between)


def _dropout(examples: int, target: TargetToLearn) -> float:
    """Return the rate of dropout: more for fewer rows, and less for values, which its noise blurs."""
    rate = 0.2 if examples <= SMALL else 0.1
    if not isinstance(target, ValueTarget):
        return rate
    return rate / 2 if examples <= LARGE else 0.0


class _Output(NamedTuple):
    """The last layers, and what else depends on the target; comments by position among these layers."""

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
    comments = {0: "as many units as classes", 1: "smoothed labels keep it from being too sure of itself"}
    loss: dict[str, Any] = {"label_smoothing": SMOOTHING}
    layers = [affine, {"SoftmaxWithLoss": loss}]
    weights = _class_weights(target.counts)
    if not weights:
        return _Output(layers, "softmax", metrics, "accuracy", comments)
    loss["class_weights"] = weights
    comments[1] += "; rare classes weigh more: leave out class_weights for the best accuracy"
    rare = [("rare classes", f"weigh up to {max(weights.values()):.2g} times as much as the others")]
    return _Output(layers, "softmax", ["f1", *metrics], "f1", comments, decisions=rare)


def _class_weights(counts: Mapping[str, int]) -> dict[str, float]:
    """Return the weights of rare classes: the root of how much rarer they are than a class that is just not rare."""
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
    """Return a number with two digits, as in 1,200."""
    return f"{int(float(f'{count:.2g}')):,}"
