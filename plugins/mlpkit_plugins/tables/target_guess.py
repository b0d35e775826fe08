"""Guesses from the target columns whether a new spec predicts classes, labels or values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, DataError, ParameterError, did_you_mean
from mlpkit_plugins.formats.texts import shown_text
from mlpkit_plugins.tables.categories import in_order
from mlpkit_plugins.tables.column_guess import ColumnGuess, ColumnGuesser, RowSample
from mlpkit_plugins.tables.options import shown_names
from mlpkit_plugins.tables.targets import MANY_CLASSES, are_mostly_lonely, mostly_lonely

Predict: TypeAlias = Literal["classes", "labels", "values"]

NO_CLASS: Final = frozenset(("n/a", "na", "nan", "null", "?", "#n/a"))
"""Texts, in lower case, that mean a missing value even in a column of classes; ``-`` or ``none`` may be a class."""


class Wishes(TypedDict, total=False):
    """What the user asked for: several targets, what they hold, columns to drop, and the column that groups rows."""

    targets: Sequence[str]
    predict: Predict
    drop: Sequence[str]
    id: str


def targets_of(target: str | None, wishes: Wishes, header: Sequence[str], *, has_names: bool) -> tuple[str, ...]:
    """Return the columns to predict, which must exist."""
    targets = tuple(dict.fromkeys(wishes.get("targets", (target or "",))))
    for name in targets:
        check_column("target", name, header, has_names=has_names)
    return targets


def check_column(parameter: str, name: str, header: Sequence[str], *, has_names: bool) -> None:
    """Check that a table has a column, or raise ``ParameterError``."""
    if name in header:
        return
    message = f"there is no column '{name}'" if name else "no column was named to predict"
    remedy = did_you_mean(name, header)
    if not has_names:
        remedy = "the first row holds data, not names, so columns are named by their number"
    raise ParameterError(parameter, message, expected=f"one of {shown_names(header)}", remedy=remedy)


@dataclass(frozen=True)
class Aim:
    """What a new spec predicts: what each target column holds, and how many rows have no target.

    ``counts`` are the rows of each class, if classes are predicted; ``lonely`` ones have one row, and are left out.
    """

    guesses: Sequence[ColumnGuess]
    predict: Predict
    missing: int
    counts: Mapping[str, int]
    lonely: Sequence[str] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The target columns."""
        return tuple(guess.name for guess in self.guesses)

    @property
    def target(self) -> str | list[str]:
        """The value of ``target`` in a spec."""
        return self.columns[0] if len(self.columns) == 1 else list(self.columns)

    def numbers(self) -> list[NDArray[np.float64]]:
        """Return the numbers of each target column, without missing ones."""
        return [guess.numbers[~np.isnan(guess.numbers)] for guess in self.guesses if guess.numbers is not None]


def aim_at(
    guesser: ColumnGuesser, sample: RowSample, targets: Sequence[str], missing: Collection[str], predict: Predict | None
) -> Aim:
    """Guess what a spec should predict.

    Raises:
        DataError: the columns don't vary, or don't hold what ``predict`` says.
        ParameterError: several columns of classes are named.
    """
    if predict == "classes" and len(targets) > 1:
        remedy = "name one of them, or write --predict labels for columns of 0 and 1, or --predict values for numbers"
        raise ParameterError("target", f"classes come from one column, not from {len(targets)}", remedy=remedy)
    counts = {name: _counts(guesser, sample, name, missing) for name in targets}
    guesses = [guesser.content(name, counts[name]) for name in targets]
    if len(targets) == 1 and (predict == "classes" or (predict is None and not _are_values(guesses[0], counts))):
        return _classes(guesses[0], sample, counts[targets[0]])
    for guess in guesses:
        _check_numbers(guess, guesser, sample, counts[guess.name], several=len(targets) > 1)
    are_labels = all(_are_labels(guess.numbers) for guess in guesses)
    if predict == "labels" and not are_labels:
        guess = next(guess for guess in guesses if not _are_labels(guess.numbers))
        assert guess.numbers is not None
        index = int((~np.isin(guess.numbers, (0, 1)) & ~np.isnan(guess.numbers)).argmax())
        wrong = f"{guess.numbers[index]:g} is not a label; expected 0 or 1; write --predict values to predict numbers"
        raise DataError(sample.name, wrong, row=sample.rows[index], column=guess.name)
    absent = np.any([np.isnan(guess.numbers) for guess in guesses if guess.numbers is not None], axis=0)
    labels_or_values: Predict = predict or ("labels" if are_labels else "values")
    return Aim(guesses, labels_or_values, int(absent.sum()), {})


def _counts(guesser: ColumnGuesser, sample: RowSample, target: str, missing: Collection[str]) -> Counter[str]:
    """Count the texts of a target column, without missing ones."""
    counts = Counter(text for text in sample.columns[target] if text not in missing)
    if not counts:
        raise DataError(sample.name, "every value is missing; name another column with --target", column=target)
    if len(counts) == 1:
        message = f"every value is {shown_text(next(iter(counts)))}, so there is nothing to predict"
        raise DataError(sample.name, f"{message}; name another column with --target", column=target)
    guesser.check_visible(target, counts)
    return counts


def _are_values(guess: ColumnGuess, counts: Mapping[str, Mapping[str, int]]) -> bool:
    """Whether a column holds numbers that are most likely not classes.

    Two distinct numbers, or a few integers with many rows each, are classes; counts have integers with a single row.
    """
    if guess.holds != "numbers" or guess.distinct == 2:
        return False
    assert guess.numbers is not None
    present = guess.numbers[~np.isnan(guess.numbers)]
    few = guess.distinct <= min(MANY_CLASSES, len(present) / 10) and min(counts[guess.name].values()) > 1
    return not (few and (present == np.rint(present)).all())


def _classes(guess: ColumnGuess, sample: RowSample, counts: Counter[str]) -> Aim:
    """Return the aim to predict the classes of a column."""
    target, absent = guess.name, len(sample.rows) - sum(counts.values())
    also_missing = {text for text in counts if text.lower() in NO_CLASS}
    if also_missing and len(counts) > len(also_missing) + 1:
        guess = replace(guess, missing_texts=guess.missing_texts | also_missing)
    absent += sum(counts.pop(text) for text in guess.missing_texts)
    if len(counts) > sum(counts.values()) / 2:
        example = shown_text(next(iter(counts)))
        message = f"nearly every row has a different text, such as {example}; a class needs several rows"
        raise DataError(sample.name, f"{message}; name another column with --target", column=target)
    classes = in_order(set(counts))
    lonely = [text for text in classes if counts[text] == 1] if sample.is_whole else []
    if are_mostly_lonely(len(lonely), len(classes)):
        row = sample.rows[sample.columns[target].index(lonely[0])]
        raise DataError(sample.name, mostly_lonely(lonely, classes), row=row, column=target)
    return Aim([guess], "classes", absent, {text: counts[text] for text in classes if text not in lonely}, lonely)


def _check_numbers(
    guess: ColumnGuess, guesser: ColumnGuesser, sample: RowSample, counts: Mapping[str, int], *, several: bool
) -> None:
    """Check that a column to predict as labels or values holds numbers."""
    if guess.holds == "numbers":
        return
    example = next(text for text in counts if not guesser.is_number(text))
    remedy = "predict it in a separate spec" if several else "write --predict classes"
    row = sample.rows[sample.columns[guess.name].index(example)]
    message = f"{shown_text(example)} is not a number, but labels and values are numbers; {remedy}"
    raise DataError(sample.name, message, row=row, column=guess.name)


def _are_labels(numbers: Array | None) -> bool:
    return numbers is not None and bool(np.isin(numbers[~np.isnan(numbers)], (0, 1)).all())
