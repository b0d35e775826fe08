"""Shapley values: what each part of an input adds to a function's value, on average over all orders of the parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import factorial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

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


class ShapleyValues(NamedTuple):
    """Shapley values of an input.

    Args:
        values: what each part adds, shape (parts, outputs).
        errors: their standard errors; 0 if they are exact.
    """

    values: NDArray[np.float64]
    errors: NDArray[np.float64]


def shapley_values(
    game: Game,
    whole: NDArray[np.float64],
    alone: NDArray[np.float64],
    parts: int,
    orders: int,
    generator: Callable[[], np.random.Generator],
) -> ShapleyValues:
    """Return the Shapley values of the parts of an input; they add up to ``whole`` minus the mean of ``alone``.

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
        generator: returns what draws them.

    Source: Castro, Gomez and Tejada, Polynomial Calculation of the Shapley Value Based on Sampling (2009); Mitchell,
        Cooper, Frank and Holmes, Sampling Permutations for Shapley Value Estimation (2022).
    """
    rounds = max(2, -(-orders // len(alone)))
    if parts <= MOST_ENUMERATED and 2**parts - 2 <= 2 * rounds * (parts - 1):
        return _enumerated(game, whole, alone, parts)
    return _sampled(game, whole, alone, parts, rounds, generator())


def _enumerated(game: Game, whole: NDArray[np.float64], alone: NDArray[np.float64], parts: int) -> ShapleyValues:
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
    return ShapleyValues(values, np.zeros_like(values))


def _sampled(
    game: Game,
    whole: NDArray[np.float64],
    alone: NDArray[np.float64],
    parts: int,
    rounds: int,
    rng: np.random.Generator,
) -> ShapleyValues:
    rows = len(alone)
    places = rng.permuted(np.tile(np.arange(parts), (rounds * rows, 1)), axis=1)
    both = np.concatenate([places, parts - 1 - places])  # an order, and the same from its end
    of_row = np.tile(np.arange(rows), 2 * rounds)
    added = np.empty((len(both), parts, alone.shape[1]))
    together = max(1, SETS_TOGETHER // max(1, parts - 1))
    for begin in range(0, len(both), together):
        chunk = slice(begin, begin + together)
        walks = _walks(game, whole, alone, both[chunk], of_row[chunk])
        added[chunk] = np.take_along_axis(np.diff(walks, axis=1), both[chunk][:, :, None], axis=1)
    pairs = added.reshape(2, rounds, rows, parts, -1).mean(axis=0)
    errors = np.sqrt(pairs.var(axis=0, ddof=1).sum(axis=0) / rounds) / rows  # background rows are strata
    return ShapleyValues(pairs.mean(axis=(0, 1)), errors)


def _walks(
    game: Game,
    whole: NDArray[np.float64],
    alone: NDArray[np.float64],
    places: NDArray[np.intp],
    of_row: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Return the values from a background row to the input as part by part joins, shape (walks, parts + 1, outputs)."""
    count, parts = places.shape
    values = np.empty((count, parts + 1, len(whole)))
    values[:, 0], values[:, -1] = alone[of_row], whole
    masks = places[:, None, :] < np.arange(1, parts)[:, None]
    inner = game(masks.reshape(-1, parts), np.repeat(of_row, parts - 1))
    values[:, 1:-1] = inner.reshape(count, parts - 1, -1)
    return values


@dataclass(frozen=True)
class Explanation:
    """Why a model predicts what it predicts: what each column adds to the mean prediction for some training rows.

    Args:
        values: Shapley values, shape (rows, columns), or (rows, columns, outputs) if there are several outputs; a row's
            values and its ``base`` add up to its prediction. NaN for a row without a prediction.
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

    def each_output(self) -> Iterator[tuple[str, Array, Array, Array]]:
        """Go through the outputs: name, values, errors and base of each; a single output has no name."""
        if self.values.ndim == 2:
            yield "", self.values, self.errors, self.base
            return
        for i, name in enumerate(self.outputs):
            yield name, self.values[..., i], self.errors[..., i], self.base[:, i]

    def described(self, row: int) -> list[str]:
        """Return the columns with the values of a row, such as ``age = 41``; arrays have names alone."""
        if self.inputs is None:
            return list(self.columns)
        return [f"{name} = {self.inputs[name][row]}" for name in self.columns]

    def _repr_html_(self) -> str:
        """Return the values of the first rows, and of their most important columns, as a table for a notebook."""
        if self.values.ndim > 2:
            return f"<p>{self.values.shape!r}: values for {', '.join(self.outputs)}</p>"
        order = np.argsort(-np.nan_to_num(np.abs(self.values)).mean(axis=0), kind="stable")[:MOST_PARTS_SHOWN]
        figure = load("mlpkit.terminal.figures:figure")
        headings = ["row", "mean", *(self.columns[i] for i in order), "others", "prediction"]
        cells = [
            [str(row), *map(figure, (base, *values[order], np.delete(values, order).sum(), base + values.sum()))]
            for row, (base, values) in enumerate(zip(self.base, self.values, strict=True))
        ]
        return str(load("mlpkit.pages.notebook_tables:html_table")(headings, cells[:MOST_ROWS_SHOWN]))


def largest_parts(
    names: Sequence[str], values: Array, errors: Array, most: int = MOST_PARTS_SHOWN
) -> list[tuple[str, float, float | None]]:
    """Return the parts that add or take most, each with its error, and what all others add together, without one."""
    order = np.argsort(-np.abs(values), kind="stable")
    shown = order if len(order) <= most + 1 else order[:most]
    found: list[Any] = [(names[i], float(values[i]), float(errors[i])) for i in shown]
    rest = np.delete(values, shown)
    return [*found, (f"{len(rest)} others", float(rest.sum()), None)] if len(rest) else found
