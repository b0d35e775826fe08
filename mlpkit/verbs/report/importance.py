"""How much a network relies on each of its inputs: what the loss gains when the input is shuffled among the rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.randomness import keyed_generator
from mlpkit.explanations.columns import (
    binary_digits,
    column_of_inputs,
    columns_in,
    names_of_columns,
    with_rows_from,
)
from mlpkit.pages import charts
from mlpkit.pages.images import LARGEST, POSITIVE, image_shape, thumbnail
from mlpkit.pages.parts import folded, paragraph, pictures, section, table
from mlpkit.terminal.figures import figure

if TYPE_CHECKING:
    from mlpkit.components.dataset import RawRows

MOST_ROWS: Final = 1000
FEWEST_ROWS: Final = 50
MOST_CELLS: Final = 400_000
"""Cells of a table that are encoded, in all."""
FEW_COLUMNS: Final = 200
"""Columns up to which the rows are encoded again for each: of more, ``importance_of_many`` encodes them less often."""
MOST_FLOPS: Final = 10**10
"""Floating-point operations of the passes through the network, in all."""
MOST_FLOPS_OF_MANY: Final = 10**11
"""The same if there are many columns, which begins to take longer."""
PATCHES: Final = 7
"""Patches of an image beside each other, and above each other."""
MOST_BARS: Final = 25


class Importance(NamedTuple):
    """What the loss gains when an input is shuffled.

    Args:
        name: a column, or where a patch of an image is.
        gain: the loss then, less the loss as it is.
        place: start and end of a patch, down and across; None for a column.
    """

    name: str
    gain: float
    place: tuple[int, int, int, int] | None = None


def rows_for_importance(raw: RawRows | None, flops: int) -> int:
    """Return how many rows importance is computed on, so that it takes a few seconds; 0 if it would take longer.

    Args:
        raw: any rows of raw inputs.
        flops: floating-point operations of the network for an example.
    """
    if raw is None:
        return 0
    inputs = PATCHES**2 if image_shape_of(raw) else columns_in(raw)
    if inputs < 2 or (inputs > FEW_COLUMNS and flops * inputs * FEWEST_ROWS > MOST_FLOPS_OF_MANY):
        return 0
    cells = (inputs if inputs <= FEW_COLUMNS else 2 * binary_digits(inputs)) * inputs if isinstance(raw, Mapping) else 0
    most = min(MOST_FLOPS // max(1, flops * inputs), MOST_CELLS // max(1, cells) if cells else MOST_ROWS)
    return min(MOST_ROWS, max(FEWEST_ROWS, most))


def image_shape_of(raw: RawRows) -> tuple[int, ...] | None:
    """Return the shape of raw rows that are images; None of others."""
    return None if isinstance(raw, Mapping) else image_shape(raw)


def importance(
    raw: RawRows,
    loss: Callable[[Any], float],
    seed: int,
    names: Sequence[str] | None = None,
) -> list[Importance]:
    """Return the importance of each column, or of each patch of images, the most important first.

    Args:
        raw: rows of raw inputs.
        loss: returns the mean loss for such rows.
        seed: what the shuffling is keyed by.
        names: a name for each number of a row, if the rows are an array.
    """
    before = loss(raw)
    if isinstance(raw, Mapping):
        rows = len(next(iter(raw.values())))
        found = [
            Importance(name, loss({**raw, name: [values[i] for i in _order(seed, name, rows)]}) - before)
            for name, values in raw.items()
        ]
    elif (shape := image_shape(raw)) is not None:
        found = [
            Importance(
                name, loss(_with_shuffled(raw, seed, name, (..., slice(*place[:2]), slice(*place[2:])))) - before, place
            )
            for name, place in _patches(*shape[-2:])
        ]
    else:
        flat = raw.reshape(len(raw), -1)
        columns = names_of_columns(raw, names)
        found = [
            Importance(name, loss(_with_shuffled(flat, seed, name, (..., i)).reshape(raw.shape)) - before)
            for i, name in enumerate(columns)
        ]
    return sorted(found, key=lambda each: -each.gain)


def importance_of_many(
    raw: RawRows,
    encode: Callable[[Any], Array],
    loss: Callable[[Array], float],
    seed: int,
    names: Sequence[str] | None = None,
) -> list[Importance]:
    """Return the importance of each of many columns, the most important first; none if an input mixes several.

    Rows aren't encoded once per column: a column's inputs are shuffled in place of the column, see
    ``column_of_inputs``.

    Args:
        raw: rows of raw inputs, not images.
        encode: returns the network's inputs for such rows.
        loss: returns the mean loss for such inputs.
        seed: what the shuffling is keyed by.
        names: a name for each number of a row, if the rows are an array.
    """
    x = encode(raw)
    columns = names_of_columns(raw, names)
    orders = [_order(seed, name, len(x)) for name in columns]
    flat = x.reshape(len(x), -1)

    def changed(some: Collection[int]) -> Array:
        return encode(with_rows_from(raw, raw, {i: orders[i] for i in some})).reshape(flat.shape)

    column_of, before = column_of_inputs(len(columns), flat, changed), loss(x)
    if column_of is None:
        return []
    found = []
    for column, name in enumerate(columns):
        inputs, shuffled = np.flatnonzero(column_of == column), flat.copy()
        shuffled[:, inputs] = flat[np.ix_(orders[column], inputs)]
        found.append(Importance(name, loss(shuffled.reshape(x.shape)) - before if len(inputs) else 0.0))
    return sorted(found, key=lambda each: -each.gain)


def _order(seed: int, name: str, rows: int) -> NDArray[np.intp]:
    return keyed_generator(seed, "importance", name).permutation(rows)


def _with_shuffled(raw: Array, seed: int, name: str, place: tuple[Any, ...]) -> Array:
    """Return inputs with a part of each exchanged for that of another row."""
    shuffled = raw.copy()
    shuffled[place] = raw[place][_order(seed, name, len(raw))]
    return shuffled


def _patches(height: int, width: int) -> list[tuple[str, tuple[int, int, int, int]]]:
    """Return name and place of each patch of an image."""
    down, across = (sorted({length * i // PATCHES for i in range(PATCHES + 1)}) for length in (height, width))
    return [
        (f"rows {top} to {bottom - 1}, columns {left} to {right - 1}", (top, bottom, left, right))
        for top, bottom in pairwise(down)
        for left, right in pairwise(across)
    ]


def importance_section(
    found: Sequence[Importance], rows: str, image: Array | None = None, *, dependence: str = ""
) -> str:
    """Return importance as bars, or as a picture if inputs are images.

    Args:
        found: the importance of each input, the most important first.
        rows: which rows it was computed on, in words.
        image: the mean of the images, if inputs are images, of bytes.
        dependence: how predictions depend on the most important columns.
    """
    shown = found[:MOST_BARS]
    what = "column" if image is None else "patch"
    numbers = table([what, "loss added"], [[each.name, figure(each.gain)] for each in shown], texts=[0])
    if image is None:
        values = [{"input": each.name, "loss added": each.gain} for each in shown]
        chart = charts.bars(values, "input", "loss added", titles=("", "loss added"))
        part = charts.figure("Loss increase when a column is shuffled", chart, numbers)
    else:
        part = pictures(
            [thumbnail(image), _heat(found, image)], ["mean of the images", "loss increase by patch"]
        ) + folded("Numbers", numbers)
    text = (
        f"How much the loss increases when a {what} is shuffled among {rows}. Redundant inputs share their importance."
    )
    if len(shown) < len(found) and image is None:
        text += f" The {len(shown)} most important of {len(found):,} columns."
    if dependence:
        curves = "How predictions change with a column: the mean over rows in which it is set to each value, and where "
        dependence = paragraph(f"{curves}the middle half and nine tenths of these rows are.") + dependence
    return section("Importance of inputs", paragraph(text), part, dependence)


def _heat(found: Sequence[Importance], image: Array) -> NDArray[np.uint8]:
    """Return a picture of importance: the deeper the blue, the more important; clear where nothing is gained."""
    heat = np.zeros(image.shape[-2:])
    for each in found:
        assert each.place is not None
        top, bottom, left, right = each.place
        heat[top:bottom, left:right] = max(0.0, each.gain)
    pixels = np.empty((*heat.shape, 4), np.uint8)
    pixels[..., :3] = POSITIVE
    pixels[..., 3] = np.round(255 * heat / (heat.max() or 1.0))
    step = -(-max(heat.shape) // LARGEST)
    return np.ascontiguousarray(pixels[::step, ::step])
