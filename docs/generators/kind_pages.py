"""Where the page of each kind of component is."""

from __future__ import annotations

from typing import Final

SHARED: Final = {"category_encoding": "encoding"}
"""Kinds that share the page of another."""


def page_of(kind: str) -> str:
    """Return the path of a kind's page in ``docs``."""
    return f"components/{SHARED.get(kind, kind)}.md"
