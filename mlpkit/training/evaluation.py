"""Loss and metrics of a network over whole splits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpkit.network.sequential import EVALUATION_ROWS
from mlpkit.training.batches import BatchReader
from mlpkit.training.divergence import without_warnings
from mlpkit.training.history import evaluation_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mlpkit.components.dataset import Description, Split
    from mlpkit.components.metric import Metric
    from mlpkit.network.sequential import Sequential


class Evaluator:
    """Evaluates a network, as it is at the time, on splits of a data set.

    Args:
        network: the network.
        splits: the data, by split.
        description: shapes of the data.
        metrics: makers of metric objects, by name.
    """

    def __init__(
        self,
        network: Sequential,
        splits: Mapping[str, Split],
        description: Description,
        metrics: Mapping[str, Callable[[], Metric]],
    ) -> None:
        self._network = network
        self._metrics = metrics
        self._readers = {
            name: BatchReader(split, description, network.dtype, min(EVALUATION_ROWS, len(split)))
            for name, split in splits.items()
        }

    def __call__(self, splits: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return loss and metrics by split; splits that the data set doesn't have are left out."""
        with without_warnings():
            return {
                name: self._network.evaluate_batches(
                    self._readers[name].in_order(), {key: make() for key, make in self._metrics.items()}
                )
                for name in splits
                if name in self._readers
            }

    def keys(self, splits: Iterable[str]) -> list[str]:
        """Return the keys of the record of an evaluation on these splits."""
        none = {"loss": 0.0, **dict.fromkeys(self._metrics, 0.0)}
        return list(evaluation_record(0, 0.0, 0.0, {name: none for name in splits if name in self._readers}))
