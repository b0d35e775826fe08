"""Tables in memory, such as data frames."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, ColumnName, DataError, Description, RawColumn, did_you_mean
from mlpkit_plugins.arrays.array_targets import (
    NO_EXAMPLES,
    kind_of_target,
    layers_to_begin_with,
    target_array,
    weight_array,
)
from mlpkit_plugins.splits.shares import Share
from mlpkit_plugins.tables.columns import ISO
from mlpkit_plugins.tables.memory_source import (
    MemorySource,
    columns_in,
    held_in,
    is_frame,
    is_missing,
    names_in,
    ordered_categories,
    row_labels,
)
from mlpkit_plugins.tables.options import MEANINGS, ColumnNames, Names, shown_names
from mlpkit_plugins.tables.table_dataset import TableDataset

TARGET: Final = "target"
WEIGHT: Final = "weight"


@dataclass(kw_only=True, eq=False)
class Frame(TableDataset):
    """A data frame in memory, or a dict of columns, as ``mlpkit.fit`` takes them.

    Tables are encoded as by ``csv``: numbers are scaled to mean 0 and standard deviation 1, and categories are one-hot
    encoded. Columns of texts hold categories, ordered categoricals of pandas are ordered categories, and columns of
    dates are dates. The frame isn't saved: to resume such a run, pass it again.

    Args:
        target: the column to predict, or several; an array that is passed to ``mlpkit.fit`` is named ``target``.
        weight: the column with each row's weight, 0 or more; weights that are passed to ``mlpkit.fit`` as an array are
            named ``weight``. Rows with weight 0 are left out.
        classes: the classes from lowest to highest, an order that losses such as ``Ordinal`` need; by default the
            classes of the training rows, in numerical or alphabetical order.
        validation: share of the rows for validation; 0 for none.
        test: share of the rows for testing; 0 for none.

    Raises:
        ParameterError: parameters contradict each other, the shares leave nothing to train on, or one names a column
            that doesn't exist.
        DataError: no frame was passed, or a value doesn't fit its column.

    Source: McKinney, Data Structures for Statistical Computing in Python, Proceedings of the 9th Python in Science
        Conference (2010).
    """

    in_memory: ClassVar[bool] = True
    target: ColumnName | ColumnNames = TARGET
    classes: Names | None = None
    validation: Share = 0.0
    test: Share = 0.0

    def __post_init__(self) -> None:
        """Find contradictions that show without the frame."""
        super().__post_init__()
        self._held: Mapping[str, tuple[Any, ...]] = {}

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show splits by shares, and a column of categories."""
        return [{"validation": 0.4, "inputs": ["a", "b"]}, {"test": 0.4, "categorical": ["c"]}]

    @classmethod
    def parameters_for(
        cls, examples: Mapping[str, tuple[Any, ...]], given: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """Return the parameters of a spec for a frame: target, weight and kinds of columns; None without a frame."""
        x, t, *weights = examples["train"]
        if not is_frame(x):
            return None
        columns, parameters = columns_in(x, _named("train")), dict(given)
        targets = _names_of(t, columns)
        parameters["target"] = targets[0] if len(targets) == 1 else targets
        if weights:
            parameters["weight"] = weights[0] if isinstance(weights[0], str) else _new_name(WEIGHT, columns)
        if given.get("predict", "auto") == "auto":
            parameters["predict"] = "classes" if given.get("classes") else _predicted(t, targets, columns)
        if isinstance(given.get("classes"), list | tuple):
            parameters["classes"] = [str(each) for each in given["classes"]]
        split = given.get("split")
        named = [_named_in(given.get(key)) for key in ("ignore", *MEANINGS)]
        named.append(_named_in([*split.values()] if isinstance(split, dict) else None))
        left_out = {*targets, parameters.get("weight"), *chain(*named)}
        inputs = [name for name in _named_in(given.get("inputs")) or columns if name not in left_out]
        return {**parameters, **_meanings(given, x, {name: columns[name] for name in columns if name in inputs})}

    @classmethod
    def layers_for(cls, examples: Mapping[str, tuple[Any, ...]], parameters: Mapping[str, Any]) -> list[Any]:
        """Return a small perceptron for the target."""
        return layers_to_begin_with(parameters["predict"])

    def hold(self, examples: Mapping[str, tuple[Any, ...]]) -> None:
        """Store frames by split, each with its targets or their names, and perhaps weights or their name."""
        self._held, self._splits = examples, None

    @property
    def own_tables(self) -> Collection[str]:
        """The splits that have a separate frame."""
        return [name for name in self._held if name != "train"]

    def table_of(self, split: str) -> MemorySource:
        """Return the frame of a split, with its targets and weights as columns."""
        if split not in self._held:
            raise DataError(self.registered_name, NO_EXAMPLES)
        x, t, *weights = self._held[split]
        name = _named(split)
        columns = columns_in(x, name)
        rows = len(next(iter(columns.values()))) if columns else 0
        if not _are_names(t, columns):
            columns |= _to_columns(t, self.targets, rows, f"t{_of(split)}")
        if weights and not isinstance(weights[0], str) and self.weight is not None:
            columns[self.weight] = weight_array(weights[0], rows, f"weights{_of(split)}")
        elif self.weight is not None and self.weight not in columns:
            columns[self.weight] = np.ones(rows)
        return MemorySource(columns, self.missing_texts, self.number_format, name=name)

    def describe(self) -> Description:
        """Return shapes, target and sizes; errors name a row by its label in the frame's index, if it has one."""
        try:
            return super().describe()
        except DataError as error:
            frames = {_named(name): x for name, (x, *_) in self._held.items()}
            labels = row_labels(frames.get(error.path))
            if error.row is None or labels is None:
                raise
            label = labels[error.row]
            shown: Any = label if isinstance(label, int) else f"'{label}'"
            raise DataError(error.path, error.message, row=shown, column=error.column) from error

    def raw_columns(self) -> list[RawColumn] | None:  # type: ignore[override]
        """Return all columns of the frame; None after training, when the frame is gone."""
        return super().raw_columns() if self._held else None

    def example_keys(self, split: str) -> NDArray[np.uint64] | None:
        """Return a number for each row of a split, equal for copies; None after training."""
        return super().example_keys(split) if self._held else None

    def raw_rows(self, split: str, indices: Array) -> Mapping[str, Sequence[Any]] | None:  # type: ignore[override]
        """Return the model's columns for some rows; None after training."""
        return super().raw_rows(split, indices) if self._held else None

    def encode(self, raw: Any) -> Array:
        """Encode a frame, or raw inputs as ``from_columns`` returns them."""
        return super().encode(self.from_columns(columns_in(raw, "the rows")) if is_frame(raw) else raw)

    def target_remedy(self) -> str:
        """Return the advice for a loss that takes another kind of target."""
        return super().target_remedy().replace("set predict: values", "pass predict='values' to mlpkit.fit")


def _meanings(given: Mapping[str, Any], frame: Any, columns: Mapping[str, Array]) -> dict[str, Any]:
    """Return the parameters for the kinds of columns, extended by the types of columns."""
    ordinal = {name: levels for name, levels in ordered_categories(frame).items() if name in columns}
    held = {name: held_in(values, name, _named("train")) for name, values in columns.items() if name not in ordinal}
    categories, dates = ([name for name in held if held[name] == what] for what in ("categories", "dates"))
    meanings = {"categorical": categories, "ordinal": ordinal, "dates": dates}
    if isinstance(given.get("dates"), dict):
        meanings["dates"] = dict.fromkeys(dates, ISO)
    return {key: _joined(given.get(key), value) for key, value in meanings.items() if value}


def _joined(given: Any, more: Any) -> Any:
    """Join two lists or two mappings; return ``given`` if it is of another type, an error that is found later."""
    if given is None:
        return more
    if isinstance(given, dict) and isinstance(more, dict):
        return {**given, **more}
    return [*given, *more] if isinstance(given, list | tuple) and isinstance(more, list) else given


def _named_in(given: Any) -> list[str]:
    """Return the columns that a parameter names; its type isn't checked yet."""
    return [name for name in given if isinstance(name, str)] if isinstance(given, list | tuple | dict) else []


def _named(split: str) -> str:
    return f"the frame{_of(split)}"


def _of(split: str) -> str:
    return "" if split == "train" else f" of {split}"


def _are_names(t: Any, columns: Mapping[str, Any]) -> bool:
    """Whether targets are given as the names of columns of the frame."""
    several = isinstance(t, list | tuple) and len(t) > 0
    return isinstance(t, str) or (several and all(isinstance(each, str) and each in columns for each in t))


def _names_of(t: Any, columns: Mapping[str, Any]) -> list[str]:
    """Return the names of the target columns: their own, or new ones."""
    if isinstance(t, str):
        if t not in columns:
            remedy = did_you_mean(t, columns) or f"it has {shown_names([*columns])}."
            raise DataError("t", f"the frame has no column '{t}'; {remedy} Or give a target for each row")
        return [t]
    if _are_names(t, columns):
        return list(t)
    if is_frame(t):
        return [_new_name(str(name), columns) for name in names_in(t)]
    array = target_array(t, "t")
    if array.ndim == 1 or array.shape[1:] == (1,):
        name = getattr(t, "name", None)
        return [_new_name(name if isinstance(name, str) and name else TARGET, columns)]
    return [_new_name(f"{TARGET} {number}", columns) for number in range(array.shape[1])]


def _new_name(name: str, columns: Mapping[str, Any]) -> str:
    """Return a name that no column of the frame has."""
    while name in columns:
        name = f"{name} (given)"
    return name


def _predicted(t: Any, targets: Sequence[str], columns: Mapping[str, Array]) -> str:
    if _are_names(t, columns):
        arrays = [columns[name] for name in targets]
        t = arrays[0] if len(arrays) == 1 else np.stack(arrays, axis=1)
    array = target_array(t, "t")
    if array.dtype.kind == "O":  # may hold missing values, which are left out
        array = np.array([value for value in array.ravel().tolist() if not is_missing(value)])
    return kind_of_target(array)


def _to_columns(t: Any, names: Sequence[str], rows: int, source: str) -> dict[str, Array]:
    """Return targets as columns of the frame."""
    array = target_array(t, source)
    if len(array) != rows:
        raise DataError(source, f"has {len(array):,} targets for the {rows:,} rows of the frame")
    flat = array.reshape(rows, -1)
    if flat.shape[1] != len(names):
        message = f"has the shape {array.shape}; expected {len(names)} targets for each row"
        raise DataError(source, message)
    return dict(zip(names, flat.T, strict=True))
