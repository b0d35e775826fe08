"""How numbers are distributed: as bands over time, and as histograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlpkit.pages.charts.planes import COLOURS, Chart, axis, layer, nominal, quantitative


def bands(
    points: Sequence[Mapping[str, Any]],
    x: str,
    *,
    titles: tuple[str, str],
    middle: str = "q50",
    zero: bool | None = None,
    named: bool = False,
) -> Chart:
    """Return how a distribution changes with a value: its middle, within the middle half, within nine tenths.

    Each point has ``x``, the middle, by default the median, and the quantiles ``q05``, ``q25``, ``q75`` and ``q95``. If
    the values are ``named``, they are texts; ``zero`` is as for ``axis``, for both axes.
    """
    names = nominal(x, sort=None, title=titles[0], axis={"labelAngle": 0, "labelLimit": 90})
    below = names if named else axis(x, titles[0], zero=zero)
    keys = ("q05", "q25", middle, "q75", "q95")
    shown = [nominal(x) if named else quantitative(x), *(quantitative(key, format=".3~g") for key in keys)]
    upwards = {key: axis(key, titles[1], zero=zero) for key in keys}
    band: Chart = {"type": "bar", "size": 24} if named else {"type": "area"}
    dot: Chart = {"type": "point", "filled": True, "size": 60, "opacity": 1}
    curve: Chart = dot if named else {"type": "line", "point": len(points) <= 40}
    return {
        "data": {"values": list(points)},
        "layer": [
            *(
                {
                    "mark": {**band, "opacity": opacity, "color": COLOURS[0]},
                    "encoding": {"x": below, "y": upwards[low], "y2": {"field": high}, "tooltip": shown},
                }
                for low, high, opacity in (("q05", "q95", 0.2), ("q25", "q75", 0.35))
            ),
            {"mark": {**curve, "color": COLOURS[0]}, "encoding": {"x": below, "y": upwards[middle], "tooltip": shown}},
        ],
    }


def histogram(counts: Sequence[int], edges: Sequence[float], *, titles: tuple[str, str] = ("", "count")) -> Chart:
    """Return a histogram from counts and the edges of their bins, one edge more."""
    bins = [
        {"from": low, "to": high, "count": count}
        for count, low, high in zip(counts, edges[:-1], edges[1:], strict=True)
    ]
    ends = {"x": quantitative("from", bin="binned", title=titles[0]), "x2": {"field": "to"}}
    return layer(bins, "bar", {**ends, "y": axis("count", titles[1])}, tooltip=True, color=COLOURS[0])


def histograms(counts: Mapping[str, Sequence[int]], edges: Sequence[float], *, most: int | None = None) -> Chart:
    """Return histograms side by side, of the same bins and in one scale, with bars cut at the count ``most``."""
    low, high = edges[0], edges[-1]

    def place(i: int, value: float) -> float:
        return i + 0.1 + 0.8 * (value - low) / (high - low)

    bars = [
        {"name": name, "from": left, "to": right, "count": count, "left": place(i, left), "right": place(i, right)}
        for i, (name, each) in enumerate(counts.items())
        for count, left, right in zip(each, edges[:-1], edges[1:], strict=True)
        if count
    ]
    ends = {
        "values": [place(i, end) for i in range(len(counts)) for end in (low, high)],
        "labelExpr": f"datum.value - floor(datum.value) < 0.5 ? format({low}, '~g') : format({high}, '~g')",
        "labelOverlap": False,
        "grid": False,
    }
    scale = {"domain": [0, len(counts)], "nice": False}
    across = {"type": "quantitative", "scale": scale, "axis": ends, "title": None}
    upwards = axis("count", "") | {"axis": {"tickCount": 3}, "scale": {"domain": [0, most]} if most else {}}
    middles = [{"name": name, "middle": i + 0.5} for i, name in enumerate(counts)]
    names = layer(middles, "text", {"x": {"field": "middle", **across}, "text": nominal("name")}, y=-8)
    shown = [nominal("name"), *(quantitative(key, format=".3~g") for key in ("from", "to", "count"))]
    sides = {"x": {"field": "left", **across}, "x2": {"field": "right"}, "y": upwards, "y2": {"datum": 0}}
    drawn = layer(bars, "rect", {**sides, "tooltip": shown}, color=COLOURS[0], clip=True, aria=False)
    return {"height": 110, "layer": [drawn, names]}
