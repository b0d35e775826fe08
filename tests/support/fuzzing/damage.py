"""Damage done to the bytes of a file: every truncation, every flipped bit, and random mutants."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

INTERESTING = [b"{", b"[", b'"', b"-1", b"9" * 30, b"\\", b"NaN", b"null", b"\0", b"\xff" * 8, b"1e999", b"[[" * 40]
"""Pieces of text, and of numbers, that parsers trip over."""


def truncations(content: bytes) -> Iterator[bytes]:
    """Go through all beginnings of the content, without the whole."""
    return (content[:size] for size in range(len(content)))


def flipped_bits(content: bytes) -> Iterator[bytes]:
    """Go through all variants of the content in which one bit is another."""
    for bit in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        yield bytes(damaged)


def mutant(content: bytes, chance: random.Random) -> bytes:
    """Return the content with a few bytes replaced, inserted, removed, moved or repeated, or a number changed."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        a, b = sorted(chance.randrange(len(changed) + 1) for _ in range(2))
        match chance.randrange(8):
            case 0:
                changed[a : a + 1] = bytes((chance.randrange(256),))
            case 1:
                changed[a:a] = chance.randbytes(chance.randint(1, 20))
            case 2:
                del changed[a : a + chance.randint(1, 20)]
            case 3:
                changed[a:a] = changed[b : b + 50]
            case 4:
                changed[:8] = chance.randrange(2 ** chance.randint(1, 64)).to_bytes(8, "little")
            case 5:
                changed[a : a + chance.choice((0, 1, 4))] = chance.choice(INTERESTING)
            case 6:
                changed[a:b] = changed[b : b + b - a]
            case 7:
                _change_digit(changed, a, chance)
    return bytes(changed)


def mutants(content: bytes, chance: random.Random, count: int) -> Iterator[bytes]:
    """Yield random mutants, each different from the content."""
    for _ in range(count):
        damaged = mutant(content, chance)
        while damaged == content:
            damaged = mutant(content, chance)
        yield damaged


def with_right_checksum(alter: Callable[[bytes], bytes], content: bytes, digits: str) -> bytes:
    """Alter a file whose checksum covers it with its own digits zeroed, and put the checksum right again.

    Args:
        alter: what to do with the content.
        content: the file.
        digits: the checksum that stands in it.
    """
    zeros = b"0" * len(digits)
    altered = alter(content.replace(digits.encode(), zeros))
    return altered.replace(zeros, hashlib.sha256(altered).hexdigest().encode(), 1)


def _change_digit(changed: bytearray, start: int, chance: random.Random) -> None:
    """Replace the next digit of a number in the text by other digits, which keeps it well-formed."""
    for position in range(start, len(changed)):
        if chr(changed[position]) in "0123456789":
            changed[position : position + 1] = b"%d" % chance.choice((0, 1, 2, 9, 10, 64, 99999, 2**31, 2**63))
            return
