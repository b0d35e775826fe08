"""How kinds of component are named in messages."""

from __future__ import annotations

from mlpkit.components.kinds import KINDS


def with_article(noun: str) -> str:
    """Return ``a layer``, ``an optimizer``."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def either_of(kinds: tuple[str, ...], *, article: bool = True) -> str:
    """Return ``a layer or a loss``; where any kind will do, ``a component``."""
    nouns = ("component",) if set(kinds) == set(KINDS) else kinds
    return " or ".join(with_article(noun) if article else noun for noun in nouns)
