"""A histogram."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.pages.charts.axes import COLOURS, axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpkit.pages.charts.axes import Chart


def histogram(counts: Sequence[int], edges: Sequence[float], *, titles: tuple[str, str] = ("", "count")) -> Chart:
    """Return a histogram from counts and the edges of their bins, one edge more."""
    bins = [
        {"from": low, "to": high, "count": count}
        for count, low, high in zip(counts, edges[:-1], edges[1:], strict=True)
    ]
    return {
        "data": {"values": bins},
        "mark": {"type": "bar", "tooltip": True, "color": COLOURS[0]},
        "encoding": {
            "x": {"field": "from", "type": "quantitative", "bin": "binned", "title": titles[0]},
            "x2": {"field": "to"},
            "y": axis("count", titles[1]),
        },
    }
