"""MLP-PLR (Gorishniy, Rubachev and Babenko, On Embeddings for Numerical Features, 2022), with pytabkit's defaults."""

from __future__ import annotations

from typing import Final

from mlpkit import ParameterError
from mlpkit_plugins.first_networks.first_spec import Commented
from mlpkit_plugins.recipes.table_recipe import (
    EVALUATE_TRAIN,
    TableFacts,
    TableNetwork,
    columns_layer,
    written_batch_size,
)

WIDTHS: Final = (128, 256, 128)
BATCH: Final = 128
EPOCHS: Final = 1000


def mlp_plr(facts: TableFacts) -> TableNetwork:
    """Return MLP-PLR for a table with numbers."""
    if not facts.groups:
        message = "mlp_plr embeds numbers, but no input column holds any"
        raise ParameterError("recipe", message, remedy="take realmlp_td_s, or leave out --recipe")
    waves = facts.for_numbers({"Periodic": {"form": "plr", "frequencies": 48, "size": 24, "std": 0.01}})
    first = {"weights": "fan_in_uniform", "biases": "fan_in_uniform"}
    layers = columns_layer(facts, waves)
    for width in WIDTHS:
        layers += [{"Affine": {"units": width, **first}}, "Relu", {"Dropout": {"rate": 0.1}}]
    layers += [{"Affine": {"units": "auto", **first}}, "SoftmaxWithLoss" if facts.has_classes else "MeanSquaredError"]
    batch = facts.batch_size(BATCH)
    training = {
        "optimizer": {"adamw": {"learning_rate": 0.001}},
        "batch_size": written_batch_size(batch, BATCH),
        "epochs": Commented(EPOCHS, "at most"),
        "evaluate_train": EVALUATE_TRAIN,
        "metrics": ["accuracy"] if facts.has_classes else ["r2", "mean_absolute_error"],
        "early_stopping": {"metric": "loss", "patience": 20},
        "best_weights": "loss",
    }
    decisions = [
        ("network", f"MLP-PLR: hidden layers of {', '.join(map(str, WIDTHS))} units"),
        ("training", f"{EPOCHS} epochs at most, in minibatches of {batch}, with early stopping"),
    ]
    data = {"numbers": Commented("quantile", "to a normal distribution, by rank")}
    title = "MLP-PLR, a multilayer perceptron on periodic embeddings of its numbers"
    return TableNetwork(title, data, layers, training, decisions)
