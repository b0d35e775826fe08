"""A first spec: its values with comments, its data, its network, and the two joined."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from mlpkit import Proposal
from mlpkit.components.schema.recipe import KeyPath

FEW_EXAMPLES: Final = 500
"""With fewer examples, larger shares are held out, so that the measured errors mean something."""

DEFAULT_SHARE: Final = 0.1


class Commented(NamedTuple):
    """A value of a spec with a comment."""

    value: Any
    comment: str


def split_comments(value: Any, path: KeyPath = ()) -> tuple[Any, dict[KeyPath, str]]:
    """Separate plain data from its comments, which are returned by path."""
    if isinstance(value, Commented):
        plain, comments = split_comments(value.value, path)
        return plain, {path: value.comment, **comments}
    if not isinstance(value, Mapping | list):
        return value, {}
    items = value.items() if isinstance(value, Mapping) else enumerate(value)
    parts = {key: split_comments(item, (*path, key)) for key, item in items}
    comments = {place: text for _, part_comments in parts.values() for place, text in part_comments.items()}
    plain = {key: part for key, (part, _) in parts.items()}
    return plain if isinstance(value, Mapping) else list(plain.values()), comments


class FirstNetwork(NamedTuple):
    """``layers`` and ``training`` of a spec, comments by path, and the decisions made, each a label and a text."""

    keys: Mapping[str, Any]
    comments: Mapping[KeyPath, str]
    decisions: Sequence[tuple[str, str]]


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


def left_to_train(examples: float, shares: Mapping[str, float]) -> int:
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
