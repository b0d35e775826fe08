"""The training of estimators, which only a fit loads."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from mlpkit.components.callback import Callback, TrainingView
from mlpkit.groups.ensemble import run_ensemble
from mlpkit.jobs.train import Run, train_spec
from mlpkit.network.sequential import Sequential
from mlpkit.registry.registry import Registry, installed
from mlpkit.system import available_cores
from mlpkit.training.events import Observer
from mlpkit.training.update import OptimizerState
from mlpkit.verbs.run.fit import spec_in_memory


def train(
    data: tuple[Any, ...],
    top_level: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    network: Sequential | None,
    optimizer_state: OptimizerState,
    held_out: float = 0.0,
    registry: Registry | None = None,
    callbacks: Sequence[Callback] = (),
    evaluated: Collection[str] = ("train", "validation"),
) -> Run:
    """Train a network or an ensemble.

    Args:
        data: inputs and targets, and weights, if rows have them.
        top_level: keys of the spec, including its seed and layers.
        options: keys of ``training``, and parameters of the data set.
        network: the network to train further; None for a new one.
        optimizer_state: the state that the optimizer keeps from call to call.
        held_out: share of the examples for validation; ignored with folds, each of which is held out.
        registry: the registry of components; by default all installed ones.
        callbacks: callbacks for the training of a single network.
        evaluated: splits to evaluate.
    """
    seed = top_level["seed"] + optimizer_state.steps  # so that random numbers differ from those of the previous call
    kept: dict[str, Any] = {"checkpoint": None, **_threads()}
    if hasattr(data[0], "columns"):
        scaled = {} if options.get("numbers") is not None else {"standardize": False}
        options = {**scaled, **options, "unknown": "zeros"}
    if network is not None:
        kept["slices"], network.seed = len(network.replicas), seed
    spec, dataset = spec_in_memory(
        registry or installed(),
        {"train": data},
        {**top_level, "seed": seed},
        {"scale_target": "none", **options, **kept},
        {"validation": 0.0 if _folds_of(top_level.get("ensemble")) else held_out},
        None if network is None else network.encoder,
    )
    if spec.trains_ensemble:
        return run_ensemble(spec, examples={"train": data}, observer=Observer())
    return train_spec(
        spec,
        None,
        dataset=dataset,
        observer=Observer(),
        network=network,
        callbacks=callbacks,
        evaluated=evaluated,
        optimizer_state=optimizer_state,
    )


def _threads() -> dict[str, int]:
    """Return the key ``threads`` if the environment limits BLAS to one thread, as in the processes of a search."""
    limits = [os.environ.get(name, "") for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")]
    allowed = min((int(limit) for limit in limits if limit.isdigit() and int(limit)), default=available_cores())
    return {"threads": 1} if allowed == 1 else {}


def training_rows(rows: int, held_out: float, ensemble: Any) -> int:
    """Return the number of rows that each network is trained on, given the key ``ensemble`` of a spec."""
    folds = _folds_of(ensemble)
    return max(1, rows - -(-rows // folds)) if folds else rows - round(held_out * rows)


def _folds_of(ensemble: Any) -> int:
    """Return the number of folds, or 0 without folds."""
    return (ensemble.get("folds") or 0) if isinstance(ensemble, Mapping) else 0


class LossCurve(Callback):
    """Records the mean loss of each epoch, and ends training when the loss stops improving.

    Args:
        steps: steps of an epoch.
        tolerance: the least decrease of the loss that counts as an improvement.
        patience: consecutive epochs without improvement after which training ends.
    """

    def __init__(self, steps: int, tolerance: float, patience: int) -> None:
        self.steps = steps
        self.tolerance = tolerance
        self.patience = patience
        self.curve: list[float] = []
        self.best = math.inf
        self.total = 0.0
        self.waited = 0

    def on_step(self, training: TrainingView, loss: float) -> None:
        """Add a loss, and check the mean at the end of an epoch."""
        self.total += loss
        if training.progress.step % self.steps:
            return
        mean, self.total = self.total / self.steps, 0.0
        self.curve.append(mean)
        self.waited = 0 if mean < self.best - self.tolerance else self.waited + 1
        self.best = min(self.best, mean)
        if self.waited >= self.patience:
            training.stop(f"the loss has not improved by {self.tolerance:g} for {self.patience} epochs")
