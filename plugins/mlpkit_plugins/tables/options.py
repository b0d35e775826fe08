"""The parameters of tables that all file formats share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import cache
from pkgutil import resolve_name
from types import MappingProxyType
from typing import Annotated, ClassVar, Final, Literal

from annotated_types import Ge, MinLen

from mlpkit import (
    CategoryEncoding,
    CategoryEncodingLike,
    ColumnName,
    DataError,
    Encoding,
    EncodingLike,
    FilePath,
    FittedCategoryEncoding,
    ParameterError,
    TrainingCategories,
    did_you_mean,
)
from mlpkit_plugins import mlpkit_components
from mlpkit_plugins.arrays.scaling import ScaleTarget, built_encoding, check_clippable
from mlpkit_plugins.formats.texts import remedy_for_no_names
from mlpkit_plugins.splits.shares import Share, shares_and_files
from mlpkit_plugins.tables.columns import ISO, ColumnReader, Columns, DatePart, OrderedCategories
from mlpkit_plugins.tables.source import TableSource

Names = Annotated[tuple[str, ...], MinLen(1)]
ColumnNames = Annotated[tuple[ColumnName, ...], MinLen(1)]

DatePartName = Literal["elapsed", "year", "month", "day", "yearday", "weekday", "hour"]

MEANINGS: Final = ("categorical", "ordinal", "dates")
"""The parameters that name input columns which hold something else than numbers."""

MOST_NAMES_SHOWN: Final = 20
LONGEST_SHOWN: Final = 80

PROBABILITY: Final = "probability_"
"""How the names of columns begin in which ``mlpkit predict`` writes the probability of a class."""

OF_AN_INDEX: Final = re.compile(r"|Unnamed: \d+|__index_level_\d+__")
"""pandas' names for the column of an unnamed index."""


@cache
def category_encodings() -> Mapping[str, type[CategoryEncoding]]:
    """Return the built-in encodings of categories, by name.

    A data set built in Python takes these names, but doesn't look up plugins.
    """
    declared = [each for each in mlpkit_components() if each.kind == CategoryEncoding.kind]
    return {each.name: resolve_name(str(each.target)) for each in declared}


@dataclass(eq=False)
class TableOptions:
    """The parameters of a table in a spec, in any file format.

    Args:
        target: the column to predict, or several.
        predict: what the target holds: ``classes``, one column with names or numbers of classes; ``labels``,
            independent columns of 0 and 1; ``values``, columns of numbers; ``probabilities``, a column with the
            probability of each class, such as those of another model. In the last, the class of the column
            ``probability_yes`` is ``yes``; each row sums to 1, and metrics take its most probable class.
        classes: the classes from lowest to highest, an order that losses such as ``Ordinal`` need; by default the
            classes of the training rows, in numerical or alphabetical order. For probabilities, the class of each
            column.
        inputs: the columns to learn from; by default all other columns.
        ignore: columns to leave out, if ``inputs`` is not set.
        weight: the column with each row's weight, 0 or more, in the loss, in metrics and in class balancing; scaling
            and categories ignore it. Rows with weight 0 are left out. It isn't an input unless ``inputs`` names it,
            and prediction doesn't need it.
        categorical: the inputs that hold categories.
        ordinal: the inputs that hold ordered categories, each with its categories, lowest first; they become the
            numbers 0, 1, 2, ...
        dates: the inputs that hold ISO dates or times; or a mapping from each column to its format, ``iso`` or a
            pattern of Python's ``strptime``.
        date_parts: the numbers to make from each date: days ``elapsed`` since 1970, ``year``, ``month``, ``day``,
            ``yearday``, ``weekday`` (Monday is 0), ``hour``.
        rare: a category with fewer training rows than this counts as ``other``, as does an unknown category.
        rare_classes: how to treat classes with few rows: ``{drop: 5}`` leaves out the rows of classes with fewer than
            5, and ``{merge: 5}`` merges these classes into one, ``other``. A class that only the validation or test
            file has counts as rare.
        missing: how to treat a missing value: raise an ``error``; ``fill`` in the mean of a number, and zeros for a
            category; ``indicate``, which also adds an input that is 1 where a number is missing; or ``drop`` the row.
            Rows without a target are always left out.
        missing_texts: texts that mark a missing value; a number, such as ``"-999"``, matches in any notation.
        missing_numbers: numbers that mark a missing value in single columns of numbers, such as
            ``{temperature: [-999]}``.
        unknown: how to treat a category that no training row has, or that ``ordinal`` doesn't list: raise an
            ``error``, or encode it as ``zeros``, an ordered category as the mean. Prediction warns of such categories.
        standardize: scale numeric inputs to mean 0 and standard deviation 1; otherwise they stay unchanged.
        numbers: the encoding of numeric inputs, including those from dates and ordered categories; by default
            ``standardize`` decides.
        numbers_by_column: the encoding of single columns of numbers.
        categories: the encoding of inputs that are categories: ``one_hot``, an element for each category; ``index``,
            the position of the category, for an embedding; ``ordinal``, its position as a number, encoded like all
            numbers; ``sign``, 1 or -1 for two categories; or another encoding of categories.
        categories_by_column: the same for single columns.
        most_one_hot: a one-hot column with more categories than this becomes an ``index``.
        sign_of_two: make a one-hot column of two categories a ``sign``.
        encode_one_hot: apply the encoding ``numbers`` to one-hot columns and signs, too.
        scale_target: how the network sees values to predict: scaled to mean 0 and standard deviation 1
            (``standardize``), as logarithms scaled the same way (``log``), or unscaled (``none``). Predictions, losses
            and metrics are always in the unit of the target.
        clip_predictions: clip predictions of values to the range of the training rows' targets, if they are scaled;
            the loss of a minibatch uses unclipped predictions.
        validation: share of the rows for validation, or a file that holds them; 0 for none.
        test: share of the rows for testing, or a file that holds them; 0 for none.
        split: how rows are split. ``stratified``: each class in the same shares, by the content of the rows, so that
            adding or removing rows moves few others to another split. Copies stay together: rows that are equal
            although their columns have many values. ``hash``: by the content of a row alone, so that it stays in its
            split whatever rows are added or removed, and all equal rows stay together. ``shuffle``: at random.
            ``{group: COLUMN}``: rows with the same text in that column stay together, such as those of a patient.
            ``{time: COLUMN}``: the latest rows for testing, the rows before them for validation; the column holds
            numbers or ISO dates. A column named here isn't an input unless ``inputs`` names it.
        split_by: an older form of ``{group: COLUMN}`` with less exact shares.
        split_seed: another number gives another split; the spec's seed doesn't affect the split.

    Raises:
        ParameterError: the parameters contradict each other.
    """

    in_memory: ClassVar[bool] = False
    target: ColumnName | ColumnNames
    _: KW_ONLY
    numbers: EncodingLike | None = None
    numbers_by_column: dict[ColumnName, EncodingLike] = field(default_factory=dict)
    categories: CategoryEncodingLike = "one_hot"
    categories_by_column: dict[ColumnName, CategoryEncodingLike] = field(default_factory=dict)
    most_one_hot: Annotated[int, Ge(1)] | None = None
    sign_of_two: bool = False
    encode_one_hot: bool = False
    predict: Literal["classes", "labels", "values", "probabilities"] = "classes"
    classes: Annotated[tuple[str, ...], MinLen(2)] | None = None
    inputs: ColumnNames | None = None
    ignore: tuple[ColumnName, ...] = ()
    weight: ColumnName | None = None
    categorical: tuple[ColumnName, ...] = ()
    ordinal: dict[ColumnName, Names] = field(default_factory=dict)
    dates: tuple[ColumnName, ...] | dict[ColumnName, str] = ()
    date_parts: Annotated[tuple[DatePartName, ...], MinLen(1)] = ("elapsed", "month", "weekday")
    rare: Annotated[int, Ge(1)] = 1
    rare_classes: dict[str, int] | None = None
    missing: Literal["error", "fill", "indicate", "drop"] = "error"
    missing_texts: tuple[str, ...] = ()
    missing_numbers: dict[ColumnName, Annotated[tuple[float, ...], MinLen(1)]] = field(default_factory=dict)
    unknown: Literal["error", "zeros"] = "error"
    standardize: bool = True
    scale_target: ScaleTarget = "standardize"
    clip_predictions: bool = False
    validation: Share | FilePath = 0.1
    test: Share | FilePath = 0.1
    split: Literal["stratified", "hash", "shuffle"] | dict[str, ColumnName] = "stratified"
    split_by: ColumnName | None = None
    split_seed: Annotated[int, Ge(0)] = 0

    def __post_init__(self) -> None:
        """Find contradictions that show without reading the data."""
        if self.predict == "classes" and len(self.targets) > 1:
            message = f"classes come from one column, not from {len(self.targets)}"
            remedy = "set predict: labels for columns of 0 and 1, or predict: values for numbers"
            raise ParameterError("target", message, remedy=remedy)
        if self.classes is not None and not self.predicts_classes:
            message = f"they are listed, but predict is {self.predict}"
            raise ParameterError("classes", message, remedy="leave them out, or set predict: classes")
        if len(set(self.classes or ())) < len(self.classes or ()):
            raise ParameterError("classes", "a class is named twice", remedy="name it once")
        if self.predict == "probabilities":
            self._check_probabilities()
        if self.rare_classes is not None:
            self._check_rare_classes(self.rare_classes)
        check_clippable(self.clip_predictions, self.predict, self.scale_target)
        if self.inputs is not None and self.ignore:
            message = "ignore has no effect if inputs names the columns to read"
            raise ParameterError("ignore", message, remedy="leave out one of the two")
        for parameter in ("target", "inputs", "ignore", "categorical", "date_parts"):
            for name, count in Counter(self._named_in(parameter)).items():
                if count > 1:
                    raise ParameterError(parameter, f"the column '{name}' is named twice", remedy="name it once")
        self._check_one_meaning()
        self._check_split()
        for parameter in ("inputs", "ignore", *MEANINGS, "weight", "split"):
            if both := set(self._named_in(parameter)) & set(self.targets):
                remedy = "name another column" if parameter in ("weight", "split") else "name it once"
                raise ParameterError(parameter, f"the column '{min(both)}' is the target", remedy=remedy)
        self._check_encodings()
        self.shares, self.files = shares_and_files(self.validation, self.test)

    @property
    def own_tables(self) -> Collection[str]:
        """The splits other than ``train`` that have a separate file."""
        return self.files

    @property
    def targets(self) -> tuple[str, ...]:
        """The target columns."""
        return (self.target,) if isinstance(self.target, str) else self.target

    @property
    def predicts_classes(self) -> bool:
        """Whether the target is a class, or the probability of each."""
        return self.predict in ("classes", "probabilities")

    @property
    def known_classes(self) -> tuple[str, ...] | None:
        """The classes that the parameters name; None if the rows have them."""
        if self.classes is None and self.predict == "probabilities":
            return tuple(name.removeprefix(PROBABILITY) for name in self.targets)
        return self.classes

    @property
    def readers(self) -> dict[str, ColumnReader]:
        """The readers of dates and ordered categories, by the name of the number that each gives."""
        formats = self.dates if isinstance(self.dates, dict) else dict.fromkeys(self.dates, ISO)
        readers: dict[str, ColumnReader] = {
            name: OrderedCategories(name, levels, set() if self.unknown == "zeros" else None)
            for name, levels in self.ordinal.items()
        }
        for name, written in formats.items():
            readers |= {f"{name} ({part})": DatePart(name, written, part) for part in self.date_parts}
        return readers

    def in_file(self, names: Iterable[str]) -> list[str]:
        """Return the column of the file from which each column is made; a date gives several numbers."""
        readers = self.readers
        return [readers[name].column if name in readers else name for name in names]

    def _check_probabilities(self) -> None:
        """Check that each class has a column."""
        columns = len(self.targets)
        if columns < 2:
            message = "a column of probabilities holds those of one class"
            raise ParameterError("target", message, expected="a column for each class")
        if self.classes is not None and len(self.classes) != columns:
            message = f"{len(self.classes)} classes are listed for {columns} columns of probabilities"
            raise ParameterError("classes", message, expected="the class of each column of target, in their order")

    def _check_rare_classes(self, rare: Mapping[str, int]) -> None:
        """Check that rare classes have one treatment, and that rare classes are possible."""
        if len(rare) != 1 or not rare.keys() <= {"drop", "merge"} or min(rare.values()) < 2:
            expected = "{drop: ROWS} or {merge: ROWS}, with a number from 2 up"
            raise ParameterError("rare_classes", f"{rare} doesn't define which classes are rare", expected=expected)
        if self.predict != "classes" or self.classes is not None:
            message = "classes lists them all" if self.classes is not None else f"{self.predict} are predicted"
            raise ParameterError("rare_classes", message, remedy="leave it out")

    def _check_one_meaning(self) -> None:
        """Check that a column is named in only one of the parameters that describe its content."""
        for place, parameter in enumerate(MEANINGS):
            for other in MEANINGS[:place]:
                if both := set(self._named_in(parameter)) & set(self._named_in(other)):
                    message = f"the column '{min(both)}' is named in {other} and {parameter}"
                    raise ParameterError(parameter, message, remedy="name it once")
        for name, levels in self.ordinal.items():
            if len(set(levels)) < len(levels):
                raise ParameterError("ordinal", f"a category of '{name}' is named twice", remedy="name it once")

    def _check_encodings(self) -> None:
        """Check that the parameters for numbers don't contradict each other."""
        if self.numbers is not None and not self.standardize:
            raise ParameterError("standardize", "numbers sets the encoding already", remedy="leave out standardize")
        if self.numbers is None and self.numbers_by_column:
            message = "the other columns have no encoding"
            remedy = "set numbers: standardize for them"
            raise ParameterError("numbers_by_column", message, expected="numbers, too", remedy=remedy)
        if self.numbers is None and self.encode_one_hot:
            message = "it applies the encoding numbers, which isn't set"
            raise ParameterError("encode_one_hot", message, expected="numbers, too", remedy="set numbers: standardize")
        not_numbers = {name for parameter in MEANINGS for name in self._named_in(parameter)}
        not_numbers |= set(self.targets) if self.predict == "classes" else set()
        for parameter, wrong in (("numbers_by_column", {*self.categorical}), ("missing_numbers", not_numbers)):
            if found := wrong & getattr(self, parameter).keys():
                message = f"the column '{min(found)}' holds no numbers"
                raise ParameterError(parameter, message, expected="columns of numbers", remedy="leave it out")

    def _check_categories(self) -> None:
        """Check that the columns of ``categories_by_column`` hold categories."""
        for name in self.categories_by_column:
            if name not in self.categorical:
                expected = f"one of {shown_names(self.categorical)}" if self.categorical else ""
                message, remedy = f"the column '{name}' holds no categories", "name it in categorical, too"
                raise ParameterError("categories_by_column", message, expected=expected, remedy=remedy)

    @property
    def for_numbers(self) -> Encoding | None:
        """The encoding of numbers; None if ``standardize`` applies."""
        return built_encoding("numbers", self.numbers)

    def encoding_of(self, name: str) -> Encoding | None:
        """Return the encoding of a column of numbers; None if ``standardize`` applies."""
        (column,) = self.in_file([name])
        chosen = self.numbers_by_column.get(column)
        return self.for_numbers if chosen is None else built_encoding("numbers_by_column", chosen)

    @property
    def for_categories(self) -> Encoding | None:
        """The encoding applied to one-hot columns and signs; None to leave them unchanged."""
        return self.for_numbers if self.encode_one_hot else None

    def category_encoding_of(self, name: str, count: int) -> CategoryEncoding:
        """Return the encoding of a column with ``count`` categories."""
        chosen = self.categories_by_column.get(name, self.categories)
        own = category_encodings()
        if isinstance(chosen, str) and chosen in own:
            chosen = own[chosen]()
        if not isinstance(chosen, own["one_hot"]):
            return self._built(name, chosen)
        if self.most_one_hot is not None and count > self.most_one_hot:
            return own["index"]()
        return own["sign"]() if self.sign_of_two and count == 2 else chosen

    def fitted_on(self, column: TrainingCategories) -> FittedCategoryEncoding:
        """Return the encoding of a column of categories, fitted on the training rows."""
        encoding = self.category_encoding_of(column.name, len(column.categories))
        try:
            return FittedCategoryEncoding.fit(encoding, column)
        except ParameterError as error:
            parameter = self._parameter_for(column.name)
            raise ParameterError(parameter, error.message, expected=error.expected, remedy=error.remedy) from error

    def _built(self, name: str, chosen: CategoryEncodingLike) -> CategoryEncoding:
        """Check that an encoding of categories is an object, not a name."""
        if isinstance(chosen, CategoryEncoding):
            return chosen
        message = f"{chosen!r} is a name, which a data set built in Python can't look up"
        expected = f"an encoding, such as Index(), or one of {', '.join(category_encodings())}"
        raise ParameterError(self._parameter_for(name), message, expected=expected)

    def _parameter_for(self, name: str) -> str:
        return "categories_by_column" if name in self.categories_by_column else "categories"

    @property
    def split_column(self) -> str | None:
        """The column of groups or times by which rows are split."""
        return next(iter(self.split.values())) if isinstance(self.split, dict) else self.split_by

    @property
    def splits_by_time(self) -> bool:
        """Whether rows are split by their time."""
        return isinstance(self.split, dict) and "time" in self.split

    def _check_split(self) -> None:
        """Check that ``split`` and ``split_by`` are valid together."""
        if isinstance(self.split, dict) and (len(self.split) != 1 or not self.split.keys() <= {"group", "time"}):
            message = f"rows can't be split by {' and '.join(self.split) or 'nothing'}"
            raise ParameterError("split", message, expected="{group: COLUMN} or {time: COLUMN}")
        if self.split_by is not None and self.split == "shuffle":
            message = "split: shuffle draws rows at random, whatever their values"
            raise ParameterError("split_by", message, remedy="set split: hash")
        if self.split_by is not None and isinstance(self.split, dict):
            message = "split names a column already"
            raise ParameterError("split_by", message, remedy="leave out split_by")

    def columns(self, source: TableSource, inputs: Iterable[str] | None = None) -> Columns:
        """Find the columns in a table, or raise ``ParameterError``; the inputs are by default the spec's."""
        file, header = source.name, source.header
        known = frozenset(header)
        place = f"row {source.header_row} of {file}" if source.header_row is not None else file
        by_column = ("numbers_by_column", "categories_by_column", "missing_numbers")
        for parameter in ("target", "inputs", "ignore", *MEANINGS, *by_column, "split_by", "split", "weight"):
            for name in self._named_in(parameter):
                if name not in known:
                    row = source.header_row
                    no_names = "" if row is None else remedy_for_no_names(header, row)
                    raise ParameterError(
                        parameter,
                        f"there is no column '{name}' in {place}",
                        expected=f"one of {shown_names(header)}",
                        remedy=did_you_mean(name, header) or no_names,
                    )
        self._check_categories()
        if self.inputs is None and inputs is None:
            self._check_no_index(source)
        left_out = {*self.targets, *self.ignore, self.split_column, self.weight}
        chosen = list(self.inputs if self.inputs is not None else [name for name in header if name not in left_out])
        wanted = frozenset(chosen)
        chosen = list(inputs) if inputs is not None else [name for name in header if name in wanted]
        readers = self.readers
        read = frozenset(self.in_file(chosen))
        categorical = frozenset(self.categorical)
        if not chosen:
            raise ParameterError("target", f"{file} has no column but the target to learn from")
        for parameter in (*MEANINGS, "numbers_by_column"):
            for name in self._named_in(parameter):
                if name not in read:
                    message = f"the column '{name}' is not among the inputs"
                    raise ParameterError(parameter, message, remedy="leave it out here, or add it to the inputs")
        numbers = [name for name in chosen if name not in categorical]
        if inputs is None:
            made = {name: [number for number in readers if readers[number].column == name] for name in numbers}
            numbers = [number for name in numbers for number in made[name] or [name]]
        for name in (set(numbers) & known & readers.keys()) - self.ordinal.keys():
            raise ParameterError("dates", f"the file has a column '{name}' already", remedy="rename it in the file")
        return Columns(
            tuple(numbers),
            tuple(name for name in chosen if name in categorical),
            () if self.predict == "classes" else self.targets,
            self.targets[0] if self.predict == "classes" else None,
            self.split_column if any(self.shares) else None,
            key_is_time=self.splits_by_time,
            readers=readers,
            weight=self.weight,
            in_python=self.in_memory,
            missing_numbers=self.missing_numbers,
        )

    def _named_in(self, parameter: str) -> tuple[str, ...]:
        """Return the columns that a parameter names."""
        value = getattr(self, parameter) or ()
        if parameter == "split":
            return tuple(value.values()) if isinstance(value, dict) else ()
        return (value,) if isinstance(value, str) else tuple(value)

    def _check_no_index(self, source: TableSource) -> None:
        """Check that no input is a column of row numbers, which pandas writes by default."""
        named = {*self.targets, *self.ignore, self.split_column, self.weight}
        named |= {name for parameter in MEANINGS for name in self._named_in(parameter)}
        for position, name in enumerate(source.header, 1):
            if name not in named and OF_AN_INDEX.fullmatch(name):
                what = f"the column '{name}'" if name else f"column {position}, which has no name,"
                message = f"{what} of {source.name} looks like an index that pandas wrote"
                remedy = f"leave it out with ignore: ['{name}'], or name the columns to learn from in inputs"
                raise ParameterError("ignore", message, remedy=remedy)


def check_columns(
    source: TableSource, wanted: Iterable[str], meanings: Mapping[str | None, str] = MappingProxyType({})
) -> None:
    """Check that another file has the columns that the spec or model needs, or raise ``DataError``."""
    known = frozenset(source.header)
    for name in wanted:
        if name not in known:
            remedy = did_you_mean(name, source.header) or f"it has {shown_names(source.header)}"
            meaning = f", which sets {meanings[name]}" if name in meanings else ""
            message = f"the {source.kind} has no such column{meaning}; {remedy}"
            raise DataError(source.name, message, row=source.header_row, column=name)


def shown_names(names: Sequence[str]) -> str:
    """Join names to a readable list, and cut long ones."""
    shown = [name if len(name) <= LONGEST_SHOWN else f"{name[:LONGEST_SHOWN]}..." for name in names[:MOST_NAMES_SHOWN]]
    return ", ".join(shown) + (", ..." if len(names) > MOST_NAMES_SHOWN else "")
