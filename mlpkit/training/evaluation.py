"""Evaluating the network, and the history of evaluations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from mlpkit.array import Array
from mlpkit.components.dataset import Description, Split
from mlpkit.components.metric import Metric
from mlpkit.errors import ModelFileError
from mlpkit.network.sequential import EVALUATION_ROWS, Batch, Sequential
from mlpkit.training.divergence import without_warnings
from mlpkit.training.minibatches import BatchReader
from mlpkit.training.ranks import ONE_RANK, Ranks

Record: TypeAlias = dict[str, float]
"""One evaluation: iteration, epoch, learning_rate, and for each split its loss and metrics.

Keys are split and loss or metric: ``train_loss``, ``validation_accuracy``.
"""


def evaluation_record(
    iteration: int, epoch: float, learning_rate: float, results: dict[str, dict[str, float]]
) -> Record:
    """Return the record of an evaluation, losses before metrics, with the learning rate of the last step."""
    losses = {f"{split}_loss": values["loss"] for split, values in results.items()}
    metrics = {
        f"{split}_{name}": value
        for split, values in results.items()
        for name, value in values.items()
        if name != "loss"
    }
    return {"iteration": iteration, "epoch": epoch, "learning_rate": learning_rate, **losses, **metrics}


_PREFIX = "history/"


def history_columns(history: Sequence[Record]) -> dict[str, Array]:
    """Return a history, column by column, in arrays."""
    keys = history[0] if history else ()
    return {_PREFIX + key: np.array([record[key] for record in history], _type_code(key)) for key in keys}


def history_of(arrays: Mapping[str, Array], keys: Sequence[str]) -> list[Record]:
    """Return the history in a snapshot's arrays, its keys in their order, or raise ``ModelFileError``."""
    columns = []
    for key in keys:
        column = arrays.get(_PREFIX + key)
        if column is None or column.ndim != 1 or column.dtype != _type_code(key):
            raise ModelFileError(f"the checkpoint has no valid {_PREFIX + key}; use another, or start a new run")
        columns.append(column.tolist())
    if len(set(map(len, columns))) > 1:
        raise ModelFileError("the checkpoint's history is damaged; use another, or start a new run")
    return [dict(zip(keys, values, strict=True)) for values in zip(*columns, strict=True)]


def _type_code(key: str) -> str:
    """Return the type of a column, as Python's and NumPy's arrays call it: 64-bit integers or floats."""
    return "q" if key == "iteration" else "d"


class Evaluator:
    """Evaluates a network, as it is at the time, on splits of a data set, shared by ranks; rank 0 has the results."""

    def __init__(
        self,
        network: Sequential,
        splits: Mapping[str, Split],
        description: Description,
        metrics: Mapping[str, Callable[[], Metric]],
        ranks: Ranks = ONE_RANK,
    ) -> None:
        self._network = network
        self._ranks = ranks
        self._with_others = ranks.on_all_ranks("evaluate", self._evaluate)
        self._metrics = metrics
        self._readers = {
            name: BatchReader(split, description, network.dtype, min(EVALUATION_ROWS, len(split)))
            for name, split in splits.items()
        }

    def __call__(self, splits: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return loss and metrics by split; splits that the data set doesn't have are left out."""
        return self._with_others([name for name in splits if name in self._readers], bool(self._metrics))

    def _evaluate(self, splits: list[str], predicts: bool) -> dict[str, dict[str, Any]]:
        self._broadcast_weights()
        with without_warnings():
            return {name: self._results(name) for name in splits}

    def _results(self, split: str) -> dict[str, Any]:
        metrics = {key: make() for key, make in self._metrics.items()}
        of_all_ranks = partial(self._ranks.round_robin, count=self._readers[split].batches)
        return self._network.evaluate_batches(self._own_batches(split), metrics, of_all_ranks)

    def _own_batches(self, split: str) -> Iterator[Batch]:
        reader = self._readers[split]
        return reader.in_order(self._ranks.own_turns(reader.batches))

    def assist(self, splits: list[str], predicts: bool) -> None:
        """Do the part of this rank, which isn't rank 0, in an evaluation; it leaves rank 0's weights in the network."""
        self._broadcast_weights()
        with without_warnings():
            for name in splits:
                self._network.judge_batches(self._own_batches(name), self._ranks.send_to_root, predicts=predicts)

    def _broadcast_weights(self) -> None:
        """Have all ranks evaluate the weights of rank 0, which may stand in for the trained ones."""
        for weights in (self._network.values, self._network.replicas[0].state):
            self._ranks.broadcast(weights)

    def keys(self, splits: Iterable[str]) -> list[str]:
        """Return the keys of the record of an evaluation on these splits."""
        none = {"loss": 0.0, **dict.fromkeys(self._metrics, 0.0)}
        return list(evaluation_record(0, 0.0, 0.0, {name: none for name in splits if name in self._readers}))
