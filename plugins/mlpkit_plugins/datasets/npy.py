"""Arrays in .npy files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any

from mlpkit import Array, DataError, FilePath, Proposal
from mlpkit_plugins.arrays.array_dataset import ArrayDataset, ContentOptions, Files, SplitOptions
from mlpkit_plugins.arrays.array_split import Examples, npz_examples
from mlpkit_plugins.files.named_file import named_file, targets_beside
from mlpkit_plugins.formats.rows_on_disk import npy_rows
from mlpkit_plugins.splits.shares import Share, shares_and_files


@dataclass(eq=False)
class Npy(SplitOptions, ContentOptions, ArrayDataset):
    """Two arrays in .npy files: a row of inputs for each example, and a row of targets.

    Arrays above 256 MiB are read minibatch by minibatch, so they may be larger than memory. If the file changes during
    a run, the run ends with an error and keeps the model of its last step.

        x = raw / divide_by, and with standardize  x = (raw / divide_by - mean) / std
        std = √(Σ (raw / divide_by - mean)² / n)  (over the n training examples; 1 if all are equal)

    Each element of the inputs has its own mean and std. Target values are scaled only inside the network.

    Args:
        inputs: file of an array of numbers, shape (examples, ...); ``example:NAME`` is an example that ships with
            mlpkit.
        targets: file of an array, shape (examples,) or (examples, ...).

    Raises:
        ParameterError: the shares leave nothing to train on, a split has no example, or there is no such file.
        DataError: a file has another format, is damaged, or doesn't hold what ``predict`` says.

    Source: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".
    """

    inputs: FilePath
    targets: FilePath
    _: KW_ONLY
    validation: Share | Files = 0.1
    test: Share | Files = 0.1

    def __post_init__(self) -> None:
        self.shares, self.files = shares_and_files(self.validation, self.test)

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show images of shapes, from files that ship with mlpkit."""
        files = {"inputs": "example:shapes_x.npy", "targets": "example:shapes_t.npy"}
        return [files | {"flatten": True, "divide_by": 255.0}, files | {"standardize": True, "split": "in_order"}]

    @classmethod
    def propose(cls, files: Mapping[str, str], target: str | None) -> Proposal | None:
        """Return a spec that trains well on an .npy file of inputs and one of targets; None for other files."""
        name = files["train"]
        if not name.lower().endswith(".npy"):
            return None
        from mlpkit_plugins.arrays.first_spec import propose_for_pair  # noqa: PLC0415 - guesses are for new specs only

        expected = "an .npy file with a row for each example"
        return propose_for_pair("npy", ("inputs", "targets"), files, target, _opened, expected)

    def open_files(self) -> dict[str, Examples]:
        """Open the files, and read their headers."""
        named = {"train": (("inputs", self.inputs), ("targets", self.targets))}
        named |= {split: ((split, inputs), (split, targets)) for split, (inputs, targets) in self.files.items()}
        return {split: _opened(*files) for split, files in named.items()}

    def read_examples(self, source: Path | Mapping[str, Sequence[Any] | Array]) -> tuple[Array, ...]:
        """Read raw inputs and targets.

        The source is a file of inputs with its targets next to it, such as ``x.npy`` and ``t.npy``, or an .npz file
        with ``x`` and ``t``.
        """
        if not isinstance(source, Path):
            return super().read_examples(source)
        if source.suffix == ".npz":
            return self.examples_in(npz_examples(source, str(source), "x", "t"))
        targets = targets_beside(source)
        if targets is None:
            remedy = "name the two like x.npy and t.npy, or save both in an .npz file as x and t"
            raise DataError(source, f"there is no file of targets next to it; {remedy}")
        return self.examples_in(_opened_at((source, str(source)), (targets, str(targets))))


def _opened(inputs: tuple[str, str], targets: tuple[str, str]) -> Examples:
    return _opened_at((named_file(*inputs), inputs[1]), (named_file(*targets), targets[1]))


def _opened_at(inputs: tuple[Path, str], targets: tuple[Path, str]) -> Examples:
    return Examples(npy_rows(*inputs), npy_rows(*targets), inputs[1], targets[1], (inputs[0], targets[0]))
