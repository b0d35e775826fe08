"""The C functions of exports; each file contains the functions that it uses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Final

NAME: Final = re.compile(r"^(?:static .*?(\w+)\(|} (\w+);|enum (.*))", re.MULTILINE)
"""The definitions in a piece: a function, a type, or constants."""


def text_of(name: str) -> str:
    """Return the text of a file in C that ships with mlpkit."""
    return (files("mlpkit_plugins.exporters") / name).read_text("utf-8")


@cache
def pieces() -> dict[str, str]:
    """Return the pieces by the names that they define, in their order.

    A piece is a function or a type with the comment above it; an empty line separates pieces.
    """
    texts = map(text_of, ("row_functions.h", "c_functions.h"))
    return {name: piece for text in texts for piece in text.split("\n\n") for name in _defined(piece)}


def _defined(piece: str) -> Iterator[str]:
    for function, type_name, constants in NAME.findall(piece):
        yield from filter(None, (function, type_name, *re.findall(r"(\w+) =", constants)))


def words(text: str) -> set[str]:
    """Return the names that a C text uses, without comments and members of structures."""
    return set(re.findall(r"[A-Za-z_]\w*", re.sub(r"/\*.*?\*/|(->|\.)[A-Za-z_]\w*", "", text, flags=re.DOTALL)))


def needed(text: str) -> list[str]:
    """Return the pieces that a C text uses, directly or indirectly, in their order."""
    known, wanted, open_words = pieces(), set[str](), words(text)
    while new := (open_words & known.keys()) - wanted:
        wanted |= new
        open_words = {word for name in new for word in words(known[name])}
    return list(dict.fromkeys(piece.strip() for name, piece in known.items() if name in wanted))
