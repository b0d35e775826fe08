"""A spec as text with comments, for a person to read and change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any, Final

from mlpkit.components.recipe import KeyPath
from mlpkit.errors import printable
from mlpkit.specfile.yaml_writer import to_inline_key, to_inline_yaml

WIDTH: Final = 100
"""Columns that a line has at most, where words allow it."""

LONGEST_INLINE: Final = 80
"""Columns of a line up to which a list or a mapping stands on one line."""

NARROWEST: Final = 40
"""Columns that a comment has at least, however deep it stands."""

BLOCKS: Final = (("data",), ("layers",), ("training",))
"""What is always written with a line for each key or item, and so is the data set below ``data``."""


def to_commented_yaml(values: Mapping[str, Any], comments: Mapping[KeyPath, str]) -> str:
    """Write a spec with comments.

    Args:
        values: the spec as plain data.
        comments: comments on keys and list items, by path; the comment of path () goes to the top.
    """
    lines = [f"# {line}" for line in wrap(printable(comments.get((), "")), WIDTH - 2)]
    return "\n".join([*lines, *_block(values, (), comments)]) + "\n"


def _block(value: Any, path: KeyPath, comments: Mapping[KeyPath, str]) -> Iterator[str]:
    """Yield the lines of a mapping, or of a list, a line or more for each key or item."""
    margin = "  " * len(path)
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _entry(f"{margin}{to_inline_key(str(key))}:", item, (*path, str(key)), comments)
        return
    for index, item in enumerate(value):
        yield from _entry(f"{margin}-", item, (*path, index), comments)


def _entry(start: str, value: Any, path: KeyPath, comments: Mapping[KeyPath, str]) -> Iterator[str]:
    """Yield the lines of a key or an item; its comment comes before it if it doesn't fit on the line."""
    comment = printable(comments.get(path, ""))
    margin = " " * (len(start) - len(start.lstrip()))
    line = f"{start} {_inline(value, in_list=isinstance(path[-1], int))}"
    first, *others = [line] if _fits(line, value, path, comments) else _lines(start, value, path, comments)
    if comment and len(first) + len(comment) + 3 > WIDTH:
        yield from (f"{margin}# {part}" for part in wrap(comment, max(NARROWEST, WIDTH - len(margin) - 2)))
    elif comment:
        first = f"{first}  # {comment}"
    yield from (first, *others)


def _lines(start: str, value: Any, path: KeyPath, comments: Mapping[KeyPath, str]) -> list[str]:
    """Return the lines of a value that takes several."""
    if isinstance(path[-1], int) and isinstance(value, Mapping) and len(value) == 1:
        ((key, item),) = value.items()
        return list(_entry(f"{start} {to_inline_key(str(key))}:", item, (*path, str(key)), comments))
    if isinstance(value, Mapping) or _has_comments_below(path, comments) or any(map(_is_nested, value)):
        return [start, *_block(value, path, comments)]
    margin = "  " * len(path)
    lines = [f"{start} ["]
    for index, item in enumerate(value):
        text = to_inline_yaml([item])[1:-1] + ("," if index + 1 < len(value) else "]")
        if len(lines[-1]) + len(text) >= LONGEST_INLINE and not lines[-1].endswith("["):
            lines.append(margin + text)
        else:
            lines[-1] += text if lines[-1].endswith("[") else f" {text}"
    return lines


def _inline(value: Any, *, in_list: bool) -> str:
    """Return a value on one line; a mapping of one key, as an item of a list, needs no braces."""
    if in_list and isinstance(value, Mapping) and len(value) == 1:
        ((key, item),) = value.items()
        return f"{to_inline_key(str(key))}: {to_inline_yaml(item)}"
    return to_inline_yaml(value)


def _fits(line: str, value: Any, path: KeyPath, comments: Mapping[KeyPath, str]) -> bool:
    """Whether a value is written on one line."""
    if not _is_nested(value) or not value:
        return True
    if _has_comments_below(path, comments) or path in BLOCKS or path[:-1] == ("data",):
        return False
    return len(line) <= (WIDTH if isinstance(value, Mapping) and isinstance(path[-1], int) else LONGEST_INLINE)


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple)


def _has_comments_below(path: KeyPath, comments: Mapping[KeyPath, str]) -> bool:
    return any(len(other) > len(path) and other[: len(path)] == path for other in comments)
