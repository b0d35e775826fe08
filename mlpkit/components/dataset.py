"""Data sets: where examples come from, and how raw inputs become what a network takes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Protocol, cast

from mlpkit.components.component import Component
from mlpkit.components.input_columns import InputColumn
from mlpkit.components.schema.recipe import KeyPath
from mlpkit.components.target import Target
from mlpkit.errors import DataError, NotExportableError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from mlpkit.components.graph import Graph, Value

    RawRows = Mapping[str, Sequence[Any]] | NDArray[Any]
    """Inputs as they are before they are encoded: columns by name, or an array."""


class Description(NamedTuple):
    """What a data set holds, known before its examples are read.

    Args:
        input_shape: shape of one example, with no batch axis.
        target: what to predict.
        sizes: number of examples in each split: ``train``, and if they exist ``validation`` and ``test``.
        weighted: whether examples have weights: how much each counts in the loss and in metrics.
        columns: if an example is a row of a table, what its elements come from, in their order; a layer at the
            network's input may treat them differently.
    """

    input_shape: tuple[int, ...]
    target: Target
    sizes: Mapping[str, int]
    weighted: bool = False
    columns: Sequence[InputColumn] = ()


class DataWarning(NamedTuple):
    """Something in the data that is allowed, but most likely a mistake.

    Args:
        parameter: the parameter that it comes from, as in the signature.
        message: what is unexpected.
        remedy: what to do if it is a mistake.
    """

    parameter: str
    message: str
    remedy: str = ""


class Proposal(NamedTuple):
    """A first spec for data in a file.

    Args:
        spec: keys of the spec as plain data, ``data``, ``layers`` and ``training`` among them.
        comments: why a key has its value, by the key's path, such as ``("data", "csv", "ignore", 0)``; they become
            comments of the spec.
        decisions: what was decided, each a label of a word or two and a text; ``mlpkit init`` prints them.
        files: names of further files in the spec, seen from the current folder, too.
    """

    spec: Mapping[str, Any]
    comments: Mapping[KeyPath, str]
    decisions: Sequence[tuple[str, str]]
    files: Sequence[str] = ()


class Split(Protocol):
    """A part of a data set."""

    def __len__(self) -> int:
        """Return the number of examples."""

    def take(self, indices: NDArray[Any], out: tuple[NDArray[Any], NDArray[Any]]) -> None:
        """Write the examples at ``indices`` into ``out``; only these are read.

        Args:
            indices: positions in this split, in any order, repeats allowed.
            out: arrays for inputs, shape (rows, *input_shape), and targets; and a third one for weights, shape (rows,),
                in float64, if the description is ``weighted``. Weights are finite numbers from 0 up.
        """


ROLES: Final = ("target", "input", "weight", "split", "left out")
"""What a column of a table may be for: ``split`` names the split of a row."""


class RawColumn(NamedTuple):
    """A column of the table that examples come from, unchanged.

    Args:
        name: its name.
        role: what it is for: ``input``, ``target``, ``weight``, ``split``, or ``left out``.
        texts: the distinct values, as texts.
        numbers: the number that each text stands for, shape (texts,), NaN for none; None if they aren't numbers.
        codes: for each split the position of each row's value in ``texts``, -1 if it is missing.
        holds: ``categories`` or ``dates``, if it is one of these for the model; otherwise empty.
    """

    name: str
    role: str
    texts: Sequence[str]
    numbers: NDArray[Any] | None
    codes: Mapping[str, NDArray[Any]]
    holds: str = ""


class RawArray(NamedTuple):
    """An array that examples come from, unchanged, all splits together.

    Args:
        name: its name.
        role: ``input`` or ``target``.
        dtype: the type of its elements.
        shape: the shape of one example's part.
        least: the smallest number.
        greatest: the largest number.
    """

    name: str
    role: str
    dtype: str
    shape: tuple[int, ...]
    least: float
    greatest: float


class Dataset(Component):
    """A source of examples.

    What a data set learns from its training examples (scaling, categories, class names) is its encoder state;
    it is saved with a model, and ``encode`` applies it to raw inputs when the model is used. Methods that read files
    raise ``DataError`` for one that is missing, damaged, or in another format.

    Attributes:
        in_memory: whether its examples are given by ``hold`` and come from no file.
        target_types: the classes of its own targets, if it predicts other than classes, labels and values.
        array_of_inputs: the array to predict for, if an .npz file holds several.
        dtype: the network's dtype, float32 or float64, in which ``encode`` returns inputs; mlpkit sets it.
    """

    kind: ClassVar[str] = "dataset"
    in_memory: ClassVar[bool] = False
    target_types = cast("tuple[type[Target], ...]", ())
    array_of_inputs = "x"
    dtype = cast("DTypeLike", "float32")

    @classmethod
    def propose(cls, files: Mapping[str, str], target: str | None) -> Proposal | None:
        """Return a spec that trains well on a file; or None, the default, if this data set doesn't read such files.

        Args:
            files: the name of the file, or of the folder, seen from the current folder, under ``train``, and the
                files of ``validation`` and ``test`` if they are separate.
            target: what to predict, such as a column, an array or a file of targets; None if it isn't given.

        A data set that reads columns may take more, by keyword, where the command line has them: ``targets``, all
        columns to predict, if there are several; ``predict``, what they hold; ``drop``, columns to leave out; ``id``,
        the column that shows which rows belong together. So may its ``recipes``.

        Raises:
            ParameterError: ``train``, ``validation``, ``test`` or ``target`` is wrong, or one of those keywords.
            DataError: the file is damaged, or nothing can be learned from it.
        """
        return None

    @classmethod
    def recipes(cls) -> Mapping[str, Callable[[Mapping[str, str], str | None], Proposal | None]]:
        """Return other networks to propose, by the names that ``mlpkit init --recipe`` takes; none by default.

        Each is called like ``propose``, and raises the same errors; in a ``ParameterError``, ``recipe`` is the recipe
        itself, if it doesn't suit the data.
        """
        return {}

    @classmethod
    def table_columns(cls, parameters: Mapping[str, Any]) -> Sequence[str]:
        """Return the names of all columns of the table that parameters name, for editors; required ones may be missing.

        Raises:
            ParameterError: a parameter is wrong.
            DataError: the file has the wrong format.
        """
        return ()

    @classmethod
    def parameters_for(
        cls, examples: Mapping[str, tuple[Any, ...]], given: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """Return the parameters with which ``hold`` takes examples; None, the default, if it takes no such examples.

        ``mlpkit.fit`` asks its data sets that are ``in_memory``, and takes the first that returns parameters.

        Args:
            examples: as for ``hold``.
            given: the keywords that ``mlpkit.fit`` was given, not yet checked.

        Returns:
            The keywords that were given, with the parameters that follow from the examples.

        Raises:
            DataError: the examples are not what they should be.
        """
        return None

    @classmethod
    def layers_for(cls, examples: Mapping[str, tuple[Any, ...]], parameters: Mapping[str, Any]) -> Sequence[Any]:
        """Return layers and a loss, as a spec writes them, for ``mlpkit.fit`` without any, from ``parameters_for``."""
        return ()

    @abstractmethod
    def describe(self) -> Description:
        """Return shapes, target and sizes, from parameters and as little of the files as possible, such as headers.

        Raises:
            ParameterError: a parameter names something that doesn't exist, or doesn't fit the data.
            DataError: a file has the wrong format or content.
        """

    @abstractmethod
    def open(self, seed: int) -> Mapping[str, Split]:
        """Return the splits by name, drawn with the spec's seed if they are drawn at random."""

    def hold(self, examples: Mapping[str, tuple[Any, ...]]) -> None:
        """Take examples in memory, before the data set is described; called only if it is ``in_memory``.

        Args:
            examples: inputs and targets of each split, and weights if they have any; a data set may take further splits
                from ``train``.

        Raises:
            DataError: the data set reads its examples from files.
        """
        raise DataError(self.registered_name, "this data set reads its own examples; it takes none from Python")

    def warnings(self) -> Sequence[DataWarning]:
        """Return likely mistakes in the data that are allowed, once described; each becomes a warning."""
        return ()

    def why_not_exchangeable(self) -> str:
        """Return why held-out rows aren't like others drawn at random, such as a split by time; or an empty text.

        What holds for such rows holds for others without a guarantee: ``coverage`` says so.
        """
        return ""

    def target_remedy(self) -> str:
        """Return how to change the target, once described, if a loss takes another kind; or an empty text."""
        return ""

    def input_scaling(self) -> Mapping[str, Any]:
        """Return the parameters that would scale inputs to mean 0 and standard deviation 1, if others than now."""
        return {}

    def target_scaling(self) -> Mapping[str, Any]:
        """Return the parameters that would scale values to predict so, if others than now."""
        return {}

    def fingerprint(self) -> str:
        """Return a checksum of the data, once opened, for the lock file; empty if it has no checksum."""
        return ""

    def encoder_state(self) -> dict[str, Any]:
        """Return what ``encode`` needs in addition to the parameters, once opened, as plain data."""
        return {}

    def load_encoder_state(self, state: Mapping[str, Any]) -> None:
        """Take back what ``encoder_state`` returned; described and opened after that, learn nothing from the data.

        Raises:
            ModelFileError: ``encoder_state`` can't have returned it.
        """

    def locate(self, name: str) -> Path:
        """Return the path of a file to predict for, or to evaluate on, from its name; by default, the name."""
        return Path(name)

    def read(self, path: Path) -> NDArray[Any]:
        """Read raw inputs for prediction from a file in one of this data set's own formats.

        NumPy files never come here: mlpkit reads them for every data set.
        """
        raise DataError(path, f"unknown file type '{path.suffix}'; expected .npy or .npz")

    def row_names(self, path: Path) -> tuple[str, ...] | None:
        """Return the source of each row that ``read`` returns, such as a file of a folder; None without names."""
        return None

    def column_names(self) -> tuple[str, ...] | None:
        """Return the names of the columns that inputs come from, in the table's order, once opened or loaded.

        None, the default, means that inputs are arrays.
        """
        return None

    def from_columns(self, columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> NDArray[Any]:
        """Turn columns of a table in memory into raw inputs, as ``read`` does with a file.

        Called only if ``column_names`` returns names. Rows count from 0 in messages.

        Args:
            columns: values by the name of their column, all of one length: lists, or arrays of one dimension; other
                columns must be ignored.

        Raises:
            DataError: a column is missing, or a value doesn't fit its column.
        """
        raise DataError("the rows", "this data set takes an array, not named columns")

    def read_examples(self, source: Path | Mapping[str, Sequence[Any] | NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        """Read raw inputs and their targets, to evaluate a model on new data.

        Args:
            source: a file or folder like the one trained on; or columns in memory, if ``column_names`` returns names.

        Returns:
            Raw inputs as ``read`` returns them, and targets as ``Split.take`` writes them; classes as numbers, never
            one-hot. If examples have weights, these come third, shape (rows,), in float64.

        Raises:
            DataError: the file doesn't hold both, or one of them is not what it should be.
        """
        place = source if isinstance(source, Path) else "the rows"
        remedy = "in Python, pass the targets as well: evaluate(rows, targets)"
        raise DataError(place, f"this data set doesn't read inputs and targets together; {remedy}")

    def read_table(self, path: Path) -> Mapping[str, Sequence[Any] | NDArray[Any]]:
        """Read all columns of a file that ``read`` reads, unchanged, for ``mlpkit predict --keep-inputs``.

        Called only if ``column_names`` returns names.
        """
        raise DataError(path, "this data set can't return the raw columns of a file")

    def remarks(self, raw: NDArray[Any]) -> Sequence[str]:
        """Return warnings about raw inputs to predict for, such as numbers far outside the range in training."""
        return ()

    def lacking(self, raw: NDArray[Any]) -> Mapping[int, Sequence[str]]:
        """Return the rows that can't be encoded, and so not predicted, each with the names of its missing columns.

        By default ``encode`` takes every row, or raises an exception.
        """
        return {}

    def encode(self, raw: NDArray[Any]) -> NDArray[Any]:
        """Turn raw inputs, shape (rows, ...), into what the network takes, numbers of its ``dtype``.

        Raises:
            ShapeError: their shape doesn't fit.
            DataError: a value is missing, or can't be encoded.
        """
        return raw

    def onnx(self, graph: Graph) -> Value:
        """Describe ``encode`` in operators: declare raw inputs with ``graph.feed``, and return the encoded input.

        By default inputs aren't encoded, and are called ``x``. What is returned is turned into the network's dtype.

        Args:
            graph: where to add the operators; ``graph.input_shape`` is the shape of what the network takes.

        Raises:
            NotExportableError: ``encode`` is overridden, and this method isn't.
        """
        if type(self).encode is not Dataset.encode:
            raise NotExportableError(
                f"dataset {self.registered_name} can't be exported: it has a method encode, but no method onnx; "
                "export the network alone with --network-only"
            )
        return graph.feed("x", graph.dtype.name, graph.input_shape)

    def raw_rows(self, split: str, indices: NDArray[Any]) -> RawRows | None:
        """Return inputs of a split, by their positions, once opened, not encoded, for reports, traces and exports.

        Columns by name if ``column_names`` returns names, as ``from_columns`` takes them; otherwise an array, as
        ``encode`` takes it. None, the default, means that the data set keeps encoded inputs alone.
        """
        return None

    def example_sources(self, split: str, indices: NDArray[Any]) -> Sequence[str] | None:
        """Return where examples of a split come from, by their positions, once opened, such as ``titanic.csv, row 17``.

        None, the default, means that the data set doesn't know.
        """
        return None

    def example_keys(self, split: str) -> NDArray[Any] | None:
        """Return a number for each example of a split, once opened; None, the default, if unknown.

        Only copies of one example have the same number. Copies stay in one fold of an ensemble, and ``mlpkit data``
        counts copies of training rows in other splits.
        """
        return None

    def feeds(self, columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return columns in memory, as for ``from_columns``, as the inputs that ``onnx`` declares, of their dtypes.

        Called only if ``raw_rows`` returns columns; an array is the one input that ``onnx`` declares.

        Raises:
            DataError: a value doesn't fit its column.
        """
        import numpy as np  # noqa: PLC0415 - checking a spec needs no NumPy

        return {name: np.asarray(values) for name, values in columns.items()}

    def why_not_encoded(self, inputs: NDArray[Any]) -> str:
        """Return why inputs clearly weren't encoded, such as a category that isn't 0 or 1; or an empty text.

        A network loaded from a file calls this before it predicts, since raw rows would silently give wrong
        predictions. Inputs that may have been encoded must never be refused.

        Args:
            inputs: the network's inputs, shape (rows, *input_shape), of any numeric dtype.
        """
        return ""

    def why_perhaps_not_encoded(self, inputs: NDArray[Any]) -> str:
        """Return why inputs most likely weren't encoded, for a warning; asked if ``why_not_encoded`` finds nothing."""
        return ""

    def feature_names(self) -> tuple[str, ...] | None:
        """Return a name for each element of an input, once opened, if inputs are rows; None without names."""
        return None

    def target_names(self) -> tuple[str, ...] | None:
        """Return a name for each label or value of a target, or None without names."""
        return None

    def class_names(self) -> tuple[str, ...] | None:
        """Return the classes' names in the order of their numbers, or None if they are just numbers."""
        return None

    def raw_columns(self) -> Sequence[RawColumn] | None:
        """Return all columns of the table of the examples, once opened, for ``mlpkit data``; None if from none."""
        return None

    def raw_columns_in(self, path: Path) -> Sequence[RawColumn] | None:
        """Return all columns of a file that ``read`` reads, which may lack the targets, for ``mlpkit data --against``.

        Like those of ``raw_columns``, with codes of a single split, ``new``. None, the default, if it holds no table.
        """
        return None

    def columns_of_rows(
        self, names: Collection[str], source: Path | Mapping[str, Sequence[Any] | NDArray[Any]] | None = None
    ) -> Sequence[RawColumn]:
        """Return the columns of some names, those that exist, for groups of rows; by default those of ``raw_columns``.

        Args:
            names: names of columns, which may be left out as inputs.
            source: what ``read_examples`` reads; the columns then hold the rows that it returns, as the split ``data``.
                None for the splits, once opened.
        """
        raw = self.raw_columns() if source is None else ()
        return [column for column in raw or () if column.name in names]

    def raw_arrays(self) -> Sequence[RawArray] | None:
        """Return the arrays that examples come from, once opened, unscaled, for ``mlpkit data``; None if from none.

        It is also called if ``describe`` or ``open`` refuses the data and an element is missing.
        """
        return None
