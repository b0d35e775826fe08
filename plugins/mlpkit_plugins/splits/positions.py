"""The positions of the examples of each split: at random, in their order, by keys, by classes, by groups, by time."""

from __future__ import annotations

import math
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array
from mlpkit_plugins.splits.shares import Shares

_ADDED: Final = np.uint64(0x9E3779B97F4A7C15)
_FACTORS: Final = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))
_LAST_SHIFT: Final = np.uint64(31)
TOGETHER: Final = 1 << 14
"""Keys hashed at a time, to bound scratch memory."""


def split_at_random(examples: int, shares: Shares, seed: int) -> dict[str, NDArray[np.intp]]:
    """Return the positions of each split, in ascending order; they depend on the seed and the number of examples."""
    validation, test = (round(share * examples) for share in shares)
    order = np.random.default_rng(seed).permutation(examples)
    split_of = np.zeros(examples, np.int8)  # marking positions is faster than sorting them
    split_of[order[:validation]], split_of[order[validation : validation + test]] = 1, 2
    return _numbered(split_of, shares)


def split_in_order(examples: int, shares: Shares) -> dict[str, range]:
    """Return the positions of each split as ranges: first those for training, last those for testing."""
    validation, test = (round(share * examples) for share in shares)
    train = examples - validation - test
    parts = {
        "train": range(train),
        "validation": range(train, train + validation),
        "test": range(train + validation, examples),
    }
    return shares.filled(parts)


def split_by_key(keys: NDArray[np.uint64], shares: Shares, seed: int) -> dict[str, NDArray[np.intp]]:
    """Return the positions of each split, each in ascending order, with approximate shares, since the split is random.

    Examples with the same key are in the same split. An example stays in its split when others are added or removed.
    """
    numbers = _scattered(keys, seed)
    numbers >>= np.uint64(11)  # the bits of a number in [0, 1)
    in_test, held_out = (
        numbers < np.uint64(math.ceil(share * 2.0**53)) for share in (shares.test, shares.test + shares.validation)
    )
    return _numbered(held_out.astype(np.int8) + in_test, shares)


def split_by_class(
    keys: NDArray[np.uint64], classes: NDArray[np.integer[Any]], shares: Shares, seed: int
) -> dict[str, NDArray[np.intp]]:
    """Return the positions of each split; all splits have about the same share of every class.

    Examples with the same key, which depends on their class, too, are in the same split. Adding an example moves few
    others to another split.
    """
    counts = np.bincount(classes)
    keys = _scattered(keys, seed)
    rows_of = np.split(np.argsort(classes, kind="stable"), np.cumsum(counts)[:-1])
    present = np.flatnonzero(counts)
    firsts = np.zeros(len(counts), np.uint64)
    for number in present:  # a loop takes less memory than all at once
        firsts[number] = keys[rows_of[number]].min()
    tested = _allotted(shares.test, counts, firsts)
    kept = np.maximum(_allotted(shares.test + shares.validation, counts, firsts), tested)
    split_of = np.zeros(len(keys), np.int8)
    for number in present:
        rows = rows_of[number]
        in_order = keys[rows]
        in_order.sort()
        begin = _cut(in_order, 0, tested[number])
        first, second = in_order[begin], in_order[_cut(in_order, begin, kept[number] if shares.validation else 0)]
        split_of[rows] = (keys[rows] < second).astype(np.int8) + (keys[rows] < first)
    return _numbered(split_of, shares)


def split_by_group(keys: NDArray[np.uint64], shares: Shares, seed: int) -> dict[str, NDArray[np.intp]]:
    """Return the positions of each split; examples with the same key, which are a group, are in the same split."""
    numbers = _scattered(keys, seed)
    return _split_in_order(np.argsort(numbers, kind="stable"), numbers, shares)


def split_by_time(times: NDArray[np.float64], shares: Shares) -> dict[str, NDArray[np.intp]]:
    """Return the positions of each split: the latest examples for testing, the examples before them for validation.

    Examples of the same time are in the same split.
    """
    return _split_in_order(np.argsort(-times, kind="stable"), times, shares)


def _allotted(share: float, counts: NDArray[np.integer[Any]], firsts: NDArray[np.uint64]) -> NDArray[np.integer[Any]]:
    """Return a share of each class's examples, at most all but one, rounded so that the sum is that share of all.

    Ties between classes are broken by ``firsts``.
    """
    wanted = share * counts
    most = np.maximum(counts - 1, 0)
    allotted: NDArray[np.integer[Any]] = np.minimum(np.floor(wanted + 1e-9).astype(np.int64), most)
    missing = max(round(share * int(counts.sum())) - int(allotted.sum()), 0)
    largest_remainders_first = np.lexsort((firsts, (allotted - wanted).round(9)))
    with_room = largest_remainders_first[(allotted < most)[largest_remainders_first]]
    allotted[with_room[:missing]] += 1
    return allotted


def _numbered(split_of: NDArray[np.int8], shares: Shares) -> dict[str, NDArray[np.intp]]:
    """Return the positions of each split, in ascending order: 0 is for training, 1 for validation, 2 for testing."""
    parts = {name: np.flatnonzero(split_of == number) for number, name in enumerate(("train", "validation", "test"))}
    return shares.filled(parts)


def _split_in_order(order: NDArray[np.intp], keys: Array, shares: Shares) -> dict[str, NDArray[np.intp]]:
    """Return the positions of each split, in ascending order, cut where the key changes nearest to the share.

    The ``order`` has the positions of test examples first, and equal keys next to each other.
    """
    in_order = keys[order]
    test = _cut(in_order, 0, shares.test * len(order))
    kept = _cut(in_order, test, (shares.test + shares.validation) * len(order)) if shares.validation else test
    parts = {"train": order[kept:], "validation": order[test:kept], "test": order[:test]}
    return {name: np.sort(part) for name, part in shares.filled(parts).items()}


def _cut(in_order: Array, begin: int, wanted: float) -> int:
    """Return the change of the key nearest to a wanted position, after ``begin`` and before the end, or ``begin``."""
    place = round(wanted)
    if place <= begin:
        return begin
    place = min(place, len(in_order) - 1)
    same = in_order == in_order[place]
    before, after = int(same.argmax()), len(in_order) - int(same[::-1].argmax())
    borders = [border for border in (before, after) if begin < border < len(in_order)]
    return min(borders, key=lambda border: abs(border - wanted)) if borders else begin


def _scattered(keys: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    """Hash keys, block by block, to bound scratch memory."""
    salt = scattered(np.array([seed], np.uint64))
    numbers = np.empty(len(keys), np.uint64)
    for begin in range(0, len(keys), TOGETHER):
        part = slice(begin, begin + TOGETHER)
        with np.errstate(over="ignore"):
            numbers[part] = scattered(keys[part] + salt)
    return numbers


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
