"""A spec to begin from, put together from what its data and its network say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mlpkit import Proposal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from mlpkit.components.recipe import KeyPath
    from mlpkit_plugins.first_networks.perceptron import FirstNetwork

FEW_EXAMPLES: Final = 500
"""With fewer, larger shares of them are held out, so that what is measured on them means something."""

DEFAULT_SHARE: Final = 0.1


class FirstData(NamedTuple):
    """What a spec says of its data.

    Args:
        data_set: the name of the data set.
        parameters: its parameters.
        comments: why, by parameter.
        decisions: what was decided, each a label and a text.
        files: files among the parameters, besides those that the person named.
    """

    data_set: str
    parameters: Mapping[str, Any]
    comments: Mapping[str, str]
    decisions: Sequence[tuple[str, str]]
    files: Sequence[str] = ()


def held_out(examples: int, own: Collection[str]) -> dict[str, float]:
    """Return the share of the examples for each split that has none of its own.

    Args:
        examples: how many there are.
        own: the splits that have examples of their own.
    """
    share = DEFAULT_SHARE if examples >= FEW_EXAMPLES else 2 * DEFAULT_SHARE
    return {split: share for split in ("validation", "test") if split not in own}


def left_to_train(examples: int, shares: Mapping[str, float]) -> int:
    """Return how many examples are for training."""
    return max(1, round(examples * (1 - sum(shares.values()))))


def first_spec(summary: str, data: FirstData, shares: Mapping[str, float], network: FirstNetwork) -> Proposal:
    """Return a proposal.

    Args:
        summary: what the spec is for, in a sentence.
        data: its data.
        shares: the shares that are held out.
        network: its network.
    """
    parameters = {**data.parameters, **{split: share for split, share in shares.items() if share != DEFAULT_SHARE}}
    comments: dict[KeyPath, str] = {(): summary, **network.comments}
    comments |= {("data", data.data_set, key): text for key, text in data.comments.items() if key in parameters}
    return Proposal(
        {"data": {data.data_set: parameters}, **network.keys},
        comments,
        [*data.decisions, *network.decisions],
        data.files,
    )
