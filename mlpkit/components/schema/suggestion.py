"""The nearest valid name to one that was misspelt."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate most like ``word``, or None if none is near.

    Case and underscores don't count, so that ``relu`` finds ``Relu``; otherwise the similarity is that of
    Ratcliff and Obershelp (1988), as in the standard library's ``difflib``.
    """
    from difflib import SequenceMatcher  # noqa: PLC0415 - only after a mistake

    def plain(text: str) -> str:
        return text.lower().replace("_", "").replace("-", "")

    def similarity(candidate: str) -> float:
        return SequenceMatcher(None, plain(word), plain(candidate)).ratio()

    ranked = sorted(candidates, key=lambda candidate: (-similarity(candidate), candidate))
    enough = 0.6
    return ranked[0] if ranked and similarity(ranked[0]) >= enough else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """Return ``did you mean 'name'?`` for the nearest candidate, or nothing."""
    found = nearest(word, candidates)
    return f"did you mean '{found}'?" if found else ""
