"""Values of a first spec with comments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mlpkit.components.schema.recipe import KeyPath


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
