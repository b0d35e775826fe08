"""The recipes of ``mlpkit init --recipe``, with the columns of a table as its folder names them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpkit import load, load_spec, run
from mlpkit_plugins.first_networks.first_spec import split_comments
from mlpkit_plugins.first_networks.perceptron import ClassTarget, ValueTarget
from mlpkit_plugins.recipes import RECIPES
from mlpkit_plugins.recipes.table_recipe import TableFacts
from table_contestants.real_table import Fitted

if TYPE_CHECKING:
    from table_contestants.real_table import RealTable


def recipe_spec(
    table: RealTable, recipe: str, seed: int, threads: int = 1, precision: str = "float32"
) -> dict[str, Any]:
    """Return the spec of a recipe for a table."""
    train = table.frames["train"]
    counts = train[table.target].value_counts().to_dict() if table.has_classes else {}
    facts = TableFacts(
        rows=len(train),
        target=ClassTarget(counts) if table.has_classes else ValueTarget(),
        groups={"numbers"} if len(train.columns) - 1 > len(table.categorical) else set(),
        categories={name: train[name].nunique() for name in table.categorical},
    )
    network = RECIPES[recipe](facts)
    data = {
        "file": str(table.folder / "train.csv.gz"),
        "validation": str(table.folder / "validation.csv.gz"),
        "test": str(table.folder / "test.csv.gz"),
        "target": table.target,
        "predict": "classes" if table.has_classes else "values",
        **({"categorical": table.categorical, "unknown": "zeros"} if table.categorical else {}),
        **network.data,
    }
    training = {**network.training, "threads": threads, "precision": precision}
    spec = {"data": {"csv": data}, "layers": list(network.layers), "training": training}
    plain: dict[str, Any] = split_comments(spec)[0]
    return plain | {"mlpkit": 1, "seed": seed}


def fit_recipe(
    table: RealTable, recipe: str, seed: int, threads: int, precision: str = "float32", **more: Any
) -> Fitted:
    """Train a recipe, with further keys of the spec if given."""
    keep = tempfile.TemporaryDirectory()
    folder = Path(keep.name) / "run"
    run(load_spec(recipe_spec(table, recipe, seed, threads, precision) | more), folder, quiet=True)
    model = load(folder)
    inputs = table.frames["test"].drop(columns=table.target)
    columns = {name: inputs[name].tolist() for name in inputs}

    def size() -> int:
        with keep:
            return sum(file.stat().st_size for file in folder.rglob("model.safetensors"))

    return Fitted(lambda: model.predict(columns), size)
