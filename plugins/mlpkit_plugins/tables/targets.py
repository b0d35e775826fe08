"""Checks of the targets of a table, rare classes, and values that no training row has."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlpkit import DataError, DataWarning, ParameterError, ValuesScaling, did_you_mean
from mlpkit_plugins.arrays.scaling import DEVIATION_OVERFLOWS, no_logarithm, values_range, values_scaling
from mlpkit_plugins.formats.texts import first_of, shown_text, shown_texts, writes_number
from mlpkit_plugins.tables.categories import MISSING, OTHER
from mlpkit_plugins.tables.table import Table

MANY_CLASSES: Final = 20
"""More distinct numbers than this, some of which occur once, are most likely values, not classes."""

FEW_EXAMPLES: Final = 10
"""With fewer rows than this per integer, the integers may also be values."""

SUM_TOLERANCE: Final = 1e-3
"""How far the sum of a row of probabilities may be from 1: they may be rounded."""


def check_classes(table: Table) -> None:
    """Check that a target of classes has at least two, and that most occur more than once.

    Raises:
        ParameterError: the target seems to hold numbers to predict.
        DataError: there is only one class, or most occur only once.
    """
    name = table.columns.target_class
    if name is None:
        return
    texts, lonely = table.texts[-1], _lonely_classes(table)
    if len(texts) == 1:
        message = f"every row has the class {shown_text(texts[0])}; expected two classes or more"
        raise table.error(0, name, message)
    mostly_alone = are_mostly_lonely(len(lonely), len(texts))
    if lonely and (_holds_many_numbers(table) or (mostly_alone and all(map(writes_number, texts)))):
        raise numbers_for_classes(table)
    if mostly_alone:
        raise table.error(min(lonely.values()), name, mostly_lonely(list(lonely), texts))


def _lonely_classes(table: Table) -> dict[str, int]:
    """Map each class with a single row to the position of that row; empty unless classes are predicted."""
    if table.columns.target_class is None:
        return {}
    codes = table.codes[:, -1]
    positions = np.flatnonzero(np.bincount(codes)[codes] == 1)
    return {table.texts[-1][codes[position]]: position for position in positions.tolist()}


def are_mostly_lonely(lonely: int, classes: int) -> bool:
    """Whether more than half of the classes, or all but one, occur only once."""
    return lonely > min(classes / 2, classes - 2)


def mostly_lonely(lonely: Sequence[str], classes: Sequence[str]) -> str:
    """Return the message for a target with mostly classes that occur only once."""
    message = f"{len(lonely):,} of {len(classes):,} classes occur in one row only: {shown_texts(lonely)}"
    nearest = nearest_class(lonely[0], [text for text in classes if text not in lonely]) if len(lonely) == 1 else ""
    other_column = "name another column in target if this one doesn't hold classes, or add examples of each"
    return f"{message}; {nearest or other_column}"


def warnings_about_lonely_classes(table: Table) -> tuple[DataWarning, ...]:
    """Return a warning if classes have a single row, since a row can't serve both training and measuring."""
    lonely = _lonely_classes(table)
    if not lonely:
        return ()
    shown = [f"{shown_text(text)} (row {table.row(position)})" for text, position in lonely.items()]
    which, them = (f"{len(lonely):,} classes have", "them") if len(lonely) > 1 else ("a class has", "it")
    message = f"{which} a single row, for training, so that nothing measures {them}: {first_of(shown)}"
    ways = f"set rare_classes: {{drop: 2}} to leave {them} out" + ", or {merge: 2} to make them one" * (len(lonely) > 1)
    return (DataWarning("target", message, ways),)


def nearest_class(text: str, others: Collection[str]) -> str:
    """Return "did you mean" with the most similar class; empty for a number."""
    return "" if writes_number(text) else did_you_mean(text, others)


def numbers_for_classes(table: Table) -> ParameterError:
    """Return the error for a column of numbers to predict that was read as classes."""
    return ParameterError(
        "target",
        f"the column '{table.columns.target_class}' of {table.name} holds {_counted(table)}, too many to be classes",
        expected="at least 2 rows of each class",
        remedy=f"{table.columns.setting('predict', 'values')} to predict numbers",
    )


def warnings_about_numbers(table: Table) -> tuple[DataWarning, ...]:
    """Return a warning if the target holds many numbers, each read as a class."""
    if table.columns.target_class is None or not _holds_many_numbers(table):
        return ()
    texts = table.texts[-1]
    if len(table) >= FEW_EXAMPLES * len(texts) and all(float(text).is_integer() for text in texts):
        return ()
    message = f"the column '{table.columns.target_class}' of {table.name} holds {_counted(table)}, each read as a class"
    return (DataWarning("target", message, f"{table.columns.setting('predict', 'values')} to predict numbers"),)


def warnings_about_missing(table: Table) -> tuple[DataWarning, ...]:
    """Return a warning if rows without a target were left out."""
    count = table.without_target
    if not count:
        return ()
    rows = "1 row has" if count == 1 else f"{count:,} rows have"
    return (DataWarning("target", f"{rows} no target in {table.name}, and {'is' if count == 1 else 'are'} left out"),)


def _counted(table: Table) -> str:
    return f"{len(table.texts[-1]):,} different numbers in {len(table):,} rows"


def check_probabilities(table: Table) -> None:
    """Check that the targets of each row are probabilities that sum to 1, and let the sums be exact."""
    names = table.columns.target_numbers
    rows = table.numbers[:, len(table.columns.numbers) :]
    wrong = np.argwhere(~((rows >= 0) & (rows <= 1)))
    if len(wrong):
        row, column = wrong[0].tolist()
        raise table.error(row, names[column], f"{rows[row, column]:g} is not a probability; expected 0 to 1")
    sums = rows.sum(axis=1)
    others = np.flatnonzero(np.abs(sums - 1) > SUM_TOLERANCE)
    if len(others):
        message = f"the probabilities of the {len(names)} classes sum to {sums[others[0]]:g}; expected 1"
        raise table.error(int(others[0]), names[0], f"{message}; name the columns of all classes in target")
    rows /= sums[:, np.newaxis]


def check_labels(table: Table) -> None:
    """Check that columns of labels hold only 0 and 1, or raise ``DataError``."""
    for name in table.columns.target_numbers:
        values = table.number(name)
        wrong = np.flatnonzero((values != 0) & (values != 1))
        if len(wrong):
            message = f"{values[wrong[0]]:g} is not a label; expected 0 or 1"
            raise table.error(int(wrong[0]), name, message)


def check_classes_listed(table: Table, classes: Sequence[str]) -> None:
    """Check that the spec lists every class, or raise ``DataError``."""
    texts, codes = table.texts[-1], table.codes[:, -1]
    unlisted = [code for code, text in enumerate(texts) if text not in classes]
    positions = np.flatnonzero(np.isin(codes, unlisted))
    if len(positions):
        text = texts[codes[positions[0]]]
        remedy = did_you_mean(text, classes) or "add it there, or leave out the row"
        message = f"the class {shown_text(text)} is not in classes; {remedy}"
        raise table.error(int(positions[0]), table.columns.target_class or "", message)


def target_scaling(table: Table, training: NDArray[np.intp], *, log: bool, clip: bool = False) -> ValuesScaling:
    """Return the scaling of a table's target values, fitted on the training rows, or raise ``DataError``."""
    scalings = []
    for name in table.columns.target_numbers:
        values = table.number(name)
        wrong = np.flatnonzero((values <= 0) & log)
        if len(wrong):
            raise table.error(int(wrong[0]), name, no_logarithm(float(values[wrong[0]])))
        try:
            scalings.append(values_scaling([values[training]], (), log=log))
        except ValueError as error:
            raise table.error(int(training[0]), name, DEVIATION_OVERFLOWS) from error
    means = tuple(mean for scaling in scalings for mean in scaling.means)
    stds = tuple(std for scaling in scalings for std in scaling.stds)
    targets = np.stack([table.number(name)[training] for name in table.columns.target_numbers], axis=1)
    return ValuesScaling(means, stds, log, values_range([targets]) if clip else None)


def _holds_many_numbers(table: Table) -> bool:
    """Whether the target holds more distinct numbers than is usual for classes."""
    return len(table.texts[-1]) > MANY_CLASSES and all(map(writes_number, table.texts[-1]))


def without_rare_classes(table: Table, rare_classes: Mapping[str, int], known: Collection[str] | None = None) -> None:
    """Leave out the rows of rare classes, or give them the class ``other``, in place; ``known`` ones aren't rare.

    Raises:
        ParameterError: all classes are rare.
        DataError: no row has one of the known classes.
    """
    ((way, fewest),) = rare_classes.items()
    texts, codes = table.texts[-1], table.codes[:, -1]
    counts = np.bincount(codes, minlength=len(texts))
    kept = [text for code, text in enumerate(texts) if (counts[code] >= fewest if known is None else text in known)]
    if len(kept) == len(texts) or (way == "merge" and known is not None and OTHER not in known):
        return
    if not kept and known is None:
        message = f"every class of '{table.columns.target_class}' has fewer than {fewest:,} rows"
        raise ParameterError("rare_classes", message, remedy="set a smaller number, or name another column in target")
    rare = [text for text in texts if text not in kept]
    if way == "merge":
        kept = [*(text for text in kept if text != OTHER), OTHER]
    positions = {text: position for position, text in enumerate(kept)}
    rest = positions[OTHER] if way == "merge" else MISSING
    codes[...] = np.array([positions.get(text, rest) for text in texts], np.int32)[codes]
    table.texts[-1] = kept
    if way == "merge":
        return
    if not kept:
        raise DataError(table.name, f"no row has a class that the model knows; they have {shown_texts(rare)}")
    rows = codes != MISSING
    if table.columns.trained:
        message = f"{table.name}: {(~rows).sum():,} of {len(rows):,} rows are left out, with classes that were rare in"
        warnings.warn(f"{message} training, or not there: {shown_texts(rare)}", stacklevel=2)
    table.keep(rows)
