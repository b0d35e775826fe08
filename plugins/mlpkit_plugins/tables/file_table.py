"""The base of the data sets that read tables from files."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from mlpkit import FilePath
from mlpkit_plugins.files.named_file import located, named_file
from mlpkit_plugins.tables.options import TableOptions
from mlpkit_plugins.tables.table import RawSplit
from mlpkit_plugins.tables.table_dataset import TableDataset

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Unpack

    from mlpkit import Array, Proposal, RawColumn
    from mlpkit_plugins.recipes.table_recipe import Recipe
    from mlpkit_plugins.tables.first_spec import Reading
    from mlpkit_plugins.tables.source import TableSource
    from mlpkit_plugins.tables.target_guess import Wishes


@dataclass(eq=False)
class FileOption:
    """The file with the table.

    Args:
        file: the file; ``example:NAME`` is an example that ships with mlpkit.
    """

    file: FilePath


@dataclass(eq=False)
class FileTable(TableDataset, FileOption):
    """A data set whose examples are the rows of a file.

    A subclass implements ``source``, which reads a file as a table, and ``guessed``.
    """

    endings: ClassVar[tuple[str, ...]]
    """The endings of the names of such files, in lower case."""

    @classmethod
    def recipes(cls) -> dict[str, Callable[[Mapping[str, str], str | None], Proposal | None]]:
        """Return strong networks for tables, each as a function like ``propose``."""
        from mlpkit_plugins.recipes import RECIPES  # noqa: PLC0415 - for new specs only

        return {name: partial(cls.propose, recipe=recipe) for name, recipe in RECIPES.items()}

    @classmethod
    def table_columns(cls, parameters: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the names of all columns of the file; only the parameters of how to read it matter."""
        reading = {name: value for name, value in parameters.items() if name not in TableOptions.__dataclass_fields__}
        return cls(**reading, target="").table_of("train").header if "file" in reading else ()

    @classmethod
    def propose(
        cls, files: Mapping[str, str], target: str | None, recipe: Recipe | None = None, **wishes: Unpack[Wishes]
    ) -> Proposal | None:
        """Return a spec that trains well on a table; None if the file has another format."""
        file = files["train"]
        if not file.lower().endswith(cls.endings):
            return None
        from mlpkit_plugins.tables.first_spec import propose_for_table  # noqa: PLC0415 - guesses are for new specs only

        reading = cls.guessed(named_file("train", file), file, target)
        return propose_for_table(cls.__name__.lower(), files, target, reading, recipe, wishes)

    @classmethod
    @abstractmethod
    def guessed(cls, path: Path, name: str, target: str | None) -> Reading:
        """Guess how to read a file, and read a sample of its rows."""

    @abstractmethod
    def source(self, path: Path, name: str, *, to_predict: bool = False) -> TableSource:
        """Return the table in a file, not yet read; advice about rows to predict can't be about parameters."""

    def table_of(self, split: str) -> TableSource:
        """Return the table of ``train``, or of a split with a separate file, not yet read."""
        file = self.files.get(split, self.file)
        return self.source(named_file(split if split in self.files else "file", file), file)

    def locate(self, name: str) -> Path:
        """Return the path of a file, which may be an example that ships with mlpkit."""
        return located(name)

    def read(self, path: Path) -> Array:
        """Read the model's columns from a file in the format of the data set.

        Returns:
            Raw inputs, shape (rows, columns): the columns of numbers, then the columns of categories as positions;
            NaN for a missing value, -1 for a category that didn't occur in training.
        """
        return self.raw_inputs(self.source_of(path))

    def raw_columns_in(self, path: Path) -> list[RawColumn]:
        """Return all columns of a file in the format of the data set, unchanged."""
        return self.raw_columns_of({"new": RawSplit(self.source_of(path))})

    def source_of(self, source: Path | Mapping[str, Sequence[Any] | Array]) -> TableSource:
        """Return the table in a file in the format of the data set, not yet read, or of columns in memory."""
        if isinstance(source, Path):
            return self.source(source, str(source), to_predict=True)
        return super().source_of(source)

    def read_table(self, path: Path) -> Mapping[str, Sequence[Any] | Array]:
        """Read all columns of a file in the format of the data set, unchanged."""
        return self.source_of(path).values()
