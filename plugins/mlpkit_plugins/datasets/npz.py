"""Arrays in .npz files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from mlpkit import Array, FilePath, Proposal
from mlpkit_plugins.arrays.array_dataset import ArrayDataset, ContentOptions, SplitOptions
from mlpkit_plugins.arrays.array_split import ArraySplit, Examples, npz_examples
from mlpkit_plugins.files.named_file import named_file
from mlpkit_plugins.files.regular_file import regular_file
from mlpkit_plugins.formats.npz_file import check_checksum, npz_shapes
from mlpkit_plugins.splits.shares import Share, shares_and_files

ArrayPair: TypeAlias = tuple[str, str]
"""An array of inputs, and an array of targets."""


@dataclass(eq=False)
class Npz(SplitOptions, ContentOptions, ArrayDataset):
    """Two arrays in an .npz file: a row of inputs for each example, and a row of targets.

    Arrays above 256 MiB that ``np.savez`` wrote are read minibatch by minibatch, so they may be larger than memory. If
    the file changes during a run, the run ends with an error and keeps the model of its last step. Files that
    ``np.savez_compressed`` wrote are read as a whole.

        x = raw / divide_by, and with standardize  x = (raw / divide_by - mean) / std
        std = √(Σ (raw / divide_by - mean)² / n)  (over the n training examples; 1 if all are equal)

    Each element of the inputs has its own mean and std. Target values are scaled only inside the network.

    Args:
        file: the file; ``example:NAME`` is an example that ships with mlpkit.
        inputs: name of the array of inputs, numbers of shape (examples, ...).
        targets: name of the array of targets, shape (examples,) or (examples, ...).
        weights: name of an array with each example's weight in the loss and in metrics, 0 or more, shape (examples,);
            by default all weights are 1. Examples of weight 0 are left out.
        validation: share of the examples for validation; a file that holds them; or two arrays of the same file, inputs
            and targets, with weight 1; 0 for none.
        test: the same for testing.

    Raises:
        ParameterError: the shares leave nothing to train on, a split has no example, or there is no such file.
        DataError: a file has another format, is damaged, misses an array, or doesn't hold what ``predict`` says.

    Source: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays", which also defines .npz.
    """

    file: FilePath
    inputs: str = "x"
    targets: str = "t"
    _: KW_ONLY
    weights: str | None = None
    validation: Share | FilePath | ArrayPair = 0.1
    test: Share | FilePath | ArrayPair = 0.1

    def __post_init__(self) -> None:
        self.shares, self.files = shares_and_files(self.validation, self.test)
        self.array_of_inputs = self.inputs

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show images of shapes, from a file that ships with mlpkit."""
        return [
            {"file": "example:shapes.npz", "divide_by": 255.0},
            {"file": "example:shapes.npz", "flatten": True, "standardize": True},
        ]

    @classmethod
    def propose(cls, files: Mapping[str, str], target: str | None) -> Proposal | None:
        """Return a spec that trains well on an .npz file; None for another kind of file."""
        name = files["train"]
        if not name.lower().endswith(".npz"):
            return None
        from mlpkit_plugins.arrays.first_spec import (  # noqa: PLC0415 - for new specs only
            choose_arrays,
            propose_for_arrays,
        )

        with regular_file(named_file("train", name), name) as file:
            shapes = npz_shapes(file, name)
        inputs, targets, splits = choose_arrays(shapes, name, target)
        own: dict[str, Any] = {
            split: named for split in ("validation", "test") if (named := files.get(split) or splits.get(split))
        }
        parameters: dict[str, Any] = {"file": name, "inputs": inputs, "targets": targets, **own}
        examples = cls(**parameters).open_files()["train"]
        decisions = [(split, f"{' and '.join(arrays)}") for split, arrays in splits.items() if split not in files]
        return propose_for_arrays("npz", parameters, examples, (inputs, targets), decisions)

    def open_files(self) -> dict[str, Examples]:
        """Open the files, and read their headers."""
        return {split: npz_examples(path, name, *arrays) for split, path, name, arrays in self._places()}

    def open(self, seed: int) -> Mapping[str, ArraySplit]:
        """Check the arrays' checksums, and return the splits by name."""
        for _, path, name, arrays in self._places():
            with regular_file(path, name) as file:
                for array in arrays:
                    check_checksum(file, array, name)
        return super().open(seed)

    def read_examples(self, source: Path | Mapping[str, Sequence[Any] | Array]) -> tuple[Array, ...]:
        """Read raw inputs and targets, and weights if there are any, from the arrays of another file."""
        if not isinstance(source, Path):
            return super().read_examples(source)
        return self.examples_in(npz_examples(source, str(source), *self._own_arrays))

    @property
    def _own_arrays(self) -> Sequence[str]:
        return [self.inputs, self.targets, *([] if self.weights is None else [self.weights])]

    def _places(self) -> Iterator[tuple[str, Path, str, Sequence[str]]]:
        """Yield the place of each split's examples: the file, its name in the spec, and the arrays."""
        yield "train", named_file("file", self.file), self.file, self._own_arrays
        for split, source in self.files.items():
            if isinstance(source, str):
                yield split, named_file(split, source), source, self._own_arrays
            else:
                yield split, named_file("file", self.file), self.file, source
