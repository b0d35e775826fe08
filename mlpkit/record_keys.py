"""The keys of an evaluation's loss and metrics: the split and the name, as in ``validation_accuracy``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

EVALUATED: Final = ("train", "validation")
"""The splits that are evaluated while a network is trained."""


def splits_by_name(keys: Iterable[str]) -> dict[str, list[str]]:
    """Return the loss and each metric among the keys of evaluations, with the splits that it was computed for."""
    groups: dict[str, list[str]] = {}
    for key in keys:
        split, _, name = key.partition("_")
        if split in EVALUATED and name:
            groups.setdefault(name, []).append(split)
    return groups


def is_result(key: str) -> bool:
    """Whether a key is that of the loss or of a metric."""
    return bool(splits_by_name([key]))


def decisive_split(keys: Iterable[str]) -> str:
    """Return the split by which evaluations are compared: ``validation`` if it is evaluated, and else ``train``."""
    return "validation" if any("validation" in splits for splits in splits_by_name(keys).values()) else "train"
