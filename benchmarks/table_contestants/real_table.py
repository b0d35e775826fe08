"""A table with fixed splits, in a folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

SPLITS = ("train", "validation", "test")


class RealTable:
    """A table of the folder that ``tables.py`` describes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name
        facts = json.loads((folder / "table.json").read_text("utf-8"))
        self.target: str = facts["target"]
        self.categorical: list[str] = facts["categorical"]
        self.has_classes = facts["task"] == "classes"

    @cached_property
    def frames(self) -> dict[str, pd.DataFrame]:
        """The rows of each split."""
        texts = dict.fromkeys([*self.categorical, *([self.target] if self.has_classes else [])], str)
        return {
            split: pd.read_csv(self.folder / f"{split}.csv.gz", dtype=texts, keep_default_na=False) for split in SPLITS
        }

    def inputs(self, split: str) -> pd.DataFrame:
        """Return the inputs of a split; columns of categories know those of all splits."""
        frame = self.frames[split].drop(columns=self.target)
        for name in self.categorical:
            known = sorted(set().union(*(rows[name] for rows in self.frames.values())))
            frame[name] = pd.Categorical(frame[name], known)
        return frame

    def targets(self, split: str) -> NDArray[Any]:
        """Return the targets of a split, texts or numbers."""
        return self.frames[split][self.target].to_numpy()

    @cached_property
    def classes(self) -> list[str]:
        """The classes, in the order of their names."""
        return sorted(set(self.targets("train")))

    def class_numbers(self, split: str) -> NDArray[np.int64]:
        """Return the targets of a split as positions in ``classes``."""
        return np.searchsorted(self.classes, self.targets(split))

    def error(self, predicted: NDArray[Any]) -> float:
        """Return the percentage of wrong classes, or the root of the mean squared error, on the test rows."""
        expected = self.targets("test")
        if self.has_classes:
            return 100 * float(np.mean(np.asarray(predicted, str).ravel() != expected))
        return float(np.sqrt(np.mean((np.asarray(predicted, float).ravel() - expected) ** 2)))


@dataclass(frozen=True)
class Fitted:
    """A trained model: its predictions for the test rows, shape (rows,), and its bytes in a file."""

    predict: Callable[[], NDArray[Any]]
    size: Callable[[], int]
