"""A spec's data: described, opened, what it leaves to the data filled in, and which of many rows are looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.dataset import Dataset, Description, Split
from mlpkit.components.operation import Shape, output_shape_of
from mlpkit.components.schema.context import Problem
from mlpkit.components.schema.recipe import Auto, Recipe
from mlpkit.components.schema.wording import did_you_mean, listed
from mlpkit.components.target import Classes, DataFacts, Labels, Target
from mlpkit.errors import (
    Diagnostic,
    ParameterError,
    RunFolderError,
    SpecShapeError,
    UsageError,
    WrongUseError,
    printable,
)
from mlpkit.jobs.folds import FOLDED, Folds, fold_sizes, of_rows, rows_to_fold
from mlpkit.network.component_errors import check_returned, component_errors
from mlpkit.specfile.spec import Spec, require_spec
from mlpkit.training.minibatches import BatchReader

if TYPE_CHECKING:
    from mlpkit.components.dataset import RawRows
    from mlpkit.network.sequential import Sequential


MOST_NAMES_SHOWN: Final = 20


class OpenedData(NamedTuple):
    """A data set that is open, for several trainings, and its splits."""

    dataset: Dataset
    splits: Mapping[str, Split]


def describe_data(spec: Spec, dataset: Dataset) -> Description:
    """Return shapes and sizes of a spec's data, or raise ``SpecShapeError`` or ``DataError``."""
    try:
        with component_errors(f"dataset {spec.data.name} failed in describe"):
            description = dataset.describe()
    except ParameterError as error:
        path = ("data", spec.data.name, error.parameter)
        fault = Problem(path, error.message, expected=error.expected, remedy=error.remedy, code=error.code)
        raise spec.error(SpecShapeError, [fault]) from error
    promised = "Description(input_shape, target, sizes)"
    check_returned(f"dataset {spec.data.name}", "describe", description, Description, promised)
    if spec.top_level.by is not None:
        _require_columns(spec, dataset, spec.top_level.by)
    if spec.folds is None:
        return description
    rows = rows_to_fold(description.sizes)
    if rows < spec.folds:
        message = f"there are fewer rows than {spec.folds} folds"
        expected = f"at most {rows}, the rows for training and validation"
        raise spec.error(SpecShapeError, [Problem(("ensemble", "folds"), message, expected, code="out-of-range")])
    return description._replace(sizes=fold_sizes(description.sizes, spec.folds, spec.member))


def _require_columns(spec: Spec, dataset: Dataset, by: Sequence[str]) -> None:
    names = names_of_columns(spec, dataset)
    unknown = [(i, *no_column(name, names)) for i, name in enumerate(by) if name not in names]
    if unknown:
        raise spec.error(SpecShapeError, [Problem(("by", i), message, remedy=remedy) for i, message, remedy in unknown])


def names_of_columns(spec: Spec, dataset: Dataset) -> Sequence[str]:
    """Return the names of all columns of the table that a spec's data comes from, once described."""
    with component_errors(f"dataset {spec.data.name} failed in table_columns"):
        names = dataset.table_columns(spec.data.arguments)
        return names or [column.name for column in dataset.raw_columns() or ()]


def names_of_target(dataset: Dataset, target: Target) -> tuple[str, ...]:
    """Return a name for each class or label, its number if it has no other, or for each value; empty without names."""
    names = dataset.class_names() if isinstance(target, Classes) else dataset.target_names()
    return names or (tuple(map(str, range(target.count))) if isinstance(target, Classes | Labels) else ())


def no_column(name: str, names: Sequence[str]) -> tuple[str, str]:
    """Return what is wrong with the name of a column that doesn't exist, and what to do."""
    if not names:
        return "the data has no named columns to group rows by", "leave out by"
    return f"the data has no column '{name}'", did_you_mean(name, names) or f"it has {listed(names, MOST_NAMES_SHOWN)}"


def open_data(spec: Spec, dataset: Dataset) -> Mapping[str, Split]:
    """Return the splits of a spec's data, once described, or raise ``DataError``."""
    return open_for_members(spec, dataset)(spec.member)


def open_for_members(spec: Spec, dataset: Dataset) -> Callable[[int | None], Mapping[str, Split]]:
    """Return a function that gives each network of an ensemble its splits of a spec's data, as ``open_data`` does."""
    if spec.folds is not None:
        return open_folds(spec, dataset, spec.folds).splits
    splits = _own_splits(spec, dataset)
    return lambda member: splits


def open_folds(spec: Spec, dataset: Dataset, folds: int) -> Folds:
    """Return the rows of a spec's data, once described, cut into folds; see ``open_data``."""
    with component_errors(f"dataset {spec.data.name} failed in describe"):
        description = dataset.describe()
    splits = _own_splits(spec, dataset)
    keys = keys_of_examples(dataset, {split: splits[split] for split in FOLDED if split in splits})
    return Folds(splits, description, np.dtype(spec.dtype), folds, spec.data_seed, keys)


def keys_of_examples(dataset: Dataset, splits: Mapping[str, Split]) -> dict[str, NDArray[np.uint64]] | None:
    """Return a number for each example of some splits, the same only for copies of one; None if that isn't known."""
    known = {}
    with component_errors(f"dataset {dataset.registered_name} failed in example_keys"):
        for split, examples in splits.items():
            keys = dataset.example_keys(split)
            if keys is not None:
                known[split] = keys
                if len(keys) != len(examples):
                    raise ValueError("there must be a key for each example")
    return known if len(known) == len(splits) else None


def _own_splits(spec: Spec, dataset: Dataset) -> Mapping[str, Split]:
    with component_errors(f"dataset {spec.data.name} failed in open"):
        splits = dataset.open(spec.data_seed)
    check_returned(f"dataset {spec.data.name}", "open", splits, Mapping, "a mapping from names to splits")
    return splits


def data_warnings(spec: Spec, dataset: Dataset) -> tuple[Diagnostic, ...]:
    """Return likely mistakes in a data set, once described, each at its parameter's place.

    One without a remedy takes a single line: the spec's line isn't shown.
    """
    place = ("data", spec.data.name)
    with component_errors(f"dataset {spec.data.name} failed in warnings"):
        faults = [
            Problem(
                (*place, warning.parameter),
                printable(warning.message),
                remedy=printable(warning.remedy),
                code="doubtful-value",
            )
            for warning in dataset.warnings()
        ]
    if spec.coverage is not None and (why := why_not_exchangeable(dataset)):
        remedy = "see how many targets mlpkit evaluate finds in their regions"
        faults.append(Problem(("coverage",), f"no guarantee: {why}", remedy=remedy, code="doubtful-value"))
    return tuple(found if found.remedy else found._replace(source="") for found in spec.located(faults))


def why_not_exchangeable(dataset: Dataset) -> str:
    """Return why held-out rows aren't like others, as the data set knows it; or an empty text."""
    with component_errors(f"dataset {dataset.registered_name} failed in why_not_exchangeable"):
        return printable(dataset.why_not_exchangeable())


def from_data(spec: Spec) -> str:
    """Return that something comes from a spec's data, and where the spec names it."""
    return f"from the data ({spec.data.name}) at {spec.document.place(('data',), at_key=True)}"


def data_not_as_trained_on(directory: Path, error: SpecShapeError) -> RunFolderError:
    """Return the error for a run whose data is missing or doesn't fit its spec any more, which must not be edited."""
    remedy = "restore the data that it was trained on; file names are relative to the folder in which mlpkit is started"
    return RunFolderError(f"{directory}: {error.faults[0].message}; {remedy}")


def raw_rows(dataset: Dataset, split: str, indices: Array, examples: Split | None = None) -> RawRows | None:
    """Return inputs of a split, which may be a fold, before they are encoded; None if the data set keeps none."""
    with component_errors(f"dataset {dataset.registered_name} failed in raw_rows"):
        rows: RawRows | None = of_rows(dataset.raw_rows, split, indices, examples)
        return rows


def load_data(spec: Spec, split: str = "train", rows: int | None = None) -> tuple[Array, ...]:
    """Return inputs and targets of a split of a spec's data, encoded as in training; and weights, if there are any.

    Args:
        spec: the spec.
        split: ``train``, ``validation`` or ``test``.
        rows: how many examples, beginning with the first; by default all.

    Raises:
        UsageError: the argument isn't a Spec, the split doesn't exist, or it has fewer rows.
        DataError: a data file is not what it should be.
    """
    require_spec(spec, "load_data")
    dataset = spec.new_dataset()
    description = describe_data(spec, dataset)
    if split not in description.sizes:
        remedy = did_you_mean(split, description.sizes) or f"it has {', '.join(description.sizes)}"
        raise UsageError(f"the data of {spec.name} has no split {split!r}; {remedy}")
    most = description.sizes[split]
    count = most if rows is None else rows
    if not 1 <= count <= most:
        raise UsageError(f"can't load {count:,} rows from {split}; expected 1 to {most:,}")
    examples = open_data(spec, dataset)[split]
    x, t, weights = BatchReader(examples, description, np.dtype(spec.dtype), count).take(np.arange(count))
    return (x, t) if weights is None else (x, t, weights)


MOST_ROWS: Final = 10_000
"""Most rows of a split that are predicted to judge a model, or to prove a file."""

MOST_NUMBERS: Final = 1 << 25
"""Most numbers that go into the network for these rows, or come out of it: of large images, or of thousands of classes,
they are fewer than the rows above."""


def rows_to_predict(rows: int, network: Sequential) -> NDArray[np.intp]:
    """Return positions of the rows of a split that are predicted to judge a model, or to prove a file."""
    return evenly_spaced(rows, most_rows(network.input_shape, *map(output_shape_of, network.layers[-1:])))


def most_rows(*shapes: Sequence[int]) -> int:
    """Return how many rows are predicted at most, given the shapes of what goes in for an example, and comes out."""
    return max(1, min(MOST_ROWS, MOST_NUMBERS // max(map(prod, shapes))))


def evenly_spaced(count: int, most: int) -> NDArray[np.intp]:
    """Return positions of some of many items, evenly spaced, the first and the last among them; of few, all."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.intp))


ROWS_COUNTED_TOGETHER: Final = 1024


def facts_of(spec: Spec, dataset: Dataset, description: Description) -> DataFacts:
    """Return what is known of a spec's data, which is described; to count the classes takes opening it."""
    target, loss_name = description.target, spec.layers[-1].recipe.name

    def loss_inputs() -> Shape | None:
        with component_errors(f"loss {loss_name} failed in expected_inputs"):
            loss: Any = spec.layers[-1].recipe()
            shape: Shape | None = loss.expected_inputs(target)
        return shape

    def class_names() -> tuple[str, ...]:
        with component_errors(f"dataset {spec.data.name} failed in class_names"):
            return names_of_target(dataset, target)

    def class_counts() -> NDArray[np.float64]:
        split = open_data(spec, dataset)["train"]
        reader = BatchReader(split, description, np.dtype(spec.dtype), min(ROWS_COUNTED_TOGETHER, len(split)))
        counts = (count_classes(target, t, weights) for _, t, weights in reader.in_order())
        return np.asarray(reduce(np.add, counts), np.float64)

    return DataFacts(target, loss_name, loss_inputs, class_names, class_counts)


def filled_in(spec: Spec, dataset: Dataset, description: Description) -> tuple[Spec, list[Problem]]:
    """Return the spec without anything that is left to the data, and what could not be filled in.

    By default a minibatch has no more than the training examples.
    """
    faults: list[Problem] = []
    facts, training = facts_of(spec, dataset, description), spec.training
    layers = tuple(replace(member, recipe=_filled_in(member.recipe, facts, faults)) for member in spec.layers)
    if not spec.document.has_value(("training", "batch_size")):
        most = max(1, description.sizes["train"] // training.accumulate)
        training = replace(training, batch_size=min(training.batch_size, most))
    return replace(spec, top_level=replace(spec.top_level, layers=layers, training=training)), faults


def _filled_in(value: Any, facts: DataFacts, faults: list[Problem]) -> Any:
    """Return a recipe, or a value in one, with nothing left to the data except where a fault is found."""
    if isinstance(value, Recipe):
        arguments = {}
        for key, argument in value.arguments.items():
            try:
                arguments[key] = _filled_in(argument, facts, faults)
            except WrongUseError as error:
                place = (*value.place, key)
                faults.append(Problem(place, error.message, error.expected, error.remedy, code=error.code))
                arguments[key] = argument
        return replace(value, arguments=arguments)
    if isinstance(value, Auto):
        return value.fill_in(facts)
    if type(value) in (list, tuple):
        return type(value)(_filled_in(item, facts, faults) for item in value)
    return {key: _filled_in(item, facts, faults) for key, item in value.items()} if type(value) is dict else value


def count_classes(target: Target, t: Array, weights: Array | None = None) -> Array:
    """Return how many examples have each class or label, or the sum of their weights; nothing of values."""
    if isinstance(target, Classes) and not target.one_hot:
        return np.bincount(t, weights, minlength=target.count)
    if isinstance(target, Classes | Labels):
        return np.asarray(np.rint(t.sum(axis=0, dtype=np.float64)), np.int64) if weights is None else weights @ t
    return np.zeros(0, np.int64)
