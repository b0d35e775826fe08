"""JSON without the surprises: finite numbers only, keys that are strings and unique, one text for one value."""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Mapping
from typing import Any

MOST_PARTS = 200_000
"""Commas and opening brackets of a text, each of which may cost 250 bytes of memory once it is read."""

_DEEPEST = 100
_SHORTENED = reprlib.Repr()
_SHORTENED.maxstring = _SHORTENED.maxother = 100


def encode_compact(data: Any, *, sort: bool = False) -> str:
    """Return plain data as JSON on one line, in ASCII, without spaces.

    Args:
        data: None, booleans, numbers, strings, and lists, tuples and mappings of them.
        sort: whether to sort the keys instead of keeping them as given.

    Raises:
        ValueError: the data isn't plain, or holds a number that isn't finite.
    """
    return json.dumps(_plain(data), sort_keys=sort, separators=(",", ":"))


def encode_pretty(data: Any) -> str:
    """Return plain data as indented JSON with sorted keys and a newline at the end.

    Raises:
        ValueError: the data isn't plain, or holds a number that isn't finite.
    """
    return json.dumps(_plain(data), sort_keys=True, indent=2) + "\n"


def decode(text: bytes) -> Any:
    """Return what a JSON text in UTF-8 says.

    Raises:
        ValueError: the text isn't JSON, names a key twice, holds a number that isn't finite, or has too many parts.
    """
    expect_few_parts(text)
    try:
        return json.loads(
            text.decode(),
            object_pairs_hook=_unique,
            parse_float=_finite,
            parse_constant=_finite,
        )
    except RecursionError as error:
        msg = "nested too deeply"
        raise ValueError(msg) from error


def expect_few_parts(text: bytes) -> None:
    """Make sure that reading a JSON text takes little more memory than the text itself.

    Raises:
        ValueError: it has more commas and brackets than ``MOST_PARTS``.
    """
    parts = sum(text.count(mark) for mark in (b",", b"[", b"{"))
    if parts > MOST_PARTS:
        msg = f"it has {parts:,} commas and brackets; expected up to {MOST_PARTS:,}"
        raise ValueError(msg)


def shortened(value: Any) -> str:
    """Return a value as a message shows it, however long it is."""
    return _SHORTENED.repr(value)


def _plain(data: Any, place: str = "", depth: int = 0) -> Any:
    if depth > _DEEPEST:
        msg = f"{shortened(place)} is nested too deeply; expected up to {_DEEPEST} levels"
        raise ValueError(msg)
    if isinstance(data, float):
        if not math.isfinite(data):
            msg = f"{place or 'the value'} is {data}, and JSON has only finite numbers"
            raise ValueError(msg)
        return data
    if data is None or isinstance(data, bool | int | str):
        return data
    if isinstance(data, list | tuple):
        return [_plain(item, f"{place}[{index}]", depth + 1) for index, item in enumerate(data)]
    if isinstance(data, Mapping):
        for key in data:
            if not isinstance(key, str):
                msg = f"{place or 'the value'} has the key {key!r}; expected only strings as keys"
                raise ValueError(msg)  # noqa: TRY004 - one exception for all that JSON can't say
        return {key: _plain(item, f"{place}.{key}" if place else key, depth + 1) for key, item in data.items()}
    msg = f"{place or 'the value'} is of type {type(data).__name__}; expected plain data"
    raise ValueError(msg)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            msg = f"the key {shortened(name)} is there twice"
            raise ValueError(msg)
        found[name] = value
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        msg = f"{text[: _SHORTENED.maxstring]} is not a finite number"
        raise ValueError(msg)
    return number
