"""A first spec for a table in a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit import DataError, ParameterError, Proposal, shown_number
from mlpkit_plugins.first_networks.first_spec import DEFAULT_SHARE, Commented, held_out, left_to_train, split_comments
from mlpkit_plugins.first_networks.perceptron import ClassTarget, LabelTarget, TargetToLearn, ValueTarget, perceptron
from mlpkit_plugins.formats.texts import first_of, shown_texts
from mlpkit_plugins.recipes.table_recipe import Recipe, TableFacts
from mlpkit_plugins.tables.column_guess import (
    FEWEST_ROWS,
    ColumnGuess,
    ColumnGuesser,
    Outlier,
    RowSample,
    check_visible_names,
    sentinels_in,
)
from mlpkit_plugins.tables.columns import ISO
from mlpkit_plugins.tables.options import shown_names
from mlpkit_plugins.tables.source import TableSource
from mlpkit_plugins.tables.target_guess import Aim, Wishes, aim_at, check_column, targets_of
from mlpkit_plugins.tables.text_numbers import PLAIN, NumberFormat

ALIKE: Final = 0.9995
"""The rank correlation, or the share of equal rows, from which a column counts as a copy of the target."""

ROWS_COMPARED: Final = 5000
"""Rows in which a column is compared with the target."""

FILLED: Final = "means in place of numbers, zeros for categories"
"""The effect of ``missing: fill``."""

FOR_COUNTS: Final = "Poisson in place of MeanSquaredError, with scale_target: none"
"""A loss that may suit counts better than the default for numbers."""

SENTINEL: Final = "counted as missing; if it is a real value, remove it from missing_numbers"
"""The note on a number that seems to mark a missing value."""

LEAST_ROWS: Final = 5
"""With fewer rows, the shares for validation and test would be empty."""

FEW_TO_HASH: Final = 50
"""With fewer rows, a split by the content of each row alone may leave a split empty."""


@dataclass(frozen=True)
class Reading:
    """A table with some of its rows, and how its file is read.

    ``missing`` are texts that always mean a missing value; ``parameters`` are those of a spec that describe the format.
    """

    source: TableSource
    sample: RowSample
    missing: Collection[str]
    written: NumberFormat = PLAIN
    parameters: Mapping[str, Commented] = field(default_factory=dict)
    has_names: bool = True


def propose_for_table(
    name: str, files: Mapping[str, str], target: str | None, reading: Reading, recipe: Recipe | None, wishes: Wishes
) -> Proposal:
    """Return a spec that trains well on a table.

    Raises:
        ParameterError: a named column is missing, or the recipe doesn't suit the table.
        DataError: the table has too few rows, nothing to learn from, or inconsistent values.
    """
    sample, source = reading.sample, reading.source
    check_visible_names(source.name, source.header, source.header_row)
    if not sample.size:
        message = "no rows are given; expected one for each example"
        raise DataError(source.name, message, row=(source.header_row or 0) + 1)
    if sample.size < LEAST_ROWS and not _are_files(files):
        rows = "1 row is" if sample.size == 1 else f"{sample.size} rows are"
        message = f"{rows} too few to learn from and to measure errors on; expected at least {LEAST_ROWS}"
        raise DataError(source.name, message)
    header = source.header
    targets = targets_of(target, wishes, header, has_names=reading.has_names)
    dropped = _reasons_to_drop(wishes, targets, reading)
    guesser = ColumnGuesser(sample, reading.missing, reading.written)
    aim = aim_at(guesser, sample, targets, reading.missing, wishes.get("predict"))
    inputs = [column for column in dict.fromkeys(header) if column not in targets]
    guesses = [
        ColumnGuess(column, "nothing", dropped[column]) if column in dropped else guesser.guess(column)
        for column in inputs
        if column != wishes.get("id")
    ]
    aim, guesses = _without_sentinels(aim, guesses)
    guesses = [_unless_a_copy(guess, aim, sample) for guess in guesses]
    if all(guess.holds == "nothing" for guess in guesses):
        reasons = "; ".join(f"{guess.name}: {guess.reason}" for guess in guesses[:5]) or "it is the only one"
        raise DataError(source.name, f"no column but '{aim.columns[0]}' is left to learn from: {reasons}")
    return _Writer(name, files, reading, aim, guesses, wishes.get("id")).proposal(recipe)


def _are_files(files: Mapping[str, str]) -> bool:
    """Whether the rows for validation and test are in separate files."""
    return {"validation", "test"} <= files.keys()


def _reasons_to_drop(wishes: Wishes, targets: Collection[str], reading: Reading) -> dict[str, str]:
    """Return the columns that the user excluded, each with a reason; check that the table has them."""
    for parameter, names in (("drop", wishes.get("drop", ())), ("id", [wishes["id"]] if "id" in wishes else [])):
        for name in names:
            check_column(parameter, name, reading.source.header, has_names=reading.has_names)
            if name in targets:
                raise ParameterError(parameter, f"the column '{name}' is the target", remedy="name it once")
    return dict.fromkeys(wishes.get("drop", ()), "dropped with --drop")


def _without_sentinels(aim: Aim, guesses: Sequence[ColumnGuess]) -> tuple[Aim, list[ColumnGuess]]:
    """Return the guesses with sentinels such as -999 counted as missing, in inputs and targets."""
    columns = {
        guess.name: guess.numbers
        for guess in (*guesses, *(aim.guesses if aim.predict == "values" else ()))
        if guess.numbers is not None
    }
    sentinels = sentinels_in(columns)

    def marked(guess: ColumnGuess) -> ColumnGuess:
        sentinel = sentinels.get(guess.name)
        if sentinel is None or guess.numbers is None:
            return guess
        numbers = np.where(guess.numbers == sentinel.value, np.nan, guess.numbers)
        return replace(guess, numbers=numbers, missing=guess.missing + sentinel.rows, sentinel=sentinel)

    targets = [marked(guess) for guess in aim.guesses]
    more = sum(guess.missing for guess in targets) - sum(guess.missing for guess in aim.guesses)
    aim = replace(aim, guesses=targets, missing=aim.missing + more)
    return aim, [marked(guess) for guess in guesses]


def _unless_a_copy(guess: ColumnGuess, aim: Aim, sample: RowSample) -> ColumnGuess:
    """Return the guess; for a column that is nearly a copy of the target, a guess that excludes it."""
    if guess.holds == "nothing":
        return guess
    copied = [target.name for target in aim.guesses if _is_copy(guess, target, aim.counts, sample)]
    if not copied:
        return guess
    reason = f"a copy of the target: it equals '{copied[0]}' in nearly every row"
    return ColumnGuess(guess.name, "nothing", reason)


def _is_copy(guess: ColumnGuess, target: ColumnGuess, classes: Collection[str], sample: RowSample) -> bool:
    if classes:
        if guess.distinct != len(classes):
            return False
        pairs = Counter(zip(sample.columns[guess.name], sample.columns[target.name], strict=True))
        partners = dict(pair for pair, _ in reversed(pairs.most_common()))  # of each text, the most frequent one
        agreeing = sum(pairs[pair] for pair in partners.items())
        return set(partners.values()) >= set(classes) and agreeing >= ALIKE * len(sample.rows)
    if guess.numbers is None or target.numbers is None:
        return False
    x, t = guess.numbers[:ROWS_COMPARED], target.numbers[:ROWS_COMPARED]
    both = ~(np.isnan(x) | np.isnan(t))
    if min(len(np.unique(x[both])), len(np.unique(t[both]))) < 10:
        return False
    return abs(float(np.corrcoef(_ranks(x[both]), _ranks(t[both]))[0, 1])) >= ALIKE


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rank of each value; equal values share their mean rank."""
    _, positions, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[positions]


@dataclass(frozen=True)
class _Writer:
    """Writes the proposal for a table whose columns' content is known."""

    name: str
    files: Mapping[str, str]
    reading: Reading
    aim: Aim
    guesses: Sequence[ColumnGuess]
    id: str | None

    def proposal(self, recipe: Recipe | None) -> Proposal:
        """Return the spec with comments, and the decisions behind it."""
        target, file = self._target(), self.files["train"]
        if recipe is None:
            first = perceptron(self._training_rows(), target)
            spec, comments = split_comments({"data": {self.name: self._data()}})
            title = f"Predicts {self._targets()} from the other columns of {file}."
            spec, comments, decisions = {**spec, **first.keys}, {**comments, **first.comments}, first.decisions
        else:
            network = recipe(self._facts(target))
            data = {self.name: {**self._data(), **network.data}}
            spec, comments = split_comments({"data": data, "layers": network.layers, "training": network.training})
            title, decisions = f"{network.title}: predicts {self._targets()} from {file}.", network.decisions
        return Proposal(spec, {(): title, **comments}, [*self._decisions(), *decisions])

    def _facts(self, target: TargetToLearn) -> TableFacts:
        """Return the facts about the table for a recipe."""
        if isinstance(target, LabelTarget):
            raise ParameterError("recipe", "recipes are for classes and values, not labels", remedy="leave it out")
        with_numbers = [group for group in ("numbers", "dates") if self._holding(group)]
        categories = {guess.name: guess.distinct for guess in self._holding("categories")}
        return TableFacts(self._training_rows(), target, with_numbers, categories)

    def _holding(self, holds: str) -> list[ColumnGuess]:
        return [guess for guess in self.guesses if guess.holds == holds]

    def _training_rows(self) -> int:
        sample = self.reading.sample
        labelled = 1 - self.aim.missing / len(sample.rows)
        return left_to_train(sample.size * labelled, held_out(sample.size, self.files))

    def _target(self) -> TargetToLearn:
        if self.aim.predict == "classes":
            return ClassTarget(self.aim.counts)
        return LabelTarget() if self.aim.predict == "labels" else ValueTarget()

    def _targets(self) -> str:
        return shown_names(self.aim.columns)

    def _data(self) -> dict[str, Any]:
        """Return the parameters of the data set with comments."""
        sample, file = self.reading.sample, self.files["train"]
        parameters: dict[str, Any] = {
            "file": file if sample.is_whole else Commented(file, self._about_sample()),
            "target": self.aim.target,
            "predict": Commented(self.aim.predict, self._about_target()),
        }
        if self.aim.lonely:
            about = f"classes with fewer rows are left out: {shown_texts(self.aim.lonely)}"
            parameters["rare_classes"] = Commented({"drop": 2}, about)
        if left_out := self._holding("nothing"):
            parameters["ignore"] = [Commented(guess.name, guess.reason) for guess in left_out]
        if categorical := self._holding("categories"):
            parameters["categorical"] = [guess.name for guess in categorical]
            parameters["unknown"] = Commented("zeros", "a category unseen in training becomes zeros")
        if about_rare := self._about_rare():
            about = f"with fewer rows, a category counts as other: {about_rare}"
            parameters["rare"] = Commented(FEWEST_ROWS, about)
        if dates := {guess.name: guess.formats for guess in self._holding("dates")}:
            written = {name: _date_format(formats) for name, formats in dates.items()}
            parameters["dates"] = list(dates) if {each for each, *_ in dates.values()} == {ISO} else written
        if texts := set().union(*(guess.missing_texts for guess in (*self.guesses, *self.aim.guesses))):
            parameters["missing_texts"] = [*self.reading.missing, *sorted(texts)]
        if sentinels := self._sentinels():
            about = "counted as missing; remove the columns in which they are real values"
            values = {
                name: Commented([int(each.value) if each.value.is_integer() else each.value], str(each))
                for name, each in sentinels.items()
            }
            parameters["missing_numbers"] = Commented(values, about)
        about_missing = self._about_missing() or "no value is missing here; in new rows, the mean replaces it"
        parameters["missing"] = Commented("indicate" if sentinels else "fill", about_missing)
        parameters |= self.reading.parameters
        shares = {split: self.files.get(split, share) for split, share in held_out(sample.size, ()).items()}
        parameters |= {split: share for split, share in shares.items() if share != DEFAULT_SHARE}
        if self.id is not None:
            about = "rows of the same group come into the same split; it isn't an input"
            parameters["split"] = Commented({"group": self.id}, about)
        elif self.aim.predict != "classes" and sample.size < FEW_TO_HASH and not _are_files(self.files):
            about = "of so few rows, one that goes by their content might leave a split without any"
            parameters["split"] = Commented("shuffle", about)
        return parameters

    def _about_missing(self) -> str:
        rows = len(self.reading.sample.rows)
        counts = {guess.name: guess.missing for guess in self.guesses if guess.holds != "nothing" and guess.missing}
        return first_of([f"{_share(count, rows)} of {name}" for name, count in counts.items()])

    def _sentinels(self) -> dict[str, Outlier]:
        return {guess.name: guess.sentinel for guess in (*self.guesses, *self.aim.guesses) if guess.sentinel}

    def _about_rare(self) -> str:
        return first_of([f"{guess.rare:,} of {guess.name}" for guess in self._holding("categories") if guess.rare])

    def _about_target(self) -> str:
        if self.aim.predict == "labels":
            shown = [
                f"{name} {values.mean():.0%}" for name, values in zip(self.aim.columns, self.aim.numbers(), strict=True)
            ]
            return f"labels: {shown_names(shown)}"
        if self.aim.predict == "values":
            return self._about_values()
        return str(ClassTarget(self.aim.counts))

    def _about_values(self) -> str:
        several = len(self.aim.columns) > 1
        shown = [
            (f"{name}: " if several else "")
            + f"mean {shown_number(values.mean())}, standard deviation {shown_number(values.std())}"
            for name, values in zip(self.aim.columns, self.aim.numbers(), strict=True)
        ]
        are_counts = all(each.min() in (0, 1) and (each == np.rint(each)).all() for each in self.aim.numbers())
        counts = f"; if they are counts, try {FOR_COUNTS}" if are_counts else ""
        return f"numbers: {'; '.join(shown)}{counts}"

    def _about_sample(self) -> str:
        sample = self.reading.sample
        return f"what its columns hold was guessed from {len(sample.rows):,} of its {sample.size:,} rows"

    def _decisions(self) -> list[tuple[str, str]]:
        sample, file = self.reading.sample, self.files["train"]
        held = {
            "numbers": [guess.name for guess in self._holding("numbers")],
            "dates": [guess.name for guess in self._holding("dates")],
            "categories": [f"{guess.name} ({guess.distinct})" for guess in self._holding("categories")],
        }
        rows = f"{sample.size:,} of {file}"
        without_target = f"{_share(self.aim.missing, len(sample.rows))} of the rows"
        decisions = [
            ("rows", rows if sample.is_whole else f"{rows}; {self._about_sample()}"),
            *((parameter, each.comment) for parameter, each in self.reading.parameters.items()),
            ("target", f"{self._targets()}, {self._about_target()}"),
            ("one row each", f"{shown_texts(self.aim.lonely)}: classes left out" if self.aim.lonely else ""),
            ("id", f"{self.id}: rows of the same come into the same split" if self.id is not None else ""),
            ("no target", f"{without_target}, left out" if self.aim.missing else ""),
            *((label, f"{len(names)}: {shown_names(names)}" if names else "") for label, names in held.items()),
            ("rare", f"{about}: fewer than {FEWEST_ROWS} rows each" if (about := self._about_rare()) else ""),
            *(("left out", f"{guess.name or '(no name)'}: {guess.reason}") for guess in self._holding("nothing")),
            *(("sentinel", f"{name} has {sentinel}: {SENTINEL}") for name, sentinel in self._sentinels().items()),
            ("missing", f"{about}: {FILLED}" if (about := self._about_missing()) else ""),
        ]
        return [(label, text) for label, text in decisions if text]


def _date_format(formats: Sequence[str]) -> str | Commented:
    """Return the first format that fits all dates of a column, with a comment on a second one."""
    return Commented(formats[0], f"all of them fit '{formats[1]}', too") if formats[1:] else formats[0]


def _share(count: int, rows: int) -> str:
    return f"{count / rows:.0%}" if count * 100 >= rows else f"{count:,}"
