"""TabM (Gorishniy, Kotelnikov and Babenko, Parameter-Efficient Ensembling, 2025)."""

from __future__ import annotations

from typing import Any, Final

from mlpkit_plugins.first_networks.first_spec import Commented
from mlpkit_plugins.recipes.table_recipe import EVALUATE_TRAIN, TableFacts, TableNetwork, written_batch_size

MEMBERS: Final = 32
WIDTH: Final = 512
BATCH: Final = 256
EPOCHS: Final = 1000


def tabm(facts: TableFacts) -> TableNetwork:
    """Return TabM for a table."""
    loss = "SoftmaxWithLoss" if facts.has_classes else "MeanSquaredError"
    monitor = "accuracy" if facts.has_classes else "mean_squared_error"
    first = {"BatchEnsembleAffine": {"units": WIDTH, "r": "random_signs"}}
    then: list[Any] = ["Relu", {"Dropout": {"rate": 0.1}}]
    further = [{"BatchEnsembleAffine": {"units": WIDTH}}, *then]
    batch = facts.batch_size(BATCH)
    training = {
        "optimizer": {"adamw": {"learning_rate": 0.002, "weight_decay": 0}},
        "batch_size": written_batch_size(batch, BATCH),
        "epochs": Commented(EPOCHS, "at most"),
        "evaluate_train": EVALUATE_TRAIN,
        "metrics": [monitor],
        "early_stopping": {"metric": monitor, "patience": 16},
        "best_weights": monitor,
    }
    layers = [
        {"EnsembleView": {"members": MEMBERS}},
        Commented(first, "random signs make the members differ"),
        *then,
        *further * 2,
        Commented({"EnsembleAffine": {"units": "auto"}}, "each member has its own"),
        {"EnsembleLoss": {"loss": loss}},
    ]
    decisions = [
        ("network", f"TabM: {MEMBERS} networks in one, each of 3 hidden layers of {WIDTH} units"),
        ("training", f"{EPOCHS} epochs at most, in minibatches of {batch}, with early stopping"),
    ]
    data = {"numbers": Commented("quantile", "to a normal distribution, by rank")}
    title = "TabM, 32 networks in one, which share nearly all weights"
    return TableNetwork(title, data, layers, training, decisions)
