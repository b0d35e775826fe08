"""How much a network relies on each of its inputs, and how predictions depend on a column."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.randomness import keyed_generator
from mlpkit.jobs.explanations import binary_digits, columns_in, names_of_outputs, outputs_of, rows_at
from mlpkit.jobs.spec_data import evenly_spaced
from mlpkit.pages import charts
from mlpkit.pages.images import LARGEST, POSITIVE, image_shape, thumbnail
from mlpkit.pages.parts import beside, folded, paragraph, pictures, section, table
from mlpkit.terminal.figures import figure
from mlpkit.verbs.report.predictions import short

if TYPE_CHECKING:
    from mlpkit.components.dataset import RawRows
    from mlpkit.jobs.load_model import TrainedModel

MOST_ROWS: Final = 1000
FEWEST_ROWS: Final = 50
MOST_CELLS: Final = 400_000
"""Cells of a table that are encoded, in all."""
FEW_COLUMNS: Final = 200
"""Columns up to which importance is computed on a few rows, however long that takes."""
MOST_FLOPS: Final = 10**10
"""Floating-point operations of the passes through the network, in all."""
MOST_FLOPS_OF_MANY: Final = 10**11
"""The same if there are many columns, which begins to take longer."""
PATCHES: Final = 7
"""Patches of an image beside each other, and above each other."""
MOST_BARS: Final = 25


class Importance(NamedTuple):
    """What the loss gains when a column is shuffled, or a patch of an image.

    ``place`` has start and end of a patch, down and across; None for a column.
    """

    name: str
    gain: float
    place: tuple[int, int, int, int] | None = None


def rows_for_importance(raw: RawRows, flops: int) -> int:
    """Return how many rows importance is computed on, so that it takes a few seconds; 0 if it would take longer."""
    inputs = PATCHES**2 if image_shape(raw) else columns_in(raw)
    if inputs < 2 or (inputs > FEW_COLUMNS and flops * inputs * FEWEST_ROWS > MOST_FLOPS_OF_MANY):
        return 0
    cells = 2 * binary_digits(inputs) * inputs if isinstance(raw, Mapping) else 0
    most = min(MOST_FLOPS // max(1, flops * inputs), MOST_CELLS // max(1, cells) if cells else MOST_ROWS)
    return min(MOST_ROWS, max(FEWEST_ROWS, most))


def importance(
    x: Array, names: Sequence[str], column_of: NDArray[np.intp], loss: Callable[[Array], float], seed: int
) -> list[Importance]:
    """Return the importance of each column, the most important first; inputs of number -1 are in no column."""
    before, found = loss(x), []
    for column, name in enumerate(names):
        inputs, shuffled = np.flatnonzero(column_of == column), x.copy()
        shuffled[:, inputs] = x[np.ix_(_order(seed, name, len(x)), inputs)]
        found.append(Importance(name, loss(shuffled) - before if len(inputs) else 0.0))
    return sorted(found, key=lambda each: -each.gain)


def importance_of_patches(images: Array, loss: Callable[[Array], float], seed: int) -> list[Importance]:
    """Return the importance of each patch of images, the most important first."""
    before, found = loss(images), []
    for name, (top, bottom, left, right) in _patches(*images.shape[-2:]):
        patch, shuffled = (..., slice(top, bottom), slice(left, right)), images.copy()
        shuffled[patch] = images[patch][_order(seed, name, len(images))]
        found.append(Importance(name, loss(shuffled) - before, (top, bottom, left, right)))
    return sorted(found, key=lambda each: -each.gain)


def _order(seed: int, name: str, rows: int) -> NDArray[np.intp]:
    return keyed_generator(seed, "importance", name).permutation(rows)


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
    """Return importance as bars, or as a picture if inputs are images."""
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


MOST_ROWS_CHANGED: Final = 200
MOST_POINTS: Final = 25
MOST_NAMES: Final = 8
FEW_NUMBERS: Final = 8
"""Distinct numbers up to which each is a name."""
QUANTILES: Final = {"q05": 0.05, "q25": 0.25, "q75": 0.75, "q95": 0.95}


def dependence_curves(
    model: TrainedModel, raw: RawRows, x: Array, column_of: NDArray[np.intp], columns: Sequence[tuple[int, str]]
) -> str:
    """Return a chart for each of some columns: the mean prediction over its values, and how predictions vary.

    Of several outputs, the chart has the one whose mean changes most.

    Source: Friedman, Greedy Function Approximation: A Gradient Boosting Machine (2001), section 8.2.
    """
    chosen = evenly_spaced(len(x), MOST_ROWS_CHANGED)
    raw, x = rows_at(raw, chosen), x[chosen]
    figures = []
    for number, name in columns:
        values = raw[name] if isinstance(raw, Mapping) else raw.reshape(len(raw), -1)[:, number]
        places = _places(np.array([_number(value) for value in values])) or _places_of_names(list(map(_text, values)))
        inputs = column_of == number
        found = np.stack([outputs_of(model, np.where(inputs, x[row], x)) for row in places.values()])
        means = found.mean(axis=1)
        ranges = np.round(means.max(axis=0) - means.min(axis=0), 6)
        output = int(np.flatnonzero(ranges == ranges.max())[-1])  # of two classes, the second
        points = [
            {"value": value, "mean": short(mean)}
            | {key: short(np.quantile(each, share)) for key, share in QUANTILES.items()}
            for value, mean, each in zip(places, means[:, output], found[..., output], strict=True)
        ]
        of, named = names_of_outputs(model)[output], isinstance(next(iter(places)), str)
        titles = (name, f"prediction of {of}")
        chart = charts.bands(points, "value", titles=titles, middle="mean", zero=False, named=named)
        figures.append(charts.figure(f"Prediction of {of} by {name}", chart))
    return beside(*figures)


def _number(value: Any) -> float:
    """Return a value as a number; NaN for a missing one, and infinity for one that is no number."""
    try:
        return math.nan if value is None or value == "" else float(value)
    except (TypeError, ValueError):
        return math.inf


def _text(value: Any) -> str:
    return "missing" if math.isnan(_number(value)) else str(value)


def _places(numbers: NDArray[np.float64]) -> dict[float, int]:
    """Return numbers, about as many rows between each two, with a row of each; none if they are few, or no numbers."""
    if np.isinf(numbers).any() or len(np.unique(numbers)) <= FEW_NUMBERS:
        return {}
    rows = np.argsort(numbers, kind="stable")[: np.isfinite(numbers).sum()]
    return {float(numbers[row]): int(row) for row in rows[evenly_spaced(len(rows), MOST_POINTS)]}


def _places_of_names(texts: Sequence[str]) -> dict[str, int]:
    """Return the most common of some texts in their order, with a row of each; some of them if none is more common."""
    counts, distinct = Counter(texts), sorted(set(texts), key=lambda text: (_number(text), text))
    if len(counts) == len(texts):
        chosen = [distinct[i] for i in evenly_spaced(len(distinct), MOST_NAMES)]
    else:
        common = {text for text, _ in counts.most_common(MOST_NAMES)}
        chosen = [text for text in distinct if text in common]
    return {text: texts.index(text) for text in chosen}
