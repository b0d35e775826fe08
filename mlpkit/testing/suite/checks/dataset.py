"""Examples and checks of data sets: descriptions, examples, encoders, names and warnings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.dataset import Dataset, Description, Split
from mlpkit.components.graph import Graph
from mlpkit.components.input_columns import GROUPS, InputColumn
from mlpkit.components.target import Classes, Labels, Values, is_length, target_from_plain, target_to_plain
from mlpkit.errors import MlpkitError, NotExportableError
from mlpkit.testing.suite.check import (
    Arrays,
    NotApplicable,
    check_close,
    check_same_bits,
    checks_component,
    checks_examples,
    evaluated,
    failing_with,
    require,
    unchanged,
)
from mlpkit.testing.suite.plugin_under_test import ROWS, ComponentUnderTest, Example

if TYPE_CHECKING:
    from mlpkit.components.dataset import RawRows

INPUTS: Final = "the inputs"
TARGETS: Final = "the targets"
WEIGHTS: Final = "the weights"

STRANGE: Final = "no-such-file.no-such-ending"
"""A file that doesn't exist, of an unknown format."""


class DatasetExample(Example):
    """A data set, opened once for all checks that only read it."""

    sample = "[{'examples': 100}]"

    def make(self) -> Dataset:
        """Build the data set, with examples if it holds them in memory."""
        dataset: Dataset = super().make()
        if dataset.in_memory:
            dataset.hold(self._held(type(dataset)))
        return dataset

    def _held(self, kind: type[Dataset]) -> dict[str, tuple[Any, ...]]:
        """Return an array of inputs, or named columns for a data set that takes only columns."""
        random = self.random("examples in memory")
        x, t = random.normal(size=(40, 3)), random.integers(0, 2, 40)
        if kind.parameters_for({"train": (x, t)}, {}) is not None:
            return {"train": (x, t)}
        columns = {"a": x[:, 0], "b": x[:, 1], "c": np.array(["first", "second"])[random.integers(0, 2, 40)]}
        return {"train": (columns, t)}

    @cached_property
    def dataset(self) -> Dataset:
        """The data set, shared by the checks that only read it."""
        return self.make()

    @cached_property
    def description(self) -> Description:
        """The data set's description."""
        return describe(self.dataset)

    @cached_property
    def splits(self) -> Mapping[str, Split]:
        """The opened splits."""
        self.description  # noqa: B018 - describe is called first, as in a run
        return open_splits(self.dataset)

    def some_rows(self, split: str, rows: int = ROWS) -> NDArray[np.int64]:
        """Return positions in a split, in random order and with repeats."""
        size = self.description.sizes[split]
        chosen = self.random("rows", split).integers(0, size, rows)
        chosen[-1] = chosen[0]
        return chosen

    def take(self, split: Split, indices: Array, dtype: str = "float64", fill: int = 113) -> Arrays:
        """Return examples, written into filled arrays."""
        target_shape, target_dtype = self.description.target.array(np.dtype(dtype))
        x = np.full((len(indices), *self.description.input_shape), fill, dtype)
        t = np.full((len(indices), *target_shape), fill, target_dtype)
        if not self.description.weighted:
            split.take(indices, (x, t))
            return {INPUTS: x, TARGETS: t}
        weights = np.full(len(indices), float(fill))
        split.take(indices, (x, t, weights))  # type: ignore[arg-type]  # the description asks for a third array
        return {INPUTS: x, TARGETS: t, WEIGHTS: weights}

    def sample_of(self, splits: Mapping[str, Split]) -> Arrays:
        """Return some examples of every split."""
        return {
            f"{what} of {name}": array
            for name in sorted(splits)
            for what, array in self.take(splits[name], self.some_rows(name)).items()
        }

    def exercise(self) -> Arrays:
        """Describe and open a new object, and read some examples."""
        dataset = self.make()
        describe(dataset)
        return self.sample_of(open_splits(dataset))


def describe(dataset: Dataset) -> Description:
    """Return a data set's description."""
    description = dataset.describe()
    remedy = "return Description(input_shape, target, sizes)"
    is_one = isinstance(description, Description)
    require(is_one, f"describe returned {description!r}", expected="a Description", remedy=remedy)
    return description


def open_splits(dataset: Dataset) -> Mapping[str, Split]:
    """Open a described data set with seed 0."""
    splits = dataset.open(0)
    is_mapping, remedy = isinstance(splits, Mapping), "return {'train': split}"
    require(is_mapping, f"open returned {splits!r}", expected="a mapping", remedy=remedy)
    return splits


@checks_component("dataset")
def proposes_nothing_for_files_of_others(subject: ComponentUnderTest) -> None:
    """Do ``propose`` and each of ``recipes`` return None for a file with an unknown ending, without opening it?

    ``mlpkit init --data`` asks all data sets, one by one.
    """
    assert issubclass(subject.component, Dataset)
    recipes = {f"the recipe {name}": recipe for name, recipe in subject.component.recipes().items()}
    for name, propose in {"propose": subject.component.propose, **recipes}.items():
        with failing_with(f"{name}, for {STRANGE}, raised", expected="None"):
            proposal = propose({"train": STRANGE}, None)
        require(proposal is None, f"{name} returned {proposal!r} for {STRANGE}", expected="None")


SPLITS = ("train", "validation", "test")


@checks_examples("dataset", says_why_unusable=True)
def description_is_whole(example: DatasetExample) -> None:
    """Does ``describe`` return a shape, a target, the sizes of the splits, including ``train``, and columns that fit?

    The network is built from it before the data is opened.
    """
    shape, target, sizes, _, columns = describe(example.make())
    is_shape = isinstance(shape, tuple) and all(map(is_length, shape))
    require(is_shape, f"input_shape is {shape!r}", expected="a tuple of positive integers")
    own = example.entry.component.target_types  # type: ignore[attr-defined]
    expected = "Classes(n), Labels(n), Values(shape), or one of target_types"
    require(isinstance(target, (Classes, Labels, Values, *own)), f"target is {target!r}", expected=expected)
    again = target_from_plain(json.loads(json.dumps(target_to_plain(target))), own)
    require(again == target, f"to_plain and from_plain turn {target!r} into {again!r}", expected="the same target")
    are_sizes = "train" in sizes and {*sizes} <= {*SPLITS} and all(size >= 1 for size in sizes.values())
    expected = f"sizes from 1 up of {', '.join(SPLITS)}, or fewer"
    require(are_sizes, f"sizes is {dict(sizes)}", expected=expected)
    for column in columns:
        is_one = isinstance(column, InputColumn) and column.holds in GROUPS
        require(is_one, f"a column is {column!r}", expected=f"InputColumn(name, holds) of {', '.join(GROUPS)}")
    width = sum(column.width for column in columns)
    happened = f"columns have {width} elements, but input_shape is {shape}"
    require(not columns or (width,) == shape, happened, expected="as many elements as in an input")


@checks_examples("dataset")
def weights_are_numbers_from_0_up(example: DatasetExample) -> None:
    """If ``weighted`` is set in the description, are weights finite numbers from 0 up, and not all 0?

    The loss of a minibatch is divided by the sum of its weights.
    """
    if not example.description.weighted:
        return
    for name, split in example.splits.items():
        weights = example.take(split, np.arange(len(split)))[WEIGHTS]
        require(
            (np.isfinite(weights) & (weights >= 0)).all() and weights.any(),
            f"the weights of {name} range from {weights.min():g} to {weights.max():g}",
            expected="finite numbers from 0 up, and not all 0",
        )


@checks_examples("dataset", says_why_unusable=True)
def description_agrees_with_the_splits(example: DatasetExample) -> None:
    """Does ``open`` return the splits that ``describe`` lists, with the same sizes, and can every example be read?

    The number of steps in an epoch is computed from the description, and evaluation reads all examples.
    """
    sizes = dict(example.description.sizes)
    opened = {name: len(split) for name, split in example.splits.items()}
    require(opened == sizes, f"open returned splits of sizes {opened}", expected=f"{sizes}, as in describe")
    for name, split in example.splits.items():
        for index in (0, sizes[name] - 1):
            example.take(split, np.array([index]))
        if sizes[name] <= 10_000:
            example.take(split, np.arange(sizes[name]))


@checks_examples("dataset")
def the_same_seed_gives_the_same_splits(example: DatasetExample) -> None:
    """Do two objects opened with the same seed give the same examples, and the same fingerprint?

    A run that is repeated or resumed reads the same data.
    """
    for seed in (0, 1):
        results, fingerprints = [], []
        for _ in range(2):
            dataset = example.make()
            dataset.describe()
            results.append(example.sample_of(dataset.open(seed)))
            fingerprints.append(dataset.fingerprint())
        remedy = "draw from a generator made from the seed"
        check_same_bits(results[0], results[1], "when opened again with the same seed", remedy)
        are_same = fingerprints[0] == fingerprints[1] and isinstance(fingerprints[0], str)
        require(are_same, f"the fingerprints are {fingerprints}", expected="the same text twice")


@checks_examples("dataset")
def encoder_goes_on_without_the_data(example: DatasetExample) -> None:
    """Does a new object, with the encoder's state but without data, encode like the opened one?

    That is how a model is used: on new inputs, in another process.
    """
    opened = example.dataset
    split = example.splits["train"]
    state = opened.encoder_state()
    with failing_with(
        "encoder_state returned values that JSON can't represent:",
        expected="finite numbers, strings, lists and mappings",
        remedy="convert arrays to lists with tolist()",
    ):
        read = json.loads(json.dumps(state, allow_nan=False))
    new = example.make()
    new.load_encoder_state(read)
    raw = example.take(split, example.some_rows("train"))[INPUTS]
    found, expected = _encoded_or_error(new, raw), _encoded_or_error(opened, raw)
    if isinstance(expected, str) or isinstance(found, str):
        same = isinstance(found, str) and found == expected
        require(same, f"encode gave {found!r}", expected=f"{expected!r}, as in the opened object")
        return
    what = "what encode returns"
    remedy = "return from encoder_state everything that encode needs, except parameters"
    check_same_bits({what: found}, {what: expected}, "in a new object with the encoder's state", remedy)


@checks_examples("dataset")
def opens_with_the_encoders_state(example: DatasetExample) -> None:
    """Does a new object, opened after loading the encoder's state, give the same examples?

    That is how a run is evaluated again.
    """
    expected = example.sample_of(example.splits)
    new = _loaded(example)
    new.describe()
    remedy = "let describe and open use the state, or compute the same one again"
    check_same_bits(example.sample_of(new.open(0)), expected, "opened with the encoder's state", remedy)


def _loaded(example: DatasetExample) -> Dataset:
    """Return a new object with the encoder's state, as a model has it."""
    new = example.make()
    new.load_encoder_state(json.loads(json.dumps(example.dataset.encoder_state())))
    return new


@checks_examples("dataset")
def names_are_distinct(example: DatasetExample) -> None:
    """If classes, elements of inputs or targets, or columns have names, are these distinct texts, as many as declared?

    Predictions are printed by name, and a model in Python takes rows by the names of columns, also with the encoder's
    state alone.
    """
    example.splits  # noqa: B018 - names may be known only once the data is opened
    dataset, target = example.dataset, example.description.target
    columns = dataset.column_names()
    for method, names, shape in (
        ("class_names", dataset.class_names(), (target.count,) if isinstance(target, Classes) else ()),
        ("feature_names", dataset.feature_names(), example.description.input_shape),
        ("target_names", dataset.target_names(), () if isinstance(target, Classes) else target.array("float64")[0]),
        ("column_names", columns, (len(columns or ()),)),
    ):
        if names is not None:
            are_distinct = len(set(names)) == len(names) and all(isinstance(name, str) for name in names)
            expected = f"distinct names for {shape}, or None"
            require(are_distinct and (len(names),) == shape, f"{method} returned {names!r}", expected=expected)
    again = _loaded(example).column_names()
    happened = f"column_names returned {again!r} in a new object with the encoder's state"
    require(again == columns, happened, expected=f"{columns!r}, as in the opened object")


@checks_examples("dataset")
def takes_its_examples_for_encoded(example: DatasetExample) -> None:
    """Does ``why_not_encoded`` return an empty text for the data set's own examples?

    A network loaded from a file refuses inputs for which the text isn't empty.
    """
    for name, split in example.splits.items():
        reason = example.dataset.why_not_encoded(example.take(split, example.some_rows(name, 50))[INPUTS])
        require(reason == "", f"why_not_encoded returned {reason!r} for examples of {name}", expected="''")


def _encoded_or_error(dataset: Any, raw: Array) -> Array | str:
    """Encode inputs, and return the result or the error's message."""
    try:
        return np.asarray(dataset.encode(raw.copy()))
    except MlpkitError as error:
        return str(error)


@checks_examples("dataset")
def takes_any_examples(example: DatasetExample) -> None:
    """Does ``take`` give the same for read-only positions in any order, with repeats, as for single positions?

    Minibatches are drawn at random, and with replacement an example may occur twice. The positions belong to the
    sampler.
    """
    for name, split in example.splits.items():
        indices = example.some_rows(name)
        with unchanged(f"take of {name}", {"the positions": indices}):
            together = example.take(split, indices)
        indices.flags.writeable = False
        example.take(split, indices)
        one_by_one = [example.take(split, np.array([index])) for index in indices]
        alone = {what: np.concatenate([arrays[what] for arrays in one_by_one]) for what in (INPUTS, TARGETS)}
        check_same_bits(together, alone, f"in {name}, together with others", "write row i of out from indices[i]")


@checks_examples("dataset")
def writes_all_of_out(example: DatasetExample) -> None:
    """Does ``take`` give the same for any previous content of the arrays?

    The arrays are reused for the next minibatch.
    """
    for name, split in example.splits.items():
        indices = example.some_rows(name)
        one, other = (example.take(split, indices, fill=fill) for fill in (113, 57))
        check_same_bits(one, other, f"in {name}, with other content in out", "write every element of both arrays")


@checks_examples("dataset")
def examples_are_what_was_described(example: DatasetExample) -> None:
    """Are the inputs finite, and do the targets fit the description, in float32 and in float64?

    Layers and loss were built for that description.
    """
    target = example.description.target
    for dtype in ("float32", "float64"):
        for name, split in example.splits.items():
            found = example.take(split, example.some_rows(name, 50), dtype)
            t = found[TARGETS]
            are_finite = np.isfinite(found[INPUTS]).all() and np.isfinite(t).all()
            require(are_finite, f"an example of {name} is infinite or not a number", expected="finite values")
            fit: Any = True
            if isinstance(target, Labels) or (isinstance(target, Classes) and target.one_hot):
                fit = ((t == 0) | (t == 1)).all() and (isinstance(target, Labels) or (t.sum(axis=1) == 1).all())
            elif isinstance(target, Classes):
                fit = ((t >= 0) & (t < target.count)).all()
            require(fit, f"targets of {name} are like {t[:3].tolist()}", expected=f"{target}")


@checks_examples("dataset")
def raw_rows_are_those_of_the_split(example: DatasetExample) -> None:
    """If it has ``raw_rows``, does ``encode`` turn them into the inputs that ``take`` writes for the same positions?

    An exported model is tested on raw rows.
    """
    for name, split in example.splits.items():
        indices = example.some_rows(name)
        expected = example.take(split, indices, "float32")[INPUTS]
        found = _encoded(example, _raw_rows(example, name, indices))
        remedy = "return the rows at these positions before encoding, or columns if column_names has names"
        check_close({INPUTS: found}, {INPUTS: expected}, f"from raw_rows of {name}", remedy, tolerance=1e-6)


@checks_examples("dataset")
def onnx_describes_how_inputs_are_encoded(example: DatasetExample) -> None:
    """If it has ``onnx`` and ``raw_rows``, does the graph compute the same from ``feeds`` as ``encode``?

    Exporters read only the graph.
    """
    raw = _raw_rows(example, "train", example.some_rows("train"))
    graph = Graph(np.dtype(np.float32), example.description.input_shape)
    try:
        graph.outputs["encoded"] = graph.encode(example.dataset)
    except NotExportableError as error:
        raise NotApplicable(str(error)) from error
    if isinstance(raw, Mapping):
        feeds = example.dataset.feeds(raw)
    else:
        feeds = {name: raw.reshape(len(raw), *feed.shape).astype(feed.dtype) for name, feed in graph.feeds.items()}
    missing, remedy = graph.feeds.keys() - feeds.keys(), "return an array for each input that onnx declares"
    require(not missing, f"feeds has no {', '.join(sorted(missing))}", expected="all inputs", remedy=remedy)
    found = evaluated(graph, feeds, "encoded")
    remedy = "use operators for the steps of encode, in the same order and dtypes"
    expected = {INPUTS: _encoded(example, raw)}
    check_close(
        {INPUTS: found.astype(np.float32)}, expected, "in the graph that onnx describes", remedy, tolerance=1e-6
    )


def _raw_rows(example: DatasetExample, split: str, indices: NDArray[np.int64]) -> RawRows:
    example.splits  # noqa: B018 - raw rows are available only after the data is opened
    if (raw := example.dataset.raw_rows(split, indices)) is None:
        raise NotApplicable("it has no raw rows")
    return raw


def _encoded(example: DatasetExample, raw: RawRows) -> NDArray[np.float32]:
    array = example.dataset.from_columns(raw) if isinstance(raw, Mapping) else np.array(raw)
    return np.asarray(example.dataset.encode(array), np.float32)
