"""Training a small network on a run's predictions, and what that loses and gains."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Unpack

import numpy as np

from mlpkit.cli.around_training import run_folder
from mlpkit.cli.interrupt import Interrupts
from mlpkit.display.display import MuteWhenClosed
from mlpkit.display.make_display import make_display
from mlpkit.errors import UsageError
from mlpkit.jobs.load_model import load_run
from mlpkit.jobs.train import train_spec
from mlpkit.jobs.training_job import Run
from mlpkit.network.sequential import Sequential
from mlpkit.registry.discovery import PluginOptions
from mlpkit.registry.registry import Registry
from mlpkit.runs.files import write_atomically
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.layout import MODEL
from mlpkit.specfile.spec import Spec, read_spec
from mlpkit.training.events import Observer, ObserverGroup
from mlpkit.training.workers import blas_threads
from mlpkit.verbs.distill.pupil import pupil_text

ROWS: Final = (1, 1000)
"""Rows of the predictions that are timed."""
REPETITIONS: Final = 30


def pupil_spec(directory: Path, into: Path, **plugin_options: Unpack[PluginOptions]) -> Spec:
    """Return the spec in a file; if there is no such file, write one for a small network, whose teacher is the run.

    Raises:
        UsageError: the spec has no teacher, or none can be written for the run's data.
        MlpkitError: as ``load_run`` and ``read_spec`` do.
    """
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
