"""Examples and checks of data sets: descriptions, examples, encoders, names and warnings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.dataset import ROLES, Dataset, DataWarning, Description, RawArray, RawColumn, Split
from mlpkit.components.input_columns import GROUPS, InputColumn
from mlpkit.components.target import Classes, Labels, Values, target_from_plain, target_to_plain
from mlpkit.errors import DataError, MlpkitError
from mlpkit.testing.suite.check import CheckFailure, checks_component, checks_examples, failing_with, unchanged
from mlpkit.testing.suite.comparison import Arrays, check_same_bits
from mlpkit.testing.suite.example import ROWS, Example
from mlpkit.testing.suite.plugin_under_test import ComponentUnderTest

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
    if not isinstance(description, Description):
        raise CheckFailure(
            f"describe returned {description!r}",
            expected="a Description",
            remedy="return Description(input_shape, target, sizes)",
        )
    return description


def open_splits(dataset: Dataset) -> Mapping[str, Split]:
    """Open a described data set with seed 0."""
    splits = dataset.open(0)
    if not isinstance(splits, Mapping):
        raise CheckFailure(f"open returned {splits!r}", expected="a mapping", remedy="return {'train': split}")
    return splits


@checks_examples("dataset")
def warnings_are_about_parameters(example: DatasetExample) -> None:
    """Does ``warnings``, called after ``describe``, return ``DataWarning``s, each with a parameter's name and a text?

    Each warning shows the parameter's line in the spec.
    """
    dataset = example.make()
    dataset.describe()
    parameters = [field.name for field in example.entry.schema.fields]
    for warning in dataset.warnings():
        if not isinstance(warning, DataWarning):
            raise CheckFailure(f"a warning is {warning!r}", expected="DataWarning(parameter, message, remedy)")
        if warning.parameter not in parameters:
            raise CheckFailure(
                f"a warning is about {warning.parameter!r}, which is not a parameter",
                expected=f"one of {', '.join(parameters)}" if parameters else "no warnings without parameters",
            )
        if not (isinstance(warning.message, str) and warning.message and isinstance(warning.remedy, str)):
            raise CheckFailure(f"warnings returned {warning}", expected="a message and a remedy that are strings")


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
        if proposal is not None:
            raise CheckFailure(f"{name} returned {proposal!r} for {STRANGE}", expected="None")


@checks_examples("dataset")
def raw_columns_fit_the_splits(example: DatasetExample) -> None:
    """If ``raw_columns`` returns columns, do they have a code for every row of each split?

    ``mlpkit data`` shows them.
    """
    sizes = {name: len(split) for name, split in example.splits.items()}
    for column in example.dataset.raw_columns() or ():
        if not isinstance(column, RawColumn):
            raise CheckFailure(f"a raw column is {column!r}", expected="RawColumn(name, role, texts, numbers, codes)")
        if column.role not in ROLES:
            raise CheckFailure(f"the role of {column.name!r} is {column.role!r}", expected=f"one of {', '.join(ROLES)}")
        counts = {name: len(codes) for name, codes in column.codes.items()}
        if counts != sizes:
            raise CheckFailure(f"the column {column.name!r} has {counts} codes", expected=f"{sizes}, as in the splits")
        if not all(np.isin(codes, range(-1, len(column.texts))).all() for codes in column.codes.values()):
            raise CheckFailure(
                f"a code of the column {column.name!r} has no text", expected="positions in texts, or -1"
            )
        if column.numbers is not None and len(column.numbers) != len(column.texts):
            message = f"the column {column.name!r} has {len(column.texts)} texts and {len(column.numbers)} numbers"
            raise CheckFailure(message, expected="a number for each text, or None")


@checks_examples("dataset")
def raw_arrays_have_a_range(example: DatasetExample) -> None:
    """If ``raw_arrays`` returns arrays, does each have its role, and a least and a greatest number?

    ``mlpkit data`` shows them.
    """
    arrays = example.dataset.raw_arrays() if example.splits else ()  # called after the data is opened
    for array in arrays or ():
        if not isinstance(array, RawArray):
            raise CheckFailure(
                f"a raw array is {array!r}", expected="RawArray(name, role, dtype, shape, least, greatest)"
            )
        if array.role not in ("input", "target"):
            raise CheckFailure(f"the role of {array.name!r} is {array.role!r}", expected="input or target")
        if not array.least <= array.greatest:
            raise CheckFailure(
                f"{array.name!r} ranges from {array.least!r} to {array.greatest!r}", expected="two numbers"
            )


@checks_examples("dataset")
def target_remedy_is_a_text(example: DatasetExample) -> None:
    """Do ``target_remedy``, called after ``describe``, and ``why_not_exchangeable`` return texts, which may be empty?

    The first is shown if the loss can't take the target, the second with ``coverage``.
    """
    dataset = example.make()
    dataset.describe()
    for name, text in (
        ("target_remedy", dataset.target_remedy()),
        ("why_not_exchangeable", dataset.why_not_exchangeable()),
    ):
        if not isinstance(text, str):
            raise CheckFailure(f"{name} returned {text!r}", expected="a string")


@checks_examples("dataset")
def advice_changes_no_example(example: DatasetExample) -> None:
    """Are the examples the same if ``warnings`` and ``target_remedy`` were called before ``open``?

    They are called before training, but not when a model is evaluated.
    """
    dataset = example.make()
    dataset.describe()
    dataset.warnings()
    dataset.target_remedy()
    expected = example.sample_of(example.splits)
    when, remedy = "after warnings and target_remedy were called", "let them use only what describe has read"
    check_same_bits(example.sample_of(dataset.open(0)), expected, when, remedy)


SPLITS = ("train", "validation", "test")


@checks_examples("dataset", says_why_unusable=True)
def description_is_whole(example: DatasetExample) -> None:
    """Does ``describe`` return a shape, a target, the sizes of the splits, including ``train``, and columns that fit?

    The network is built from it before the data is opened.
    """
    shape, target, sizes, _, columns = describe(example.make())
    if not isinstance(shape, tuple) or not all(isinstance(length, int) and length >= 1 for length in shape):
        raise CheckFailure(f"input_shape is {shape!r}", expected="a tuple of positive integers")
    own = example.entry.component.target_types  # type: ignore[attr-defined]
    if not isinstance(target, (Classes, Labels, Values, *own)):
        expected = "Classes(n), Labels(n), Values(shape), or one of target_types"
        raise CheckFailure(f"target is {target!r}", expected=expected)
    kept = json.loads(json.dumps(target_to_plain(target)))
    if target_from_plain(kept, own) != target:
        raise CheckFailure(f"to_plain and from_plain turn {target!r} into another target", expected="the same")
    if "train" not in sizes or set(sizes) - set(SPLITS) or not all(size >= 1 for size in sizes.values()):
        raise CheckFailure(f"sizes is {dict(sizes)}", expected=f"sizes from 1 up of {', '.join(SPLITS)}, or fewer")
    for column in columns:
        if not isinstance(column, InputColumn) or column.holds not in GROUPS:
            raise CheckFailure(f"a column is {column!r}", expected=f"InputColumn(name, holds) of {', '.join(GROUPS)}")
    if columns and (sum(column.width for column in columns),) != shape:
        raise CheckFailure(
            f"columns have {sum(column.width for column in columns)} elements, but input_shape is {shape}",
            expected="as many elements as in an input",
        )


@checks_examples("dataset")
def weights_are_numbers_from_0_up(example: DatasetExample) -> None:
    """If ``weighted`` is set in the description, are weights finite numbers from 0 up, and not all 0?

    The loss of a minibatch is divided by the sum of its weights.
    """
    if not example.description.weighted:
        return
    for name, split in example.splits.items():
        weights = example.take(split, np.arange(len(split)))[WEIGHTS]
        if not (np.isfinite(weights) & (weights >= 0)).all() or not weights.any():
            raise CheckFailure(
                f"the weights of {name} range from {weights.min():g} to {weights.max():g}",
                expected="finite numbers from 0 up, and not all 0",
            )


@checks_examples("dataset", says_why_unusable=True)
def description_agrees_with_the_splits(example: DatasetExample) -> None:
    """Does ``open`` return the splits that ``describe`` lists, with the same sizes?

    The number of steps in an epoch is computed from the description.
    """
    sizes = dict(example.description.sizes)
    opened = {name: len(split) for name, split in example.splits.items()}
    if opened != sizes:
        raise CheckFailure(f"open returned splits of sizes {opened}", expected=f"{sizes}, as in describe")


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
        if fingerprints[0] != fingerprints[1] or not isinstance(fingerprints[0], str):
            raise CheckFailure(f"the fingerprints are {fingerprints}", expected="the same text twice")


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
    found, expected = _encoded(new, raw), _encoded(opened, raw)
    if isinstance(expected, str) or isinstance(found, str):
        if found != expected:
            raise CheckFailure(f"encode raised {found!r}", expected=f"{expected!r}, as in the opened object")
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
    new = example.make()
    new.load_encoder_state(json.loads(json.dumps(example.dataset.encoder_state())))
    new.describe()
    remedy = "let describe and open use the state, or compute the same one again"
    check_same_bits(example.sample_of(new.open(0)), expected, "opened with the encoder's state", remedy)


def _are_distinct_texts(names: Sequence[object]) -> bool:
    return len(set(names)) == len(names) and all(isinstance(name, str) for name in names)


@checks_examples("dataset")
def class_names_are_as_many_as_classes(example: DatasetExample) -> None:
    """If the classes have names, are these distinct texts, one per class?

    Predictions are printed by name.
    """
    target = example.description.target
    example.splits  # noqa: B018 - names may be known only once the data is opened
    names = example.dataset.class_names()
    if names is None:
        return
    count = target.count if isinstance(target, Classes) else 0
    if len(names) != count or not _are_distinct_texts(names):
        raise CheckFailure(f"class_names returned {names!r}", expected=f"{count} distinct names, or None")


@checks_examples("dataset")
def features_and_targets_have_names_of_their_own(example: DatasetExample) -> None:
    """If elements of inputs or targets have names, are these distinct texts, one per element?

    ``mlpkit data`` shows them.
    """
    example.splits  # noqa: B018 - names may be known only once the data is opened
    target = example.description.target
    shape, target_shape = example.description.input_shape, target.array(np.dtype("float64"))[0]
    for method, names, expected in (
        ("feature_names", example.dataset.feature_names(), shape),
        ("target_names", example.dataset.target_names(), () if isinstance(target, Classes) else target_shape),
    ):
        if names is None:
            continue
        if not _are_distinct_texts(names) or (len(names),) != expected:
            raise CheckFailure(f"{method} returned {names!r}", expected=f"distinct names for {expected}, or None")


@checks_examples("dataset")
def columns_have_names_of_their_own(example: DatasetExample) -> None:
    """If inputs come from columns with names, are these distinct texts, also in a new object with the encoder's state?

    A model in Python takes rows by these names.
    """
    example.splits  # noqa: B018 - names may be known only once the data is opened
    names = example.dataset.column_names()
    new = example.make()
    new.load_encoder_state(json.loads(json.dumps(example.dataset.encoder_state())))
    if new.column_names() != names:
        raise CheckFailure(
            f"column_names returned {new.column_names()!r} in a new object with the encoder's state",
            expected=f"{names!r}, as in the opened object",
        )
    if names is not None and not _are_distinct_texts(names):
        raise CheckFailure(f"column_names returned {names!r}", expected="distinct names, or None")


@checks_examples("dataset")
def says_which_column_is_missing(example: DatasetExample) -> None:
    """If inputs come from columns with names, does ``from_columns`` name a missing one, in a ``DataError``?

    Rows in memory may come from anywhere.
    """
    example.splits  # noqa: B018 - names may be known only once the data is opened
    names = example.dataset.column_names()
    if not names:
        return
    try:
        result = f"returned {example.dataset.from_columns({})!r}"
    except DataError as error:
        if error.column in names or any(name in str(error) for name in names):
            return
        result = f"raised {str(error)!r}"
    raise CheckFailure(
        f"from_columns, without any columns, {result}",
        expected="a DataError that names a missing column",
        remedy=f"raise DataError('the rows', 'there is no such column', column='{names[0]}')",
    )


@checks_examples("dataset")
def takes_its_examples_for_encoded(example: DatasetExample) -> None:
    """Does ``why_not_encoded`` return an empty text for the data set's own examples?

    A network loaded from a file refuses inputs for which the text isn't empty.
    """
    for name, split in example.splits.items():
        reason = example.dataset.why_not_encoded(example.take(split, example.some_rows(name, 50))[INPUTS])
        if reason != "":
            raise CheckFailure(f"why_not_encoded returned {reason!r} for examples of {name}", expected="''")


def _encoded(dataset: Any, raw: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | str:
    """Encode inputs, and return the result or the error's message."""
    try:
        return np.asarray(dataset.encode(raw.copy()))
    except MlpkitError as error:
        return str(error)


@checks_examples("dataset")
def takes_any_examples(example: DatasetExample) -> None:
    """Does ``take`` give the same for positions in any order, with repeats, as for single positions?

    Minibatches are drawn at random, and with replacement an example may occur twice.
    """
    for name, split in example.splits.items():
        indices = example.some_rows(name)
        together = example.take(split, indices)
        one_by_one = [example.take(split, np.array([index])) for index in indices]
        alone = {what: np.concatenate([arrays[what] for arrays in one_by_one]) for what in (INPUTS, TARGETS)}
        check_same_bits(together, alone, f"in {name}, together with others", "write row i of out from indices[i]")


@checks_examples("dataset", says_why_unusable=True)
def takes_every_example(example: DatasetExample) -> None:
    """Can the first and the last example of each split be read, and all of a small split?

    Evaluation reads all examples.
    """
    for name, split in example.splits.items():
        size = example.description.sizes[name]
        for index in (0, size - 1):
            example.take(split, np.array([index]))
        if size <= 10_000:
            example.take(split, np.arange(size))


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
def leaves_the_positions_alone(example: DatasetExample) -> None:
    """Are the positions unchanged after ``take``, and may they be read-only?

    They belong to the sampler.
    """
    for name, split in example.splits.items():
        indices = example.some_rows(name)
        with unchanged(f"take of {name}", {"the positions": indices}):
            example.take(split, indices)
        indices.flags.writeable = False
        example.take(split, indices)


@checks_examples("dataset")
def examples_are_what_was_described(example: DatasetExample) -> None:
    """Are the inputs finite, and do the targets fit the description, in float32 and in float64?

    Layers and loss were built for that description.
    """
    target = example.description.target
    for dtype in ("float32", "float64"):
        for name, split in example.splits.items():
            found = example.take(split, example.some_rows(name, 50), dtype)
            if not np.isfinite(found[INPUTS]).all() or not np.isfinite(found[TARGETS]).all():
                raise CheckFailure(f"an example of {name} is infinite or not a number", expected="finite values")
            t = found[TARGETS]
            right = True
            if isinstance(target, Classes) and target.one_hot:
                right = bool(((t == 0) | (t == 1)).all() and (t.sum(axis=1) == 1).all())
            elif isinstance(target, Classes):
                right = bool(((t >= 0) & (t < target.count)).all())
            elif isinstance(target, Labels):
                right = bool(((t == 0) | (t == 1)).all())
            if not right:
                raise CheckFailure(f"targets of {name} are like {t[:3].tolist()}", expected=f"{target}")
