"""RealMLP-TD and TD-S (Holzmüller, Grinsztajn and Steinwart, Better by Default, 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mlpkit_plugins.first_networks.first_spec import Commented
from mlpkit_plugins.recipes.table_recipe import (
    EVALUATE_TRAIN,
    TableFacts,
    TableNetwork,
    columns_layer,
    written_batch_size,
)

WIDTH: Final = 256
DEPTH: Final = 3
BATCH: Final = 256
EPOCHS: Final = 256

MOST_ONE_HOT: Final = 8
"""In TD, columns with more categories are embedded."""

SCALE: Final = Commented("Scale", "a factor for each input, which learns how much it matters")


def realmlp_td_s(facts: TableFacts) -> TableNetwork:
    """Return RealMLP-TD-S for a table."""
    normal = {"normal": {"std": 1}}
    hidden = [{"Affine": {"units": WIDTH, "ntk": True, "weights": normal, "biases": normal}}, _activation(facts)]
    last = {"Affine": {"units": "auto", "ntk": True, "weights": "zeros", "biases": "zeros"}}
    training = {
        "optimizer": {
            "adam": {"learning_rate": {"coslog": {"peak": 0.04 if facts.has_classes else 0.07}}, "beta2": 0.95}
        },
        "rates": {"Scale1.s": 6, "*.b": 0.1},
    }
    return _realmlp(
        "RealMLP-TD-S, a strong and simple network for tables", facts, {}, [SCALE, *hidden * DEPTH, last], training
    )


def realmlp_td(facts: TableFacts) -> TableNetwork:
    """Return RealMLP-TD for a table."""
    large = [name for name, count in facts.categories.items() if count > MOST_ONE_HOT]
    fitted = {"ntk": True, "weights": "unit_variance", "biases": "convex_combination"}
    hidden = [
        {"Affine": {"units": WIDTH, **fitted}},
        {"Parametric": {"activation": _activation(facts)}},
        {"Dropout": {"rate": {"flat_cosine": {"first": 0.15}}}},
    ]
    waves = facts.for_numbers({"Periodic": {"form": "pbld", "frequencies": 16, "size": 4, "std": 0.1}})
    groups = waves | ({"categories": [{"Embedding": {"size": 8}}]} if large else {})
    decays = {"Scale1.s": 6, **({"*.Periodic1.*": 0.1} if waves else {}), "*.alpha": 0.1}
    training = {
        "optimizer": {
            "adamw": {
                "learning_rate": {"coslog": {"peak": 0.04 if facts.has_classes else 0.2}},
                "beta2": 0.95,
                "weight_decay": {"flat_cosine": {"first": 0.02}},
            }
        },
        "rates": Commented({"Scale1.s": 6, "Affine*.b": 0.1}, "Periodic and Parametric have 0.1 by default"),
        "decays": Commented(decays, "biases of Affine don't decay"),
    }
    index = f"of more than {MOST_ONE_HOT} categories: the places of vectors of Embedding"
    clip = {} if facts.has_classes else {"clip_predictions": Commented(True, "to the range of the training targets")}
    data = {**clip, **({"categories_by_column": Commented(dict.fromkeys(large, "index"), index)} if large else {})}
    layers = [*columns_layer(facts, groups), SCALE, *hidden * DEPTH, {"Affine": {"units": "auto", **fitted}}]
    return _realmlp("RealMLP-TD, among the strongest networks for tables", facts, data, layers, training)


def _activation(facts: TableFacts) -> str:
    return "Selu" if facts.has_classes else "Mish"


def _realmlp(
    title: str, facts: TableFacts, data: Mapping[str, Any], layers: Sequence[Any], training: Mapping[str, Any]
) -> TableNetwork:
    """Complete a variant with the settings that both variants share."""
    numbers = Commented("robust_smooth_clip", "median 0, quartiles 1 apart, outliers within ±3")
    categories = {
        "sign_of_two": Commented(True, "two categories become one input, 1 or -1"),
        "encode_one_hot": Commented(True, "one-hot inputs are scaled like numbers"),
    }
    loss = Commented({"SoftmaxWithLoss": {"label_smoothing": 0.1}}, "for two classes, too")
    batch = facts.batch_size(BATCH)
    shared = {
        "batch_size": written_batch_size(batch, BATCH),
        "drop_last": True,
        "epochs": EPOCHS,
        "evaluate_train": EVALUATE_TRAIN,
        "metrics": ["accuracy"] if facts.has_classes else ["r2", "mean_absolute_error"],
        "best_weights": Commented("accuracy" if facts.has_classes else "loss", "from the best epoch"),
        "ties": "last",
    }
    decisions = [
        ("network", f"{title.partition(',')[0]}: {DEPTH} hidden layers of {WIDTH} units"),
        ("training", f"{EPOCHS} epochs, in minibatches of {batch}"),
    ]
    return TableNetwork(
        title,
        {"numbers": numbers, **data, **(categories if facts.categories else {})},
        [*layers, loss if facts.has_classes else "MeanSquaredError"],
        {**training, **shared},
        decisions,
    )
