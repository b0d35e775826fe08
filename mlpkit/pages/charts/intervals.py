"""Predicted intervals against true values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpkit.pages.charts.axes import COLOURS, axis, diagonal_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlpkit.pages.charts.axes import Chart


def intervals(
    values: Sequence[Mapping[str, Any]],
    x: str,
    y: str,
    ends: tuple[str, str],
    *,
    titles: tuple[str, str],
    names: tuple[str, str],
) -> Chart:
    """Return points on upright intervals, in another colour if these miss the line of equal values.

    Args:
        values: the points, at least one; what else they hold is shown at the pointer.
        x: the key of the place from left to right, which an interval should hold.
        y: the key of the place of the point from below.
        ends: the keys of the lower and the upper end.
        titles: of the axes.
        names: of the intervals that hold their x, and of the ones that miss it.
    """
    low, high = ends
    holds = [value[low] <= value[x] <= value[high] for value in values]
    named = [{**value, "interval": names[0 if held else 1]} for value, held in zip(values, holds, strict=True)]
    place = {"x": axis(x, titles[0], zero=False), "y": axis(y, titles[1], zero=False)}
    colour = {
        "field": "interval",
        "type": "nominal",
        "scale": {"domain": list(names), "range": list(COLOURS[:2])},
        "legend": {"symbolOpacity": 1, "symbolStrokeWidth": 0},
    }
    every = [float(value[key]) for value in values for key in (x, y)]
    upright = {
        "mark": {"type": "rule", "strokeWidth": 1, "opacity": 0.5},
        "encoding": {**place, "y": axis(low, titles[1], zero=False), "y2": {"field": high}, "color": colour},
    }
    points = {
        "mark": {"type": "circle", "tooltip": {"content": "data"}, "opacity": 0.8},
        "encoding": {**place, "color": colour},
    }
    line = diagonal_line(x, y, min(every), max(every), place)
    return {"data": {"values": named}, "layer": [line, upright, points]}
