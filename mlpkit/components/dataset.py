"""Data sets: where examples come from, and how raw inputs become what a network takes."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from mlpkit.components.component import Component
from mlpkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mlpkit.components.target import Target


class Description(NamedTuple):
    """What a data set holds, known before its examples are read.

    Args:
        input_shape: shape of one example, with no batch axis.
        target: what is to be predicted.
        sizes: number of examples in each split: ``train``, and where they exist ``validation`` and ``test``.
    """

    input_shape: tuple[int, ...]
    target: Target
    sizes: Mapping[str, int]


class Doubt(NamedTuple):
    """Something in the data that is allowed, and most likely not meant.

    Args:
        parameter: the parameter that it comes from, as in the signature.
        message: what is not as one would expect.
        remedy: what to do if it is not meant.
    """

    parameter: str
    message: str
    remedy: str = ""


class Split(Protocol):
    """A part of a data set."""

    def __len__(self) -> int:
        """Return the number of examples."""

    def take(self, indices: NDArray[Any], out: tuple[NDArray[Any], NDArray[Any]]) -> None:
        """Write the examples at ``indices`` into ``out``, and read no others.

        Args:
            indices: positions in this split, in any order, repeats allowed.
            out: arrays for inputs, shape (rows, *input_shape), and targets.
        """


class Dataset(Component):
    """A source of examples.

    What a data set learns from its training examples (scaling, categories, class names) is its encoder state;
    it is saved with a model, and ``encode`` applies it to raw inputs when the model is used.
    """

    kind: ClassVar[str] = "dataset"

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Return parameters that show the data set, for tests and ``show``; by default its defaults."""
        return []

    @abstractmethod
    def describe(self) -> Description:
        """Return shapes, target and sizes, from parameters and as little of the files as tells them, such as headers.

        Raises:
            ParameterError: a parameter names something that is not there, or does not fit the data.
            DataError: a file is not what it should be.
        """

    @abstractmethod
    def open(self, seed: int) -> Mapping[str, Split]:
        """Return the splits by name.

        Args:
            seed: the spec's seed, for data sets that draw their splits at random.

        Raises:
            DataError: a file is not what it should be.
        """

    def doubts(self) -> Sequence[Doubt]:
        """Return what is allowed in the data, and most likely not meant, once described; each is told as a warning."""
        return ()

    def target_remedy(self) -> str:
        """Return what to change about the target, once described, where a loss takes another kind; or nothing."""
        return ""

    def fingerprint(self) -> str:
        """Return a checksum of the data, once opened, for the lock file; empty if there is none."""
        return ""

    def encoder_state(self) -> dict[str, Any]:
        """Return what ``encode`` needs beside the parameters, once opened, as plain data."""
        return {}

    def load_encoder_state(self, state: Mapping[str, Any]) -> None:
        """Take back what ``encoder_state`` returned.

        If the data set is described and opened after that, as it is when a run is evaluated anew, the state is what
        counts, and not what the data would teach now.
        """

    def read(self, path: Path) -> NDArray[Any]:
        """Read raw inputs, for prediction, from a file in one of this data set's own formats.

        NumPy files never come here: mlpkit reads them for every data set.

        Raises:
            DataError: the format is unknown, or the file is corrupt.
        """
        raise DataError(path, f"unknown file type '{path.suffix}'; expected .npy or .npz")

    def row_names(self, path: Path) -> tuple[str, ...] | None:
        """Return what each row of raw inputs that ``read`` gives for a path comes from, such as a file of a folder.

        None, by default, stands for rows that have no names.
        """
        return None

    def encode(self, raw: NDArray[Any]) -> NDArray[Any]:
        """Turn raw inputs, shape (rows, ...), into what the network takes."""
        return raw

    def why_not_encoded(self, inputs: NDArray[Any]) -> str:
        """Return why inputs plainly aren't what ``encode`` returns, such as a category that isn't 0 or 1; or nothing.

        A network that was loaded from a file asks before it predicts, since raw rows would be predicted in silence.
        Inputs that may have been encoded must never be refused.

        Args:
            inputs: what the network is given, shape (rows, *input_shape), of any numeric dtype.
        """
        return ""

    def feature_names(self) -> tuple[str, ...] | None:
        """Return a name for each element of an input, once opened, where inputs are rows; None if they have none."""
        return None

    def target_names(self) -> tuple[str, ...] | None:
        """Return a name for each label or value of a target, or None if they have none."""
        return None

    def class_names(self) -> tuple[str, ...] | None:
        """Return the classes' names in the order of their numbers, or None if they are just numbers."""
        return None
