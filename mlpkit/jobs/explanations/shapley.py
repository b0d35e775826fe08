"""Shapley values: what each part of an input adds to a function's value, on average over all orders of the parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import factorial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.lazy_names import load

if TYPE_CHECKING:
    from mlpkit.array import Array

MOST_PARTS_SHOWN: Final = 8
MOST_ROWS_SHOWN: Final = 20
MOST_ENUMERATED: Final = 8
"""Parts whose sets are enumerated at most, if that takes no more values of the function than the orders."""
SETS_TOGETHER: Final = 4096

Game = Callable[[NDArray[np.bool_], NDArray[np.intp]], NDArray[np.float64]]
"""Returns the function's values, shape (sets, outputs), for sets of parts.

Its arguments are which parts are the input's own, shape (sets, parts), and the number of the background row that the
rest is from, shape (sets,).
"""


def shapley_values(
    game: Game,
    whole: NDArray[np.float64],
    alone: NDArray[np.float64],
    parts: int,
    orders: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the Shapley values of an input's parts, and their standard errors, each of shape (parts, outputs).

    The values add up to ``whole`` minus the mean of ``alone``.

    v(S) = mean over background rows b of f(the input's parts in S, the rest of b)
    value of j = mean over the orders of the parts of v(those up to j) - v(those before j)

    The mean is over drawn orders, each walked from both ends, and over all background rows equally often; so a walk
    takes the function's values for a single background row. With few parts, all sets are enumerated instead.

    Args:
        game: the function.
        whole: its values for the input, shape (outputs,).
        alone: its values for each background row, shape (rows, outputs).
        parts: how many parts there are.
        orders: how many pairs of orders to draw, at least two for each background row.
        rng: draws them.

    Source: Castro, Gomez and Tejada, Polynomial Calculation of the Shapley Value Based on Sampling (2009); Mitchell,
        Cooper, Frank and Holmes, Sampling Permutations for Shapley Value Estimation (2022).
    """
    rounds = max(2, -(-orders // len(alone)))
    if parts <= MOST_ENUMERATED and 2**parts - 2 <= 2 * rounds * (parts - 1):
        values = _enumerated(game, whole, alone, parts)
        return values, np.zeros_like(values)
    rows = len(alone)
    places = rng.permuted(np.tile(np.arange(parts), (rounds * rows, 1)), axis=1)
    both = np.concatenate([places, parts - 1 - places])  # an order, and the same from its end
    of_row = np.tile(np.arange(rows), 2 * rounds)
    together = max(1, SETS_TOGETHER // max(1, parts - 1))
    added = [
        _walked(game, whole, alone, both[begin : begin + together], of_row[begin : begin + together])
        for begin in range(0, len(both), together)
    ]
    pairs = np.concatenate(added).reshape(2, rounds, rows, parts, -1).mean(axis=0)
    errors = np.sqrt(pairs.var(axis=0, ddof=1).sum(axis=0) / rounds) / rows  # background rows are strata
    return pairs.mean(axis=(0, 1)), errors


def _walked(
    game: Game,
    whole: NDArray[np.float64],
    alone: NDArray[np.float64],
    places: NDArray[np.intp],
    of_row: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Return what each part adds on walks from background rows to the input, shape (walks, parts, outputs).

    ``places`` is when each part joins, shape (walks, parts), and ``of_row`` the row that each walk begins with.
    """
    count, parts = places.shape
    worth = np.empty((count, parts + 1, len(whole)))
    worth[:, 0], worth[:, -1] = alone[of_row], whole
    masks = places[:, None, :] < np.arange(1, parts)[:, None]
    worth[:, 1:-1] = game(masks.reshape(-1, parts), np.repeat(of_row, parts - 1)).reshape(count, parts - 1, -1)
    return np.take_along_axis(np.diff(worth, axis=1), places[:, :, None], axis=1)


def _enumerated(game: Game, whole: NDArray[np.float64], alone: NDArray[np.float64], parts: int) -> NDArray[np.float64]:
    rows, numbers = len(alone), np.arange(2**parts)
    masks = (numbers[:, None] >> np.arange(parts) & 1).astype(bool)
    worth = np.empty((2**parts, alone.shape[1]))
    worth[0], worth[-1] = alone.mean(axis=0), whole
    for number in numbers[1:-1]:
        worth[number] = game(np.repeat(masks[[number]], rows, axis=0), np.arange(rows)).mean(axis=0)
    sizes = masks.sum(axis=1)
    shares = np.array([factorial(size) * factorial(parts - 1 - size) / factorial(parts) for size in range(parts)])
    values = np.empty((parts, alone.shape[1]))
    for part in range(parts):
        without = numbers[~masks[:, part]]
        values[part] = shares[sizes[without]] @ (worth[without | 1 << part] - worth[without])
    return values


@dataclass(frozen=True)
class Explanation:
    """Why a model predicts what it predicts: what each column adds to the mean prediction for some training rows.

    Args:
        values: Shapley values, shape (rows, columns), or (rows, columns, outputs) if there are several outputs; a row's
            values and its ``base`` add up to its prediction.
        errors: their standard errors; 0 if they are exact.
        base: the mean prediction, shape (rows,) or (rows, outputs).
        columns: the names of the columns.
        outputs: what is explained: the one name of a value; the names of all classes, labels or values; or, if the
            probability of the predicted class is, its name for each row.
        inputs: the values that the rows have in the columns, by name; None if rows are arrays.
    """

    values: Array
    errors: Array
    base: Array
    columns: tuple[str, ...]
    outputs: tuple[str, ...]
    inputs: Mapping[str, Sequence[Any]] | None = None

    @property
    def predictions(self) -> Array:
        """The predictions that are explained, shape (rows,) or (rows, outputs)."""
        total: Array = self.base + self.values.sum(axis=1)
        return total

    def of_row(self, row: int) -> list[tuple[str, float, Array, Array]]:
        """Return name, base, values and errors of each output of a row."""
        single = self.values.ndim == 2
        names = self.outputs[row if len(self.outputs) > 1 else 0 :] if single else self.outputs
        values, errors = (array[row].reshape(len(self.columns), -1).T for array in (self.values, self.errors))
        return list(zip(names, np.ravel(self.base[row]).tolist(), values, errors, strict=False))

    def parts_of(self, row: int, values: Array, errors: Array) -> list[tuple[str, float, float | None]]:
        """Return the columns of a row that add or take most, each with its error, and all others together.

        Args:
            row: the row; tables have its values behind the names, such as ``age = 41``.
            values: the values of one of its outputs.
            errors: their errors.
        """
        order = np.argsort(-np.abs(values), kind="stable")
        shown = order if len(order) <= MOST_PARTS_SHOWN + 1 else order[:MOST_PARTS_SHOWN]
        of = ["" if self.inputs is None else f" = {self.inputs[name][row]}" for name in self.columns]
        found: list[Any] = [(f"{self.columns[i]}{of[i]}", float(values[i]), float(errors[i])) for i in shown]
        rest = np.delete(values, shown)
        return [*found, (f"{len(rest)} others", float(rest.sum()), None)] if len(rest) else found

    def _repr_html_(self) -> str:
        """Return the first rows as a table for a notebook."""
        rows = [
            [str(row), name, f"{base + values.sum():.4g}", f"{base:.4g}", text]
            for row in range(min(MOST_ROWS_SHOWN, len(self.values)))
            for name, base, values, errors in self.of_row(row)
            for text in [", ".join(f"{part}: {adds:+.3g}" for part, adds, _ in self.parts_of(row, values, errors))]
        ]
        headings = ("row", "output", "prediction", "mean", "what columns add")
        return str(load("mlpkit.pages.notebook_tables:html_table")(headings, rows, texts=(1, 4)))
