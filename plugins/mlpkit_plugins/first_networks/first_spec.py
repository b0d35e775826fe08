"""Joins data and network to a first spec."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from mlpkit import Proposal
from mlpkit.components.schema.recipe import KeyPath
from mlpkit_plugins.first_networks.perceptron import FirstNetwork

FEW_EXAMPLES: Final = 500
"""With fewer examples, larger shares are held out, so that the measured errors mean something."""

DEFAULT_SHARE: Final = 0.1


class FirstData(NamedTuple):
    """The data set of a spec, its parameters with comments, the decisions made, and files that the user didn't name."""

    data_set: str
    parameters: Mapping[str, Any]
    comments: Mapping[str, str]
    decisions: Sequence[tuple[str, str]]
    files: Sequence[str] = ()


def held_out(examples: int, own: Collection[str]) -> dict[str, float]:
    """Return the share of the examples for each split without separate examples."""
    share = DEFAULT_SHARE if examples >= FEW_EXAMPLES else 2 * DEFAULT_SHARE
    return {split: share for split in ("validation", "test") if split not in own}


def left_to_train(examples: int, shares: Mapping[str, float]) -> int:
    """Return the number of examples for training."""
    return max(1, round(examples * (1 - sum(shares.values()))))


def first_spec(summary: str, data: FirstData, shares: Mapping[str, float], network: FirstNetwork) -> Proposal:
    """Return the proposal for a spec."""
    parameters = {**data.parameters, **{split: share for split, share in shares.items() if share != DEFAULT_SHARE}}
    comments: dict[KeyPath, str] = {(): summary, **network.comments}
    comments |= {("data", data.data_set, key): text for key, text in data.comments.items() if key in parameters}
    return Proposal(
        {"data": {data.data_set: parameters}, **network.keys},
        comments,
        [*data.decisions, *network.decisions],
        data.files,
    )
