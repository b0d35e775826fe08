"""The search of ``sweep.py``, written with Optuna and PyTorch in one process, as Optuna's example for PyTorch does it.

    python benchmarks/optuna_pytorch.py REQUEST

REQUEST is JSON: ``data``, the folder of MNIST's arrays; ``values`` of each trial, which Optuna is given, so that all
train the same networks; ``epochs``; ``batch_size``; and ``loader``, whether minibatches come from a ``DataLoader``, as
in the example, or are gathered by index, which is faster. Prints the accuracy of each trial as JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import optuna
from search_pytorch import OPTIMIZERS, Examples, accuracies, examples_of


def objective(trial: optuna.Trial, train: Examples, test: Examples, request: dict[str, Any]) -> float:
    """Train a network with the values of a trial, and return its accuracy on the test split."""
    values = {
        "layers.Affine1.units": trial.suggest_int("layers.Affine1.units", 16, 128),
        "training.optimizer": trial.suggest_categorical("training.optimizer", list(OPTIMIZERS)),
        "training.optimizer.learning_rate": trial.suggest_float(
            "training.optimizer.learning_rate", 1e-4, 1e-1, log=True
        ),
    }
    accuracy = 0.0
    for epoch, accuracy in enumerate(accuracies(values, train, test, request)):
        trial.report(accuracy, epoch)
    return accuracy


def main(request: dict[str, Any]) -> int:
    """Do the search."""
    train, test = (examples_of(request["data"], split) for split in ("train", "test"))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    for values in request["values"]:
        study.enqueue_trial(values)
    study.optimize(lambda trial: objective(trial, train, test, request), n_trials=len(request["values"]))
    print(json.dumps([trial.value for trial in study.trials]))
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
