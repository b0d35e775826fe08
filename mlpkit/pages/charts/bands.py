"""How a distribution changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpkit.pages.charts.axes import COLOURS, axis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlpkit.pages.charts.axes import Chart


def bands(points: Sequence[Mapping[str, Any]], x: str, *, titles: tuple[str, str]) -> Chart:
    """Return how a distribution changes: its median as a curve within the middle half, within nine tenths.

    Args:
        points: each with ``x`` and the quantiles ``q05``, ``q25``, ``q50``, ``q75`` and ``q95``.
        x: the key of what it is drawn over.
        titles: of the axes.
    """
    below = axis(x, titles[0])

    def band(low: str, high: str, opacity: float) -> Chart:
        mark = {"type": "area", "opacity": opacity, "color": COLOURS[0]}
        return {"mark": mark, "encoding": {"x": below, "y": axis(low, titles[1]), "y2": {"field": high}}}

    shown = [{"field": key, "type": "quantitative", "format": ".3~g"} for key in ("q05", "q25", "q50", "q75", "q95")]
    middle = {
        "mark": {"type": "line", "color": COLOURS[0], "point": len(points) <= 40},
        "encoding": {
            "x": below,
            "y": axis("q50", titles[1]),
            "tooltip": [{"field": x, "type": "quantitative"}, *shown],
        },
    }
    return {"data": {"values": list(points)}, "layer": [band("q05", "q95", 0.2), band("q25", "q75", 0.35), middle]}
