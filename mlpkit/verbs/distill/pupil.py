"""The spec of a small network that learns from a run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from mlpkit.components.dataset import Dataset
from mlpkit.components.schema.recipe import Recipe, written
from mlpkit.components.schema.signature import schema_of
from mlpkit.components.target import Values
from mlpkit.errors import UsageError
from mlpkit.jobs.load_model import TrainedModel
from mlpkit.network.component_errors import component_errors
from mlpkit.specfile.key_types import FORMAT, FORMAT_KEY
from mlpkit.specfile.spec import Spec
from mlpkit.specfile.yaml_writer import to_yaml
from mlpkit.system import real_path

WEIGHT: Final = 0.5
TEMPERATURE: Final = 2.0
PEAK: Final = 0.01
"""The largest learning rate."""
BATCH: Final = 128
ROWS_READ: Final = 2_000_000
EPOCHS: Final = (60, 400)
"""The training reads about so many rows, in no fewer and no more epochs."""


def pupil_text(directory: Path, teacher: TrainedModel, folder: Path) -> str:
    """Return the text of a spec for a small network on the data of a run, which is its teacher.

    Raises:
        UsageError: the run's data was in memory, or its inputs aren't rows of numbers.
        DataError: the data is missing or damaged.
    """
    spec, dataset = teacher.spec, teacher.spec.new_dataset()
    if dataset.in_memory:
        raise UsageError(f"{directory}: its data was in memory; in Python, pass teacher={{'run': RUN}} to mlpkit.fit")
    if len(teacher.network.input_shape) != 1:
        remedy = "write SPEC for another network, with the run in its key training.teacher, and run this again"
        raise UsageError(f"{directory}: the networks that distill writes take rows of numbers; {remedy}")
    with component_errors(f"dataset {spec.data.name} failed in describe"):
        sizes = dataset.describe().sizes
    rows = sizes["train"]
    softening = {} if isinstance(teacher.target, Values) else {"temperature": TEMPERATURE}
    rate = {"learning_rate": {spec.registry.default("schedule"): {"peak": PEAK}}}
    arrays = spec.registry.find(("dataset",), spec.registry.default("dataset")).component
    assert issubclass(arrays, Dataset)
    document = {
        FORMAT_KEY: FORMAT,
        **({"seed": spec.seed} if spec.seed else {}),
        "data": {spec.data.name: _data(spec, folder)},
        "layers": arrays.layers_for({}, {"predict": type(teacher.target).__name__.lower()}),
        "training": {
            "teacher": {"run": _seen_from(folder, directory), "weight": WEIGHT, **softening},
            "optimizer": {spec.registry.default("optimizer"): rate},
            "batch_size": max(1, min(BATCH, rows // 4)),
            "epochs": sorted((*EPOCHS, ROWS_READ // rows))[1],
            "evaluate_train": False,
            "metrics": [_short(metric) for metric in spec.training.metrics],
            **({"best_weights": "loss"} if "validation" in sizes else {}),
        },
    }
    return to_yaml(document)


def _data(spec: Spec, folder: Path) -> dict[str, Any]:
    """Return the parameters of the data set, with paths as they are seen from a folder."""
    values = _parameters(spec.data)
    for path, seen in spec.files.items():
        if path[0] == "data":
            inside: Any = values
            for key in path[2:-1]:
                inside = inside[key]
            inside[path[-1]] = _seen_from(folder, Path(seen))
    return values


def _parameters(recipe: Recipe[Any]) -> dict[str, Any]:
    """Return the parameters of a component that aren't defaults."""
    defaults = {field.name: field.default for field in schema_of(recipe.component).fields}
    given = {name: _short(value) for name, value in recipe.arguments.items()}
    return {name: value for name, value in given.items() if value not in (defaults[name], written(defaults[name]))}


def _short(value: Any) -> Any:
    """Return a value as a spec writes it; a component without its defaults."""
    if not isinstance(value, Recipe):
        return written(value)
    parameters = _parameters(value)
    return {value.name: parameters} if parameters else value.name


def _seen_from(folder: Path, path: Path) -> str:
    """Return a path as a spec in a folder names it."""
    return str(path) if path.is_absolute() else os.path.relpath(real_path(path.parent) / path.name, real_path(folder))
