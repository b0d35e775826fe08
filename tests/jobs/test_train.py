"""How a spec is trained, and which of its evaluations is the best."""

import pytest

import mlpkit
from mlpkit.errors import UsageError
from mlpkit.jobs.train import train_spec
from mlpkit.training.checkpointing import Best, tracker_of
from mlpkit.training.ranks import Ranks


def training_section(**keys):
    training = {"optimizer": "sgd", "batch_size": 10, "epochs": 1, "metrics": ["accuracy", "f1", "log_loss"], **keys}
    return mlpkit.load_spec(
        {"mlpkit": 1, "data": "mnist", "layers": ["SoftmaxWithLoss"], "training": training}
    ).training


STOPPING = {"early_stopping": {"metric": "accuracy", "patience": 2}}
SAVING = {"checkpoint": {"best": "log_loss"}}


@pytest.mark.parametrize(
    ("keys", "monitor", "higher", "step"),
    [
        ({}, "loss", False, 2),
        (STOPPING, "accuracy", True, 3),
        (SAVING, "log_loss", False, 1),
        ({"checkpoint": {"every": 5}} | STOPPING, "accuracy", True, 3),
        (STOPPING | SAVING, "log_loss", False, 1),
        (STOPPING | SAVING | {"best_weights": "f1"}, "f1", True, 2),
        (STOPPING | {"ties": "last"}, "accuracy", True, 4),
    ],
)
def test_the_evaluation_that_is_marked_as_the_best(keys, monitor, higher, step):
    figures = {"loss": [3, 1, 2, 2], "accuracy": [0.5, 0.5, 0.75, 0.75], "f1": [0.25, 0.5, 0.125, 0.25]}
    figures |= {"log_loss": [0.125, 0.5, 0.75, 0.25]}
    history = [
        {"iteration": i + 1, **{f"validation_{name}": values[i] for name, values in figures.items()}} for i in range(4)
    ]
    tracker = tracker_of(training_section(**keys), history)
    assert (tracker.monitor, tracker.higher_is_better, tracker.best.step) == (monitor, higher, step)
    assert tracker.best.value == figures[monitor][step - 1]


def test_an_evaluation_whose_metric_was_not_finite_is_not_the_best():
    left_out = {"iteration": 1, "train_loss": 1.0, "validation_loss": 1.0, "train_accuracy": 0.9}  # as in history.jsonl
    whole = {**left_out, "iteration": 2, "validation_accuracy": 0.5}

    assert tracker_of(training_section(best_weights="accuracy"), [left_out, whole]).best == Best(2, 0.5)


class ThreeRanks(Ranks):
    size = 3


def test_layers_that_couple_examples_need_slices_chosen_for_several_ranks(work):
    layers = [{"Affine": {"units": 4}}, "BatchNorm", {"Affine": {"units": 10}}, "SoftmaxWithLoss"]
    with pytest.raises(UsageError) as raised:
        train_spec(mlpkit.load_spec("tiny.yaml", overrides={"layers": layers}), "run", ranks=ThreeRanks())
    assert str(raised.value) == (
        "BatchNorm1 computes over the examples of each of the 3 slices alone, which gives different results from one "
        "slice; if that is intended, give the 3 ranks their slices: training.slices=3"
    )
    assert not (work / "run").exists()
