"""Points in a plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpkit.pages.charts.axes import COLOURS, axis, diagonal_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlpkit.pages.charts.axes import Chart


def points(
    values: Sequence[Mapping[str, Any]],
    x: str,
    y: str,
    *,
    titles: tuple[str, str] = ("", ""),
    diagonal: bool = False,
    series: Sequence[str] = (),
) -> Chart:
    """Return points in a plane.

    Args:
        values: the points; what else they hold is shown at the pointer.
        x: the key of the place from left to right.
        y: the key of the place from below.
        titles: of the axes; by default the keys.
        diagonal: whether to draw the line of equal values.
        series: names that points have as ``series``, if there are several kinds, each to have its colour.
    """
    marks: Chart = {
        "mark": {"type": "circle", "tooltip": {"content": "data"}, "opacity": 0.6, "color": COLOURS[0]},
        "encoding": {"x": axis(x, titles[0], zero=False), "y": axis(y, titles[1], zero=False)},
    }
    if series:
        marks["mark"] |= {"size": 50, "opacity": 0.8}
        marks["encoding"]["color"] = {"field": "series", "type": "nominal", "scale": {"domain": list(series)}}
    if not diagonal or not values:
        return {"data": {"values": list(values)}, **marks}
    every = [float(value[key]) for value in values for key in (x, y)]
    line = diagonal_line(x, y, min(every), max(every), marks["encoding"])
    return {"data": {"values": list(values)}, "layer": [line, marks]}
