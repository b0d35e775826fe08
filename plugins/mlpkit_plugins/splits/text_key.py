"""Hashes of texts, by which examples are split."""

from __future__ import annotations

from hashlib import blake2b


def text_key(text: str) -> int:
    """Return a 64-bit hash of a text."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest(), "little")
