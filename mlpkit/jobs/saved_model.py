"""What a model file holds."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlpkit.components.input_columns import columns_of, columns_to_plain
from mlpkit.components.target import target_to_plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mlpkit.components.dataset import Dataset
    from mlpkit.network.sequential import Sequential


class Origin:
    """What a network was trained from.

    Args:
        spec: returns the spec's text with every default filled in, which takes longer to write than a small network to
            train.
        dataset: the data set, which knows how inputs are encoded.
    """

    def __init__(self, spec: Callable[[], str], dataset: Dataset) -> None:
        self._spec = spec
        self.dataset = dataset

    @cached_property
    def spec(self) -> str:
        """The spec's text."""
        return self._spec()

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what a pickle holds: the text."""
        return _origin, (self.spec, self.dataset)


def _origin(spec: str, dataset: Dataset) -> Origin:
    return Origin(lambda: spec, dataset)


def model_of(network: Sequential, origin: Origin) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return arrays and metadata of a network's model file.

    Args:
        network: the network, whose target is known.
        origin: what it was trained from.
    """
    assert network.target is not None
    metadata = {
        "spec": origin.spec,
        "encoder": origin.dataset.encoder_state(),
        "input_shape": list(network.input_shape),
        "target": target_to_plain(network.target),
    }
    if columns := columns_of(network.input_shape):
        metadata["columns"] = columns_to_plain(columns)
    return {**network.parameters, **network.states}, metadata
