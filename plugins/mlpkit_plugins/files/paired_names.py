"""Matches names of files or arrays: inputs with targets, and training with other splits."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final

INPUTS: Final = ("x", "inputs", "input", "images", "image", "features", "data")
TARGETS: Final = ("t", "y", "targets", "target", "labels", "label")
TRAINING: Final = ("train", "training")
OTHER_SPLITS: Final = {"validation": ("validation", "valid", "val", "dev"), "test": ("test", "testing", "t10k")}

_BETWEEN_WORDS: Final = re.compile(r"[^a-z0-9]+")
_RANK: Final = re.compile(r"idx\d")


def renamed(name: str, names: Iterable[str], words: Collection[str], others: Sequence[str]) -> str | None:
    """Return the first of ``names`` that equals ``name`` with a word replaced, by the first of ``others``, or None.

    Words are runs of letters and digits; case doesn't matter. The number of dimensions in a name such as
    ``train-images-idx3-ubyte`` is ignored.
    """
    by_words = {_words(candidate): candidate for candidate in names}
    parts = _words(name)
    for place, word in enumerate(parts):
        for other in others if word in words else ():
            if match := by_words.get((*parts[:place], other, *parts[place + 1 :])):
                return match
    return None


def name_for_split(name: str, names: Iterable[str], split: str) -> str | None:
    """Return the name for another split of the training data ``name``, such as ``x_test`` for ``x_train``."""
    names = list(names)
    words, parts = OTHER_SPLITS[split], _words(name)
    if match := renamed(name, names, TRAINING, words):
        return match
    by_words = {_words(candidate): candidate for candidate in names}
    longer = ((*parts[:place], word, *parts[place:]) for word in words for place in range(len(parts) + 1))
    return next((by_words[words] for words in longer if words in by_words), None)


def has_word(name: str, words: Collection[str]) -> bool:
    """Whether a name contains one of some words."""
    return any(word in words for word in _words(name))


def _words(name: str) -> tuple[str, ...]:
    return tuple("idx" if _RANK.fullmatch(word) else word for word in _BETWEEN_WORDS.split(name.lower()))
