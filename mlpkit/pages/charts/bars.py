"""Horizontal bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpkit.pages.charts.axes import COLOURS, axis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlpkit.pages.charts.axes import Chart


def bars(values: Sequence[Mapping[str, Any]], name: str, value: str, *, titles: tuple[str, str] = ("", "")) -> Chart:
    """Return horizontal bars, in the order given.

    Args:
        values: the bars.
        name: the key of what a bar is called.
        value: the key of its length.
        titles: of names and lengths; by default the keys.
    """
    return {
        "data": {"values": list(values)},
        "height": 20 * len(values),
        "mark": {"type": "bar", "tooltip": True, "color": COLOURS[0]},
        "encoding": {
            "y": {"field": name, "type": "nominal", "sort": None, "title": titles[0] or None},
            "x": axis(value, titles[1]),
        },
    }
