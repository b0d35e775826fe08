"""Paths in a plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpkit.pages.charts.axes import FAINT, axis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlpkit.pages.charts.axes import Chart


def paths(
    points: Sequence[Mapping[str, Any]],
    x: str,
    y: str,
    *,
    lines: Sequence[Mapping[str, Any]] = (),
    titles: tuple[str, str] = ("", ""),
) -> Chart:
    """Return paths in a plane, each from point to point in the order given, over faint lines such as contours.

    Args:
        points: each with ``x``, ``y`` and ``series``, the name of its path; the rest is shown at the pointer.
        x: the key of the place from left to right.
        y: the key of the place from below.
        lines: the points of the faint lines in the same form, no names shown.
        titles: of the axes; by default the keys.
    """
    names = list(dict.fromkeys(point["series"] for point in points))
    place = {"x": axis(x, titles[0], zero=False), "y": axis(y, titles[1], zero=False)}
    order = {"field": "order", "type": "quantitative"}
    colour: Chart = {"field": "series", "type": "nominal", "scale": {"domain": names}}
    if len(names) == 1:
        colour["legend"] = None

    def ordered(values: Sequence[Mapping[str, Any]]) -> Chart:
        return {"values": [{**value, "order": i} for i, value in enumerate(values)]}

    below = {
        "data": ordered(lines),
        "mark": {"type": "line", "color": FAINT, "strokeWidth": 0.75, "opacity": 0.7, "clip": True},
        "encoding": {**place, "order": order, "detail": {"field": "series", "type": "nominal"}},
    }
    above = {
        "data": ordered(points),
        "mark": {
            "type": "line",
            "strokeWidth": 1.5,
            "point": {"size": 28},
            "clip": True,
            "tooltip": {"content": "data"},
        },
        "encoding": {**place, "order": order, "color": colour},
    }
    return {"layer": [below, above] if lines else [above]}
