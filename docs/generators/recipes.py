"""The shipped specs of recipes: what ``mlpkit init --recipe`` writes for tables that come with mlpkit."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from mlpkit.jobs.init_from_data import init_from_data

FOLDER: Final = "specs/tables"
"""Where they stand in the repository."""

OF_VALUES: Final = ("example:houses.csv", "price")
OF_CLASSES: Final = ("example:flowers.csv", "species")

RECIPES: Final = {
    "realmlp_td_s": ("realmlp_td_s", OF_VALUES),
    "realmlp_td_s_classes": ("realmlp_td_s", OF_CLASSES),
    "realmlp_td": ("realmlp_td", OF_VALUES),
    "realmlp_td_classes": ("realmlp_td", OF_CLASSES),
    "mlp_plr": ("mlp_plr", OF_VALUES),
    "tabm": ("tabm", OF_VALUES),
}
"""Recipe, file and target of each spec."""


def recipes() -> dict[str, str]:
    """Return the specs, by where they stand."""
    return {f"{FOLDER}/{name}.yaml": _spec(recipe, *table) for name, (recipe, table) in RECIPES.items()}


def _spec(recipe: str, file: str, target: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "spec.yaml")
        init_from_data({"train": file}, target, path, recipe=recipe)
        return path.read_text(encoding="utf-8")
