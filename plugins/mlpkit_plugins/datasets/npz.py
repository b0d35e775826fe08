"""Arrays in .npz files."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mlpkit import DataError, FilePath
from mlpkit_plugins.arrays.array_dataset import ArrayDataset
from mlpkit_plugins.arrays.array_split import Examples
from mlpkit_plugins.arrays.options import ContentOptions, SplitOptions
from mlpkit_plugins.files.named_file import named_file
from mlpkit_plugins.formats.npz_file import expect_sound, npz_array
from mlpkit_plugins.splits.shares import Share, shares_and_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from mlpkit_plugins.arrays.array_split import ArraySplit


@dataclass(eq=False)
class Npz(SplitOptions, ContentOptions, ArrayDataset):
    """Two arrays in an .npz file: a row of inputs for each example, and a row of targets.

    Of arrays above 256 MiB that ``np.savez`` wrote, only the rows of the current minibatch are read, so they may be
    larger than memory. If the file changes during a run, the run ends with an error and keeps the model of its last
    step. Files that ``np.savez_compressed`` wrote are read as a whole.

        x = raw / divide_by, and with standardize  x = (raw / divide_by - mean) / std
        std = √(Σ (raw / divide_by - mean)² / n)  (over the n training examples; 1 if all are equal)

    Each element of the inputs has its own mean and std. Targets are never scaled.

    Args:
        file: the file; ``example:NAME`` is one that ships with mlpkit.
        inputs: name of the array of inputs, numbers of shape (examples, ...).
        targets: name of the array of targets, shape (examples,) or (examples, ...).
        validation: share of the examples for validation, or a file that holds them; 0 for none.
        test: share of the examples for testing, or a file that holds them; 0 for none.

    Raises:
        ParameterError: the shares leave nothing to train on, a split has no example, or there is no such file.
        DataError: a file has another format, is damaged, lacks an array, or doesn't hold what ``predict`` says.

    Source: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays", which also defines .npz.
    """

    file: FilePath
    inputs: str = "x"
    targets: str = "t"
    _: KW_ONLY
    validation: Share | FilePath = 0.1
    test: Share | FilePath = 0.1

    def __post_init__(self) -> None:
        self.shares, self.files = shares_and_files(self.validation, self.test)

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show images of shapes, from a file that ships with mlpkit."""
        return [
            {"file": "example:shapes.npz", "divide_by": 255.0},
            {"file": "example:shapes.npz", "flatten": True, "standardize": True},
        ]

    def open_files(self) -> dict[str, Examples]:
        """Open the files, and read their headers.

        Raises:
            ParameterError: there is no such file.
            DataError: a file has another format, is damaged, or lacks an array.
        """
        opened = {"train": self._read_headers("file", self.file)}
        return opened | {split: self._read_headers(split, file) for split, file in self.files.items()}

    def open(self, seed: int) -> Mapping[str, ArraySplit]:
        """Return the splits by name, once the arrays' checksums have been compared.

        Raises:
            ParameterError: there is no such file, or a split has no example.
            DataError: a file is damaged, or the arrays don't belong together.
        """
        for parameter, name in (("file", self.file), *self.files.items()):
            with _reading(named_file(parameter, name), name) as file:
                for array in (self.inputs, self.targets):
                    expect_sound(file, array, name)
        return super().open(seed)

    def read_examples(self, source: Path | Mapping[str, Sequence[Any] | NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        """Read raw inputs and targets from the two arrays of another file.

        Raises:
            DataError: the file has another format, is damaged, lacks an array, or doesn't hold what ``predict`` says.
        """
        if not isinstance(source, Path):
            return super().read_examples(source)
        return self.examples_in(self._headers(source, str(source)))

    def _read_headers(self, parameter: str, name: str) -> Examples:
        return self._headers(named_file(parameter, name), name)

    def _headers(self, path: Path, name: str) -> Examples:
        with _reading(path, name) as file:
            x, t = (npz_array(file, array, name) for array in (self.inputs, self.targets))
        return Examples(x, t, f"{name}, array '{self.inputs}'", f"{name}, array '{self.targets}'", (path,))


@contextmanager
def _reading(path: Path, name: str) -> Iterator[IO[bytes]]:
    try:
        with path.open("rb") as file:
            if not os.fstat(file.fileno()).st_size:  # a file in /proc might never end
                raise DataError(name, "the file is empty; expected an .npz file")
            yield file
    except OSError as error:
        raise DataError(name, f"can't be read: {error.strerror or error}") from error
