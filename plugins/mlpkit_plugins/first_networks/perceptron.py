"""A first multilayer perceptron and its training, which did well on tables of many sizes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from mlpkit_plugins.first_networks.first_spec import Commented, FirstNetwork, split_comments
from mlpkit_plugins.formats.texts import writes_number

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
    """A target of classes, with the number of examples of each."""

    counts: Mapping[str, int]

    def __str__(self) -> str:
        """Return a text such as ``2 classes: cat 40%, dog 60%``, without the decimals of whole numbers."""
        total = sum(self.counts.values())
        shown = [
            f"{name.removesuffix('.0') if writes_number(name) else name} {count / total:.0%}"
            for name, count in list(self.counts.items())[:CLASSES_SHOWN]
        ]
        return f"{len(self.counts)} classes: {', '.join(shown)}{', ...' if len(self.counts) > len(shown) else ''}"


class ValueTarget(NamedTuple):
    """A target of numbers, which are scaled while training."""


class LabelTarget(NamedTuple):
    """A target of labels, several of which can apply at once."""


TargetToLearn: TypeAlias = ClassTarget | ValueTarget | LabelTarget


def perceptron(examples: int, target: TargetToLearn) -> FirstNetwork:
    """Return a network for rows of roughly standardized numbers, and its training."""
    size, rate = Size.of(examples), _dropout(examples, target)
    affine, dropout = {"Affine": {"units": WIDTH, "weights": WEIGHTS}}, {"Dropout": {"rate": rate}}
    first = Commented(affine, f"{size.hidden_layers}: for some {rounded(examples)} training rows")
    hidden: list[Any] = [first, ACTIVATION, *([Commented(dropout, AGAINST_OVERFITTING)] if rate else [])]
    hidden += [affine, ACTIVATION, *([dropout] if rate else [])] * (size.depth - 1)
    return first_network(hidden, size.hidden_layers, size, examples, target)


def first_network(
    hidden: Sequence[Any], shape: str, size: Size, examples: int, target: TargetToLearn, **training: Any
) -> FirstNetwork:
    """Add the last layers for a target to hidden layers of some shape, and return the network with its training."""
    output = _output(target)
    training = {
        "optimizer": {"adamw": {"learning_rate": RATE, "weight_decay": DECAY}},
        "batch_size": size.batch,
        "epochs": Commented(size.epochs, "at most"),
        "evaluate_every": Commented(size.steps_between_evaluations, "steps"),
        "metrics": output.metrics,
        "moving_average": Commented({"decay": AVERAGING}, "averages the weights of the last few hundred steps"),
        "early_stopping": Commented(
            {"metric": "loss", "patience": PATIENCE}, "stops when validation no longer improves"
        ),
        "best_weights": Commented(
            output.monitor if examples >= ENOUGH_FOR_A_METRIC else "loss",
            "keeps the weights that did best on the validation rows",
        ),
        **training,
    }
    keys, comments = split_comments({"layers": [*hidden, *output.layers], "training": training})
    length = f"adamw, {size.epochs} epochs at most, in minibatches of {size.batch}, with early stopping"
    decisions = [*output.decisions, ("network", f"{shape}, {output.loss}"), ("training", length)]
    return FirstNetwork(keys, comments, decisions)


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
    """The last layers, and the keys of training that depend on the target."""

    layers: Sequence[Any]
    loss: str
    metrics: Sequence[Any]
    monitor: str
    decisions: Sequence[tuple[str, str]] = ()


def _output(target: TargetToLearn) -> _Output:
    affine = {"Affine": {"units": "auto", "weights": WEIGHTS}}
    if isinstance(target, ValueTarget):
        return _Output([affine, "MeanSquaredError"], "mean squared error", ["r2", "mean_absolute_error"], "loss")
    if isinstance(target, LabelTarget):
        layers = [Commented(affine, "as many units as labels"), "SigmoidWithLoss"]
        return _Output(layers, "a sigmoid for each label", [{"f1": {"threshold": 0.5}}], "loss")
    metrics = ["accuracy", "roc_auc"] if len(target.counts) == 2 else ["accuracy"]
    first, why = Commented(affine, "as many units as classes"), "smoothed labels prevent overconfidence"
    loss: dict[str, Any] = {"label_smoothing": SMOOTHING}
    weights = _class_weights(target.counts)
    if not weights:
        return _Output([first, Commented({"SoftmaxWithLoss": loss}, why)], "softmax", metrics, "accuracy")
    why += "; rare classes weigh more: leave out class_weights for the best accuracy"
    layers = [first, Commented({"SoftmaxWithLoss": {**loss, "class_weights": weights}}, why)]
    rare = [("rare classes", f"weigh up to {max(weights.values()):.2g} times as much as other classes")]
    return _Output(layers, "softmax", ["f1", *metrics], "f1", rare)


def _class_weights(counts: Mapping[str, int]) -> dict[str, float]:
    """Return the weights of rare classes: √(rows of a class that is just not rare / rows of the class)."""
    enough = RARE * sum(counts.values()) / len(counts)
    weights = {name: round(min(LARGEST_WEIGHT, math.sqrt(enough / count)), 2) for name, count in counts.items()}
    return {name: weight for name, weight in weights.items() if weight > 1}


def rounded(count: int) -> str:
    """Round a number to two digits, as in 1,200."""
    return f"{int(float(f'{count:.2g}')):,}"
