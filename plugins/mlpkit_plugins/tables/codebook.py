"""Texts as integer codes: each distinct text of a column is kept once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

MISSING: Final = -1
"""The code of a missing value."""


class NoCharactersError(ValueError):
    """The bytes of a text are not valid characters.

    Args:
        index: the position of the text.
    """

    def __init__(self, index: int) -> None:
        self.index = index
        super().__init__(index)


class Codebook(dict[str, int]):
    """Maps each text of a file to its code: the position of the stripped text in ``texts``.

    Args:
        missing: texts that mean a missing value.

    Attributes:
        texts: the distinct texts, without surrounding blanks.
        length: their total number of characters.
    """

    def __init__(self, missing: Collection[str] = ()) -> None:
        super().__init__()
        self._missing = frozenset(missing)
        self.texts: list[str] = []
        self.length = 0

    def __missing__(self, written: str) -> int:
        """Give a new text its code."""
        text = written.strip()
        if text in self._missing:
            code = MISSING
        elif text != written:
            code = self[text]
        else:
            code = len(self.texts)
            self.texts.append(text)
            self.length += len(text)
        self[written] = code
        return code

    def codes(self, texts: Sequence[str]) -> NDArray[np.int32]:
        """Return the code of each text.

        Raises:
            NoCharactersError: a text has bytes that are not valid characters, decoded with ``surrogateescape``.
        """
        known = len(self.texts)
        codes = np.fromiter(map(self.__getitem__, texts), np.int32, len(texts))
        for code, text in enumerate(self.texts[known:], known):
            if not text.isprintable() and not _has_characters(text):
                raise NoCharactersError(int((codes == code).argmax()))
        return codes


def _has_characters(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
