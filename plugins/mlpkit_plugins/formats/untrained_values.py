"""Categories that a model was never trained on, and the warning about them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mlpkit import did_you_mean
from mlpkit_plugins.formats.header_names import writes_number
from mlpkit_plugins.formats.shown_text import shown_text

if TYPE_CHECKING:
    from collections.abc import Collection

MOST_COMPARED: Final = 20
"""Texts that are compared with the known categories."""


@dataclass(frozen=True)
class UntrainedValues:
    """The values of a column that no training row has, or that the spec doesn't list.

    Args:
        source: the name of the rows in messages.
        rows: how many rows there are.
        column: the column.
        count: how many rows hold such a value.
        texts: the distinct texts.
        known: the categories that were trained on.
        meaning: what each counts as.
    """

    source: str
    rows: int
    column: str
    count: int
    texts: Collection[str]
    known: Collection[str]
    meaning: str = "zeros"

    def described(self, how: str = "were never trained on") -> str:
        """Return how many there are, and the category that was most likely meant.

        Args:
            how: what is said of them.
        """
        texts = sorted(self.texts)[:MOST_COMPARED]
        nearest = {text: did_you_mean(text, self.known) for text in texts if not writes_number(text)}
        text = next(filter(nearest.get, nearest), texts[0])
        which = f"{':' if len(self.texts) == 1 else ', such as'} {shown_text(text)}"
        meant = f" ({nearest[text]})" if nearest.get(text) else ""
        place = f"{self.source}, column '{self.column}'"
        return f"{place}: {self.count:,} of {self.rows:,} values {how}{which}{meant}; they count as {self.meaning}"

    def warn(self) -> None:
        """Let Python warn of them."""
        warnings.warn(self.described(), stacklevel=2)
