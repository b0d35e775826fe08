"""Damage to a file with a checksum over all of it, as models have: none of it may ever be accepted.

To put another kind of such file through the same, call both functions with its loader.
"""

from __future__ import annotations

import random
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from fuzzing.damage import flipped_bits, mutant, mutants, truncations, with_right_checksum
from fuzzing.watch import Limits, Report, campaign

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BEYOND_THE_FILE = 64_000_000
"""Bytes of memory that loading may take beside the file's own size."""


def refuses_damage(
    load: Callable[[Path], Any],
    content: bytes,
    path: Path,
    *,
    seed: int,
    count: int,
    every: int = 1,
    keep: Path | None = None,
) -> Report:
    """Make sure that every truncation, every flipped bit and a number of random mutants are refused.

    Args:
        load: reads the file at a path.
        content: a good file.
        path: where to write the damaged ones.
        seed: what the mutants are drawn with.
        count: how many mutants.
        every: step between truncations and between bits, if there is no time for each.
        keep: a folder for inputs that fail.
    """
    print(f"seed {seed}")  # noqa: T201 - to repeat a failure
    each = islice(chain(truncations(content), flipped_bits(content)), None, None, every)
    damaged = chain(each, mutants(content, random.Random(seed), count))
    return campaign(load, damaged, path, limits=_limits(content), keep=keep)


def survives_forgeries(
    load: Callable[[Path], Any],
    content: bytes,
    digits: str,
    path: Path,
    *,
    seed: int,
    count: int,
    keep: Path | None = None,
    names_file: bool = True,
) -> Report:
    """Make sure that mutants whose checksum was put right are refused in our words, or do no harm.

    Args:
        load: reads the file at a path.
        content: a good file.
        digits: the checksum in it, in hexadecimal digits.
        path: where to write the forged ones.
        seed: what the mutants are drawn with.
        count: how many mutants.
        keep: a folder for inputs that fail.
        names_file: whether each message must name the file.
    """
    print(f"seed {seed}")  # noqa: T201 - to repeat a failure
    chance = random.Random(seed)
    forged = (with_right_checksum(lambda whole: mutant(whole, chance), content, digits) for _ in range(count))
    return campaign(
        load,
        forged,
        path,
        may_accept=lambda loaded: True,
        limits=_limits(content),
        keep=keep,
        names_file=names_file,
    )


def _limits(content: bytes) -> Limits:
    return Limits(memory=len(content) + BEYOND_THE_FILE)
