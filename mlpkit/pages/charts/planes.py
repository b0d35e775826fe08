"""Bars, cells, points and paths in a plane; and the axes and colours that all charts have."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

Chart = dict[str, Any]

COLOURS: Final = (
    "#4a86d8",
    "#d9772b",
    "#3f9c6b",
    "#9a6fd0",
    "#d0544f",
    "#2f9da8",
    "#a3842f",
    "#c4629a",
    "#7a8794",
    "#7d9a2c",
)
"""Each at least three times as bright or as dark as a light page and as a dark one."""
FAINT: Final = "#8a8a90"


def axis(key: str, title: str, *, logarithmic: bool = False, zero: bool | None = None) -> Chart:
    """Return the axis of a quantity; ``zero`` is whether it starts there, by default as Vega-Lite thinks best."""
    scale = {"type": "log", "nice": False} if logarithmic else {} if zero is None else {"zero": zero}
    return quantitative(field(key), title=title or key, scale=scale, axis={"tickCount": 6})


def quantitative(key: str, **how: Any) -> Chart:
    """Return the encoding of a number."""
    return {"field": key, "type": "quantitative", **how}


def nominal(key: str, **how: Any) -> Chart:
    """Return the encoding of a name."""
    return {"field": key, "type": "nominal", **how}


def layer(values: Sequence[Mapping[str, Any]], mark: str, encoding: Mapping[str, Any], **looks: Any) -> Chart:
    """Return marks, one for each value, or a line through all."""
    return {"data": {"values": list(values)}, "mark": {"type": mark, **looks}, "encoding": encoding}


def field(name: str) -> str:
    """Return how a chart calls a column, in whose name dots and brackets would lead to parts of its value."""
    return re.sub(r"([.\[\]\\'\"])", r"\\\1", name)


def diagonal_line(x: str, y: str, least: float, greatest: float, encoding: Mapping[str, Any]) -> Chart:
    """Return the line of equal values of two keys, from the least to the greatest."""
    ends = [{x: end, y: end} for end in (least, greatest)]
    return layer(ends, "line", encoding, color=FAINT, strokeDash=[4, 4])


def bars(values: Sequence[Mapping[str, Any]], name: str, value: str, *, titles: tuple[str, str] = ("", "")) -> Chart:
    """Return horizontal bars, in the order given."""
    names = nominal(name, sort=None, title=titles[0] or None)
    encoding = {"y": names, "x": axis(value, titles[1])}
    return {"height": 20 * len(values), **layer(values, "bar", encoding, tooltip=True, color=COLOURS[0])}


def grouped_bars(names: Sequence[str], series: Mapping[str, Sequence[float]], value: str) -> Chart:
    """Return upright bars, a group for each name, in which each series has its colour."""
    bars = [{"name": name, "series": key, value: of[i]} for i, name in enumerate(names) for key, of in series.items()]
    within = {"field": "series", "type": "nominal", "sort": None}
    place = {"x": nominal("name", sort=None, title=None), "xOffset": within, "y": axis(value, value)}
    return layer(bars, "bar", {**place, "color": nominal("series", sort=None)}, tooltip=True) | {"height": 140}


def heatmap(cells: Sequence[Mapping[str, Any]], x: str, y: str, value: str, *, titles: tuple[str, str]) -> Chart:
    """Return a grid of cells, rows and columns in their order, each with its number."""
    place = {
        "x": nominal(x, sort=None, title=titles[0], axis={"labelAngle": 0, "orient": "top"}),
        "y": nominal(y, sort=None, title=titles[1]),
    }
    shade = quantitative(value, legend=None, scale={"range": ["#4a86d800", COLOURS[0]]})
    rows = len({cell[y] for cell in cells})
    return {
        "data": {"values": list(cells)},
        "height": (26 if rows > 2 else 40) * rows,
        "layer": [
            {"mark": {"type": "rect", "tooltip": True}, "encoding": {**place, "color": shade}},
            {"mark": {"type": "text"}, "encoding": {**place, "text": quantitative(value)}},
        ],
    }


def points(
    values: Sequence[Mapping[str, Any]],
    x: str,
    y: str,
    *,
    titles: tuple[str, str] = ("", ""),
    diagonal: bool = False,
    series: Sequence[str] = (),
) -> Chart:
    """Return points in a plane; what else they hold is shown at the pointer.

    With ``series``, each point has one of these names as ``series``, which decides its colour.
    """
    encoding = {"x": axis(x, titles[0], zero=False), "y": axis(y, titles[1], zero=False)}
    looks: Chart = {"tooltip": {"content": "data"}, "opacity": 0.6, "color": COLOURS[0]}
    if series:
        looks |= {"size": 50, "opacity": 0.8}
        encoding["color"] = nominal("series", scale={"domain": list(series)})
    marks = layer(values, "circle", encoding, **looks)
    if not diagonal or not values:
        return marks
    every = [float(value[key]) for value in values for key in (x, y)]
    line = diagonal_line(x, y, min(every), max(every), encoding)
    return {"data": marks.pop("data"), "layer": [line, marks]}


def paths(
    points: Sequence[Mapping[str, Any]],
    x: str,
    y: str,
    *,
    lines: Sequence[Mapping[str, Any]] = (),
) -> Chart:
    """Return paths in a plane, each from point to point in the order given, over faint lines such as contours.

    Points and lines have ``series``, the name of their path; the rest is shown at the pointer.
    """
    names = list(dict.fromkeys(point["series"] for point in points))
    place = {"x": axis(x, x, zero=False), "y": axis(y, y, zero=False), "order": quantitative("order")}
    colour = nominal("series", scale={"domain": names}, **({"legend": None} if len(names) == 1 else {}))

    def ordered(values: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [{**value, "order": i} for i, value in enumerate(values)]

    detail, faint = {**place, "detail": nominal("series")}, {"color": FAINT, "strokeWidth": 0.75, "opacity": 0.7}
    below = layer(ordered(lines), "line", detail, **faint, clip=True)
    looks = {"strokeWidth": 1.5, "point": {"size": 28}, "clip": True, "tooltip": {"content": "data"}}
    above = layer(ordered(points), "line", {**place, "color": colour}, **looks)
    return {"layer": [below, above] if lines else [above]}
