"""Curves over a common axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from typing import Any, Final

from mlpkit.pages.charts.planes import FAINT, Chart, axis, diagonal_line, field, layer, nominal, quantitative

LEGEND_WIDTH: Final = 40
"""Letters of a legend's line, so that it fits on a phone."""
DASHES: Final = ([1, 0], [6, 4], [2, 3], [10, 3, 2, 3])
"""Of curves one after the other: lengths of dashes and gaps; the first is whole."""
LINES_IN_LEGEND: Final = {"symbolType": "stroke", "symbolSize": 400, "symbolStrokeWidth": 1.75}


def curves(
    points: Sequence[Mapping[str, Any]],
    x: str,
    y: str,
    *,
    titles: tuple[str, str] = ("", ""),
    domain: tuple[float, float] | None = None,
    logarithmic: bool = False,
    zero: bool = True,
    marked: Mapping[str, Any] | None = None,
    diagonal: bool = False,
    thin: Sequence[Mapping[str, Any]] = (),
    thin_opacity: float = 0.4,
    names: Sequence[str] = (),
    dashed: bool = False,
) -> Chart:
    """Return curves over a common axis, with the values at the place under the pointer.

    Args:
        points: each with the keys ``x`` and ``y``, and ``series``, the name of its curve.
        x: the key of what the curves are drawn over; ``y`` that of the values, by default the titles of the axes, too.
        domain: the ends of the axis of the values; by default what the values need.
        zero: whether the axis of the values starts at zero, if it is not logarithmic.
        marked: a point that is marked, such as the best one.
        diagonal: whether to draw the line of equal values from 0 to 1.
        thin: the points of thin lines in the colours of the curves, each with ``line``, the name of its line, too.
        names: of the curves in all charts that belong together, so that a curve has the same colour in each of them.
        dashed: whether each curve but the first has its own dash pattern, so that a covered curve remains visible.
    """
    below = axis(x, titles[0])
    beside = axis(y, titles[1], logarithmic=logarithmic, zero=None if zero else False)
    if domain:
        beside["scale"]["domain"] = domain
    series = list(dict.fromkeys(point["series"] for point in points))
    place = {"x": below, "y": beside}
    colour = _colour_by_series(series, names)
    if dashed:
        colour["legend"] |= LINES_IN_LEGEND
    coloured = {**place, "color": colour}
    thin_lines = {**coloured, "detail": {"field": "line"}, "strokeOpacity": {"value": thin_opacity}}
    few = len(points) <= 40 * len(series)
    dashes = {"domain": colour["scale"]["domain"], "range": [*islice(cycle(DASHES), len(colour["scale"]["domain"]))]}
    lines = {**coloured, "strokeDash": {**colour, "scale": dashes}} if dashed else coloured
    layers = [
        *([diagonal_line(x, y, 0.0, 1.0, place)] if diagonal else []),
        *([layer(thin, "line", thin_lines, clip=True, strokeWidth=0.75)] if thin else []),
        _lines(lines, with_points=few),
        _pointed_values(x, y, series, below),
        *(_mark(marked, below, beside) if marked else []),
    ]
    number = {name: str(i) for i, name in enumerate(series)}
    return {"data": {"values": [{**point, "curve": number[point["series"]]} for point in points]}, "layer": layers}


def _colour_by_series(series: Sequence[str], names: Sequence[str]) -> Chart:
    """Return a colour for each curve, and a legend with the curves present."""
    columns = max(1, LEGEND_WIDTH // (4 + max(map(len, names or series), default=0)))
    return nominal("series", scale={"domain": list(names or series)}, legend={"columns": columns, "values": series})


def _lines(encoding: Chart, *, with_points: bool) -> Chart:
    """Return a line for each curve; choosing one in the legend dims the rest."""
    faint = {"condition": {"param": "chosen", "value": 1}, "value": 0.12}
    return {
        "mark": {"type": "line", "point": with_points, "strokeWidth": 1.75},
        "params": [{"name": "chosen", "select": {"type": "point", "fields": ["series"]}, "bind": "legend"}],
        "encoding": {**encoding, "opacity": faint},
    }


def _pointed_values(x: str, y: str, series: Sequence[str], below: Chart) -> Chart:
    """Return a vertical line at the place under the pointer, with the value of each curve there."""
    nearest = {"type": "point", "on": "pointerover", "nearest": True, "fields": [x], "clear": "pointerout"}
    values = [quantitative(str(i), title=name, format=".4~g") for i, name in enumerate(series)]
    return {
        "transform": [{"pivot": "curve", "value": field(y), "groupby": [x]}],
        "mark": {"type": "rule", "color": FAINT},
        "params": [{"name": "pointed", "select": nearest}],
        "encoding": {
            "x": below,
            "opacity": {"condition": {"param": "pointed", "empty": False, "value": 0.8}, "value": 0},
            "tooltip": [quantitative(x), *values],
        },
    }


def _mark(point: Mapping[str, Any], below: Chart, beside: Chart) -> list[Chart]:
    """Return what marks a point: a dotted line down to the axis, and a ring."""
    return [
        layer([dict(point)], "rule", {"x": below}, color="currentColor", strokeDash=[2, 3], opacity=0.7),
        layer([dict(point)], "point", {"x": below, "y": beside}, color="currentColor", size=90, strokeWidth=1.5),
    ]
