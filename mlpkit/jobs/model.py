"""What a model file holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mlpkit.components.target import target_to_plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.components.dataset import Dataset
    from mlpkit.network.sequential import Sequential


class Origin(NamedTuple):
    """What a network was trained from.

    Args:
        spec: the spec with every default filled in.
        dataset: the data set, which knows how inputs are encoded.
    """

    spec: str
    dataset: Dataset


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
    return {**network.parameters, **network.states}, metadata
