"""Examples on which data sets are checked."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit.testing.suite.examples.example import ROWS, Example

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlpkit.components.dataset import Dataset, Description, Split
    from mlpkit.testing.suite.comparison import Arrays

INPUTS: Final = "the inputs"
TARGETS: Final = "the targets"


class DatasetExample(Example):
    """A data set, opened once for all the checks that only read it."""

    sample = "[{'examples': 100}]"

    @cached_property
    def dataset(self) -> Dataset:
        """The data set that was opened."""
        dataset: Dataset = self.make()
        return dataset

    @cached_property
    def description(self) -> Description:
        """The data set's description."""
        return self.dataset.describe()

    @cached_property
    def splits(self) -> Mapping[str, Split]:
        """The opened splits."""
        self.description  # noqa: B018 - describe comes first, as in a run
        return self.dataset.open(0)

    def some_rows(self, split: str, rows: int = ROWS) -> NDArray[np.int64]:
        """Return positions in a split, in random order and with repeats."""
        size = self.description.sizes[split]
        chosen = self.random("rows", split).integers(0, size, rows)
        chosen[-1] = chosen[0]
        return chosen

    def take(self, split: Split, indices: NDArray[Any], dtype: str = "float64", fill: int = 113) -> Arrays:
        """Return examples, written into filled arrays."""
        target_shape, target_dtype = self.description.target.array(np.dtype(dtype))
        x = np.full((len(indices), *self.description.input_shape), fill, dtype)
        t = np.full((len(indices), *target_shape), fill, target_dtype)
        split.take(indices, (x, t))
        return {INPUTS: x, TARGETS: t}

    def sample_of(self, splits: Mapping[str, Split], dtype: str = "float64") -> Arrays:
        """Return some examples of every split."""
        return {
            f"{what} of {name}": array
            for name in sorted(splits)
            for what, array in self.take(splits[name], self.some_rows(name), dtype).items()
        }

    def exercise(self) -> Arrays:
        """Describe and open a new object, and read some examples."""
        dataset = self.make()
        dataset.describe()
        return self.sample_of(dataset.open(0))
