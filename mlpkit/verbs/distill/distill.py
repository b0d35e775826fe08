"""Training a small network on a run's predictions: its spec, and what it loses and gains."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Unpack

import numpy as np

from mlpkit.cli.around_training import make_display, run_folder
from mlpkit.cli.interrupt import Interrupts
from mlpkit.components.dataset import Dataset
from mlpkit.components.schema.recipe import Recipe, written
from mlpkit.components.schema.signature import schema_of
from mlpkit.components.target import Values
from mlpkit.display.display import MuteWhenClosed
from mlpkit.errors import UsageError
from mlpkit.jobs.load_model import TrainedModel, load_run
from mlpkit.jobs.train import Run, train_spec
from mlpkit.network.component_errors import component_errors
from mlpkit.network.sequential import Sequential
from mlpkit.registry.discovery import PluginOptions
from mlpkit.registry.registry import Registry
from mlpkit.runs.files import write_atomically
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.layout import MODEL
from mlpkit.specfile.key_types import FORMAT, FORMAT_KEY
from mlpkit.specfile.spec import Spec, read_spec
from mlpkit.specfile.yaml_writer import to_yaml
from mlpkit.system import real_path
from mlpkit.training.events import Observer, ObserverGroup
from mlpkit.training.workers import blas_threads

ROWS: Final = (1, 1000)
"""Rows of the predictions that are timed."""
REPETITIONS: Final = 30


def pupil_spec(directory: Path, into: Path, **plugin_options: Unpack[PluginOptions]) -> Spec:
    """Return the spec in a file, or raise ``UsageError`` if it has no teacher; without a file, write ``pupil_text``."""
    if not os.path.lexists(into):
        text = pupil_text(directory, load_run(directory, Registry.discover(**plugin_options)), into.parent)
        write_atomically(into, text.encode())
    spec = read_spec(into, **plugin_options)
    if spec.training.teacher is None:
        remedy = f"add teacher: {{run: {os.path.relpath(directory, into.parent)}}} to its section training"
        raise UsageError(f"{into}: exists, and has no teacher; {remedy}, or name a new file with --into")
    return spec.with_seed(spec.seeds[0])


def trained(spec: Spec, out: Path | None, interrupts: Interrupts, *, quiet: bool) -> Run:
    """Train a network, and show it unless ``quiet``; the run folder is by default one in ``runs``."""
    with run_folder(spec, out, interrupts) as folder, make_display(spec.name, folder, quiet, False) as display:
        observer = ObserverGroup((interrupts, MuteWhenClosed(display, interrupts.stop)))
        return train_spec(spec, folder, observer=observer, stop=interrupts.stop)


def compared(spec: Spec, run: Run) -> tuple[str, dict[str, dict[str, Any]]]:
    """Compare a finished run with its teacher and with the same network trained without it, on test or validation rows.

    Returns:
        The split; and for ``teacher``, ``pupil`` and ``without_teacher`` loss and metrics, the bytes of the model, and
        the microseconds of a prediction by its number of rows, on one thread.
    """
    assert spec.training.teacher is not None
    assert run.folder is not None
    without = replace(spec.top_level, training=replace(spec.training, teacher=None))
    alone = train_spec(replace(spec, top_level=without), None, observer=Observer())
    directory = Path(spec.training.teacher.run)
    split = "test" if "test" in run.metrics else "validation"
    teacher = load_run(directory, spec.registry)
    known = dict(RunFolder.open(directory).read_metrics().get(split, {}))
    if spec.layers[-1].recipe.reference() != teacher.spec.layers[-1].recipe.reference():
        known.pop("loss", None)  # it measures something else
    of_pupil = _costs(run.folder, run.network)
    return split, {
        "teacher": {"metrics": known, **_costs(directory, teacher.network)},
        "pupil": {"metrics": run.metrics.get(split, {}), **of_pupil},
        "without_teacher": {"metrics": alone.metrics.get(split, {}), **of_pupil},
    }


def _costs(directory: Path, network: Sequential) -> dict[str, Any]:
    """Return the bytes of a run's model file, and the least time of its predictions."""
    microseconds = {}
    for rows in ROWS:
        x, times = np.zeros((rows, *network.input_shape), network.dtype), []
        with blas_threads(1):
            for _ in range(REPETITIONS):
                began = time.perf_counter()
                network.predict_encoded(x)
                times.append(time.perf_counter() - began)
        microseconds[rows] = round(1e6 * min(times), 1)
    return {"bytes": (directory / MODEL).stat().st_size, "microseconds": microseconds}


WEIGHT: Final = 0.5
TEMPERATURE: Final = 2.0
PEAK: Final = 0.01
"""The largest learning rate."""
BATCH: Final = 128
ROWS_READ: Final = 2_000_000
EPOCHS: Final = (60, 400)
"""The training reads about so many rows, in no fewer and no more epochs."""


def pupil_text(directory: Path, teacher: TrainedModel, folder: Path) -> str:
    """Return the text of a spec for a small network on the data of its teacher, a run, or raise ``MlpkitError``."""
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
