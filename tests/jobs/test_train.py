"""How a spec is trained, and which of its evaluations is the best."""

import mlpkit
from mlpkit.training.checkpointing import Best, tracker_of


def test_an_evaluation_whose_metric_was_not_finite_is_not_the_best():
    training = {
        "optimizer": "sgd",
        "batch_size": 10,
        "epochs": 1,
        "metrics": ["accuracy"],
        "best_weights": "accuracy",
    }
    spec = mlpkit.load_spec({"mlpkit": 1, "data": "mnist", "layers": ["SoftmaxWithLoss"], "training": training})
    left_out = {"iteration": 1, "train_loss": 1.0, "validation_loss": 1.0, "train_accuracy": 0.9}  # as in history.jsonl
    whole = {**left_out, "iteration": 2, "validation_accuracy": 0.5}

    assert tracker_of(spec.training, [left_out, whole]).best == Best(2, 0.5)
