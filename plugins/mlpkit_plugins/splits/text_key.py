"""A number for a text, by which an example may be split."""

from __future__ import annotations

from hashlib import blake2b


def text_key(text: str) -> int:
    """Return a number of 64 bits that depends on a text."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest(), "little")
