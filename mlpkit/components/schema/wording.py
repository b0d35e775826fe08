"""Words that messages have in common, and suggestions of what was meant."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Any, Final

from mlpkit.components.kinds import KINDS, in_words


def with_article(noun: str) -> str:
    """Return ``a layer``, ``an optimizer``."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def counted(number: int, noun: str) -> str:
    """Return ``1 item``, ``2 items``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(names: Sequence[object], most: int) -> str:
    """Return ``a, b, c``, or ``a, b, ...`` if there are more than ``most`` names."""
    return ", ".join(map(str, names[:most])) + (", ..." if len(names) > most else "")


def shown_number(value: float) -> str:
    """Return a number with four digits, as sentences have it: ``0.4312``, ``113,300``, ``5.08e-05``."""
    rounded = float(f"{value:.4g}")
    return f"{rounded:,.0f}" if 1000 <= abs(rounded) < 1e15 else f"{value:.4g}"


def memory_size(size: int) -> str:
    """Write a number of bytes in three digits: ``512 B``, ``1.2 MB``, ``24.9 GB``."""
    for unit, length in (("EB", 10**18), ("PB", 10**15), ("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 1000)):
        if size >= length:
            return f"{size / length:{'.3g' if size < 999.5 * length else ',.0f'}} {unit}"
    return f"{size} B"


def either_of(kinds: tuple[str, ...], *, article: bool = True) -> str:
    """Return ``a layer or a loss``; where any kind will do, ``a component``."""
    nouns = ["component"] if set(kinds) == set(KINDS) else [in_words(kind) for kind in kinds]
    return " or ".join(with_article(noun) if article else noun for noun in nouns)


def plain_call(name: str, method: Any) -> str:
    """Return how one would define a function or a class method, such as ``backward(self, dy)``."""
    signature = inspect.signature(method.__func__ if isinstance(method, classmethod) else method)  # with self or cls
    plain = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in signature.parameters.values()]
    return f"{name}{signature.replace(parameters=plain, return_annotation=inspect.Signature.empty)}"


ENOUGH: Final = 0.6
"""Similarity from which a candidate is near."""

MOST_CANDIDATES: Final = 500
"""Most candidates to compare; a longer list is not a choice of names, and would take seconds."""

MARGIN: Final = 0.1
"""How much less similar all other candidates are than one that must have been meant."""

SHORTEST: Final = 4
"""Letters of the shortest name that a word must have been meant for; shorter ones have too many neighbours."""

WORDS: Final = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
"""The words that a name is put together from, as in ``learning_rate`` or ``LearningRate``."""


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate most like ``word``, or else the only one that it abbreviates; None if there is neither.

    Of two that are as like it, it is the one whose length is nearer. Case and underscores don't count, so that ``relu``
    finds ``Relu``; otherwise the similarity is that of Ratcliff and Obershelp (1988), as in the standard library's
    ``difflib``. An abbreviation is made of the first letters of a name's words (``lr`` for ``learning_rate``) or of its
    first three letters and more.
    """
    written = _plain(word)
    names = sorted(candidates)
    if len(names) > MOST_CANDIDATES:
        return None
    similar = [(_similarity(written, _plain(name)), name) for name in names]
    near = [(similarity, name) for similarity, name in similar if similarity >= ENOUGH]
    if near:
        return max(near, key=lambda found: (found[0], -abs(len(found[1]) - len(word))))[1]
    meant = [name for name in names if _abbreviates(written, name)]
    return meant[0] if len(meant) == 1 else None


def certain(word: str, candidates: Iterable[str]) -> str | None:
    """Return the only candidate that ``word`` can be a slip for; None in case of doubt, where ``nearest`` may have one.

    It differs in case, underscores and hyphens alone; or in one slip that leaves the first letter and the digits as
    they are, so that ``nadam`` is not ``adam``, and ``Conv1d`` not ``Conv2d``. No other candidate is about as near.
    """
    names, written = sorted(set(candidates)), _plain(word)
    if word in names:
        return word
    same = [name for name in names if _plain(name) == written]
    near = same or slips(word, names)
    if not near or len(names) > MOST_CANDIDATES:
        return None
    found = max(near, key=lambda name: _similarity(written, _plain(name)))
    rivals = [name for name in names if name != found]
    alike = [name for name in rivals if _plain(name)[:1] == written[:1]]
    if same:
        return None if any(name in same or _is_slip(word, name) for name in alike) else found
    if set(near) & set(rivals) or not _is_likely_slip(written, _plain(found)):
        return None
    limit = _similarity(written, _plain(found)) - MARGIN
    return found if all(_similarity(written, _plain(name)) < limit for name in alike) else None


def slips(word: str, names: Iterable[str]) -> list[str]:
    """Return the names that are one slip from ``word``: a letter more, fewer or other, or two neighbours swapped.

    Case, underscores and hyphens may differ, too.
    """
    written = _plain(word)
    return [name for name in names if _is_slip(word, name) or _is_slip(written, _plain(name))]


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """Return ``did you mean 'name'?`` for the nearest candidate, or nothing."""
    found = nearest(word, candidates)
    return f"did you mean '{found}'?" if found else ""


def nearest_file(name: str, files: Iterable[str]) -> str | None:
    """Return the file whose name is most like another; None if none is near. Equal endings don't count."""
    by_stem: dict[str, list[str]] = {}
    for file in sorted(files):
        by_stem.setdefault(PurePath(file).stem, []).append(file)
    found = nearest(PurePath(name).stem, by_stem)
    return None if found is None else nearest(name, by_stem[found]) or by_stem[found][0]


def _plain(text: str) -> str:
    return text.lower().replace("_", "").replace("-", "")


def _is_likely_slip(word: str, name: str) -> bool:
    """Whether a name is long enough, and a slip left its first letter and its digits as they are."""
    same_digits = [*filter(str.isdigit, word)] == [*filter(str.isdigit, name)]
    return len(name) >= SHORTEST and name[:1] == word[:1] and same_digits


def _is_slip(word: str, name: str) -> bool:
    """Whether two texts are equal but for one letter, or two neighbours that are swapped."""
    if abs(len(word) - len(name)) > 1:
        return False
    both = zip(word, name, strict=False)
    start = next((i for i, (here, there) in enumerate(both) if here != there), min(len(word), len(name)))
    rest, other = word[start:], name[start:]
    return other[1:] in (rest, rest[1:]) or rest[1:] == other or rest[:2][::-1] + rest[2:] == other


def _similarity(word: str, candidate: str) -> float:
    """Return the share of both texts that agrees; 0 where their lengths alone rule out that it is enough."""
    if 2 * min(len(word), len(candidate)) < ENOUGH * (len(word) + len(candidate)):
        return 0.0  # a text of a megabyte would take seconds
    from difflib import SequenceMatcher  # noqa: PLC0415 - only after a mistake

    return SequenceMatcher(None, word, candidate).ratio()


def _abbreviates(word: str, name: str) -> bool:
    initials = "".join(part[0] for part in WORDS.findall(name)).lower()
    return (len(word) >= 2 and word == initials) or (len(word) >= 3 and _plain(name).startswith(word))
