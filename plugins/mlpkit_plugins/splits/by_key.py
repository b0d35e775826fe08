"""A split by keys, which may be texts: the split of an example depends only on its own key."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlpkit_plugins.splits.shares import Shares

_ADDED: Final = np.uint64(0x9E3779B97F4A7C15)
_FACTORS: Final = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))
_LAST_SHIFT: Final = np.uint64(31)
_BITS_KEPT: Final = np.uint64(11)
TOGETHER: Final = 1 << 14
"""Keys hashed at a time, to bound scratch memory."""


def split_by_key(keys: NDArray[np.uint64], shares: Shares, seed: int) -> dict[str, NDArray[np.intp]]:
    """Return the positions of each split, each in ascending order, with approximate shares, since the split is random.

    Examples with the same key are in the same split. An example stays in its split when others are added or removed.
    """
    salt = scattered(np.array([seed], np.uint64))
    in_test, held_out = np.empty(len(keys), np.bool_), np.empty(len(keys), np.bool_)
    for begin in range(0, len(keys), TOGETHER):
        part = slice(begin, begin + TOGETHER)
        u = (scattered(keys[part] + salt) >> _BITS_KEPT) * 2.0**-53
        np.less(u, shares.test, out=in_test[part])
        np.less(u, shares.test + shares.validation, out=held_out[part])
    parts = {
        "train": np.flatnonzero(~held_out),
        "validation": np.flatnonzero(held_out & ~in_test),
        "test": np.flatnonzero(in_test),
    }
    return shares.filled(parts, "set split: shuffle")


def scattered(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Hash 64-bit numbers to 64-bit numbers that look random.

    Source: G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
    """
    with np.errstate(over="ignore"):
        z = numbers + _ADDED
        for shift, factor in _FACTORS:
            z = (z ^ (z >> shift)) * factor
        return z ^ (z >> _LAST_SHIFT)


def text_key(text: str) -> int:
    """Return a 64-bit hash of a text."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest(), "little")
