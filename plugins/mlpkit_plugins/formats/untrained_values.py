"""The warning about categories that weren't in the training rows."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from mlpkit import did_you_mean
from mlpkit_plugins.formats.texts import shown_text, writes_number

MOST_COMPARED: Final = 20
"""The most texts that are compared with the known categories."""


@dataclass(frozen=True)
class UntrainedValues:
    """The ``count`` values of a column that no training row has, or that the spec doesn't list, and their texts.

    The source names the rows in messages; ``meaning`` is the encoding of such a value.
    """

    source: str
    rows: int
    column: str
    count: int
    texts: Collection[str]
    known: Collection[str]
    meaning: str = "zeros"

    def described(self, how: str = "were never trained on") -> str:
        """Return the message: how many values, their predicate, and the category that was most likely meant."""
        texts = sorted(self.texts)[:MOST_COMPARED]
        nearest = {text: did_you_mean(text, self.known) for text in texts if not writes_number(text)}
        text = next(filter(nearest.get, nearest), texts[0])
        which = f"{':' if len(self.texts) == 1 else ', such as'} {shown_text(text)}"
        meant = f" ({nearest[text]})" if nearest.get(text) else ""
        place = f"{self.source}, column '{self.column}'"
        return f"{place}: {self.count:,} of {self.rows:,} values {how}{which}{meant}; they count as {self.meaning}"

    def warn(self) -> None:
        """Issue the message as a Python warning."""
        warnings.warn(self.described(), stacklevel=2)
