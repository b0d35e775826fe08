"""Arrays in .npy files."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Lt

from mlpkit import DataError
from mlpkit_plugins.arrays.array_dataset import ArrayDataset, ArrayOptions
from mlpkit_plugins.arrays.array_split import Examples
from mlpkit_plugins.files.named_file import named_file
from mlpkit_plugins.formats.npy_header import read_npy_header
from mlpkit_plugins.formats.rows_on_disk import RowsOnDisk
from mlpkit_plugins.splits.shares import Shares

Share = Annotated[float, Ge(0), Lt(1)]
Files = tuple[str, str]


class Npy(ArrayDataset):
    """Two arrays in .npy files: a row of inputs for each example, and a row of targets.

    Of arrays above 256 MiB, only the rows of the current minibatch are read, so they may be larger than memory. If the
    file changes during a run, the run ends with an error and keeps the model of its last step.

        x = raw / divide_by, and with standardize  x = (raw / divide_by - mean) / std
        std = √(Σ (raw / divide_by - mean)² / n)  (over the n training examples; 1 if all are equal)

    Each element of the inputs has its own mean and std. Targets are never scaled.

    Args:
        inputs: file of an array of numbers, shape (examples, ...); ``example:NAME`` is one that ships with mlpkit.
        targets: file of an array, shape (examples,) or (examples, ...).
        predict: what the targets are: ``classes``, numbers from 0; ``labels``, rows of 0 and 1; ``values``, numbers.
        flatten: give inputs as rows.
        divide_by: what inputs are divided by, such as 255 for bytes of images.
        standardize: scale each element of the inputs to mean 0 and standard deviation 1, by the training examples. The
            file is read once for that.
        validation: share of the examples for validation, or the two files that hold them; 0 for none.
        test: share of the examples for testing, or the two files that hold them; 0 for none.
        split: draw the examples of each split at random (``shuffle``), or keep them ``in_order``: the first for
            training, the last for testing.
        split_seed: seed of the shuffle; the spec's seed doesn't affect it.

    Raises:
        ParameterError: the shares leave nothing to train on, a split has no example, or there is no such file.
        DataError: a file has another format, is damaged, or doesn't hold what ``predict`` says.

    Source: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".
    """

    def __init__(
        self,
        inputs: str,
        targets: str,
        *,
        predict: Literal["classes", "labels", "values"] = "classes",
        flatten: bool = False,
        divide_by: Annotated[float, Gt(0)] = 1.0,
        standardize: bool = False,
        validation: Share | Files = 0.1,
        test: Share | Files = 0.1,
        split: Literal["shuffle", "in_order"] = "shuffle",
        split_seed: Annotated[int, Ge(0)] = 0,
    ) -> None:
        self.inputs = inputs
        self.targets = targets
        self.options = ArrayOptions(predict, flatten, divide_by, standardize, split, split_seed)
        given = {"validation": validation, "test": test}
        self.files = {name: files for name, files in given.items() if isinstance(files, tuple)}
        self.shares = Shares(*(0.0 if isinstance(share, tuple) else share for share in given.values()))
        self.shares.expect_rest()

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show images of shapes, from files that ship with mlpkit."""
        files = {"inputs": "example:shapes_x.npy", "targets": "example:shapes_t.npy"}
        return [files | {"flatten": True, "divide_by": 255.0}, files | {"standardize": True, "split": "in_order"}]

    def open_files(self) -> dict[str, Examples]:
        """Open the files, and read their headers.

        Raises:
            ParameterError: there is no such file.
            DataError: a file has another format, or is damaged.
        """
        named = {"train": (("inputs", self.inputs), ("targets", self.targets))}
        named |= {split: ((split, inputs), (split, targets)) for split, (inputs, targets) in self.files.items()}
        return {split: _opened(*files) for split, files in named.items()}


def _opened(inputs: tuple[str, str], targets: tuple[str, str]) -> Examples:
    opened = []
    for parameter, name in (inputs, targets):
        path = named_file(parameter, name)
        try:
            with path.open("rb") as file:
                header = read_npy_header(file, name, path.stat().st_size)
                opened.append((RowsOnDisk(file, header, name), path))
        except OSError as error:
            raise DataError(name, f"can't be read: {error.strerror or error}") from error
    (x, x_path), (t, t_path) = opened
    return Examples(x, t, inputs[1], targets[1], (x_path, t_path))
