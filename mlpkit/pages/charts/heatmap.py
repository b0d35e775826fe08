"""A grid of cells with numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpkit.pages.charts.axes import COLOURS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlpkit.pages.charts.axes import Chart


def heatmap(cells: Sequence[Mapping[str, Any]], x: str, y: str, value: str, *, titles: tuple[str, str]) -> Chart:
    """Return a grid of cells, each with its number.

    Args:
        cells: the cells, rows and columns in their order.
        x: the key of the column.
        y: the key of the row.
        value: the key of the number.
        titles: of columns and rows.
    """
    place = {
        "x": {
            "field": x,
            "type": "nominal",
            "sort": None,
            "title": titles[0],
            "axis": {"labelAngle": 0, "orient": "top"},
        },
        "y": {"field": y, "type": "nominal", "sort": None, "title": titles[1]},
    }
    shade = {"field": value, "type": "quantitative", "legend": None, "scale": {"range": ["#4a86d800", COLOURS[0]]}}
    text = {"mark": {"type": "text"}, "encoding": {**place, "text": {"field": value, "type": "quantitative"}}}
    rows = len({cell[y] for cell in cells})
    return {
        "data": {"values": list(cells)},
        "height": (26 if rows > 2 else 40) * rows,
        "layer": [
            {"mark": {"type": "rect", "tooltip": True}, "encoding": {**place, "color": shade}},
            text,
        ],
    }
