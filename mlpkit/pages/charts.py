"""Charts, drawn by Vega: a picture that needs no script, and the interactive chart that takes its place.

A chart is a mapping in the language of Vega-Lite (https://vega.github.io/vega-lite/docs/spec.html); the functions here
make the usual ones.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import cache
from html import escape
from math import isfinite
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from mlpkit.errors import UsageError
from mlpkit.pages.cache import cached_text
from mlpkit.pages.parts import folded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

Chart = dict[str, Any]

VERSION: Final = "6.1"
"""Of Vega-Lite."""
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
PICTURE_WIDTH: Final = 560
PIXELS_OF_REM: Final = 16
LAYOUT: Final[Mapping[str, Any]] = MappingProxyType(
    {"width": "container", "height": 240, "autosize": {"type": "fit-x", "contains": "padding"}}
)
LEGEND_WIDTH: Final = 40
"""Letters of a legend's line, so that it fits on a phone."""
FAINT: Final = "#8a8a90"
TEXT: Final = {"labelColor": "currentColor", "titleColor": "currentColor", "titleFontWeight": 400}
CONFIG: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "background": None,
        "font": "system-ui, sans-serif",
        "view": {"stroke": None},
        "axis": {
            **TEXT,
            "gridColor": FAINT,
            "gridOpacity": 0.25,
            "domainColor": FAINT,
            "tickColor": FAINT,
            "labelOverlap": True,
            "labelSeparation": 4,
        },
        "legend": {**TEXT, "orient": "top", "title": None},
        "title": {"color": "currentColor"},
        "header": TEXT,
        "text": {"color": "currentColor"},
        "range": {"category": list(COLOURS)},
    }
)


def figure(caption: str, chart: Chart, *numbers: str, widest: float | None = None) -> str:
    """Return a chart as a part of a page.

    Args:
        caption: what it shows.
        chart: the chart.
        numbers: what it shows as parts of a page, such as a table, for those who can't see it or want the figures.
        widest: the greatest width, in rem, the size of the text; by default the chart is as wide as the page.

    Raises:
        UsageError: what draws charts is not installed.
    """
    whole = specification(caption, chart)
    width = PICTURE_WIDTH if widest is None else min(PICTURE_WIDTH, PIXELS_OF_REM * widest)
    picture = _own_names(_vl_convert().vegalite_to_svg({**whole, "width": width}, vl_version=VERSION))
    text = json.dumps(whole, allow_nan=False, separators=(",", ":")).replace("</", "<\\/")
    below = folded("Numbers", *numbers) if numbers else ""
    limit = "" if widest is None else f' style="max-width: {widest:g}rem"'
    return (
        f'<figure><figcaption>{escape(caption)}</figcaption><div class="chart"{limit}>'
        f'<script type="application/json">{text}</script>'
        f'<div role="img" aria-label="{escape(caption)}">{picture}</div></div>{below}</figure>'
    )


def specification(caption: str, chart: Chart) -> Chart:
    """Return a chart with all that Vega-Lite needs to draw it as the others, as plain data for JSON.

    Args:
        caption: what it shows.
        chart: the chart.
    """
    whole: Chart = _finite({**LAYOUT, "config": CONFIG, **chart, "description": caption})
    return whole


def _own_names(picture: str) -> str:
    """Return a picture whose parts are named as in no other picture of a page."""
    own = hashlib.sha256(picture.encode()).hexdigest()[:8]
    return re.sub(r'(\bid="|url\(#)', rf"\g<1>p{own}-", picture)


def _finite(value: Any) -> Any:
    """Return what JSON can hold: a number that isn't finite is a gap."""
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value


@cache
def chart_library() -> str:
    """Return the JavaScript that draws charts.

    Raises:
        UsageError: it is not installed.
    """
    vl_convert = _vl_convert()

    def bundle() -> str:
        library: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VERSION)
        return library.replace("</script", "<\\/script")

    return cached_text(f"vega-{vl_convert.__version__}-{VERSION}.js", bundle)


def expect_chart_library() -> None:
    """Make sure that what draws charts is installed.

    Raises:
        UsageError: it is not.
    """
    _vl_convert()


def _vl_convert() -> ModuleType:
    try:
        import vl_convert  # noqa: PLC0415 - an extra
    except ImportError as error:
        msg = 'charts on a page need vl-convert; install it with: pip install "mlpkit[plot]"'
        raise UsageError(msg) from error
    return vl_convert


def curves(
    points: Sequence[Mapping[str, Any]],
    x: str,
    y: str,
    *,
    titles: tuple[str, str] = ("", ""),
    domain: tuple[float, float] | None = None,
    logarithmic: bool = False,
    logarithmic_x: bool = False,
    zero: bool = True,
    marked: Mapping[str, Any] | None = None,
    diagonal: bool = False,
    thin: Sequence[Mapping[str, Any]] = (),
    names: Sequence[str] = (),
) -> Chart:
    """Return curves over a common axis, with the values at the place under the pointer.

    Args:
        points: each with ``x``, ``y`` and ``series``, the name of its curve.
        x: the key of what the curves are drawn over.
        y: the key of the values.
        titles: of the axes; by default the keys.
        domain: the ends of the axis of the values; by default what the values need.
        logarithmic: whether the axis of the values is logarithmic.
        logarithmic_x: whether the axis that they are drawn over is.
        zero: whether the axis of the values begins at zero, if it is not logarithmic.
        marked: a point that is marked, such as the best one.
        diagonal: whether to draw the line of equal values from 0 to 1.
        thin: the points of thin lines in the colours of the curves, each with ``line``, the name of its line, too.
        names: of the curves in all charts that belong together, so that a curve has the same colour in each of them.
    """
    below = _axis(x, titles[0], logarithmic=logarithmic_x)
    beside = _axis(y, titles[1], logarithmic=logarithmic, zero=None if zero else False)
    if domain:
        beside["scale"]["domain"] = domain
    series = list(dict.fromkeys(point["series"] for point in points))
    place = {"x": below, "y": beside}
    coloured = {**place, "color": _colour_by_series(series, names)}
    layers = [
        *([_diagonal(x, y, 0.0, 1.0, place)] if diagonal else []),
        *([_thin_lines(thin, coloured)] if thin else []),
        _lines(coloured, with_points=len(points) <= 40 * len(series)),
        _pointed_values(x, y, series, below),
        *(_mark(marked, below, beside) if marked else []),
    ]
    return {"data": {"values": list(points)}, "layer": layers}


def _colour_by_series(series: Sequence[str], names: Sequence[str]) -> Chart:
    """Return a colour for each curve, and a legend with the curves that there are."""
    columns = max(1, LEGEND_WIDTH // (4 + max(map(len, names or series), default=0)))
    return {
        "field": "series",
        "type": "nominal",
        "scale": {"domain": list(names or series)},
        "legend": {"columns": columns, "values": series},
    }


def _lines(encoding: Chart, *, with_points: bool) -> Chart:
    """Return a line for each curve; the others are faint once one is chosen in the legend."""
    faint = {"condition": {"param": "chosen", "value": 1}, "value": 0.12}
    return {
        "mark": {"type": "line", "point": with_points, "strokeWidth": 1.75},
        "params": [{"name": "chosen", "select": {"type": "point", "fields": ["series"]}, "bind": "legend"}],
        "encoding": {**encoding, "opacity": faint},
    }


def _thin_lines(points: Sequence[Mapping[str, Any]], encoding: Chart) -> Chart:
    return {
        "data": {"values": list(points)},
        "mark": {"type": "line", "clip": True, "strokeWidth": 0.75},
        "encoding": {**encoding, "detail": {"field": "line"}, "strokeOpacity": {"value": 0.4}},
    }


def _pointed_values(x: str, y: str, series: Sequence[str], below: Chart) -> Chart:
    """Return a vertical line at the place under the pointer, with the value of each curve there."""
    nearest = {"type": "point", "on": "pointerover", "nearest": True, "fields": [x], "clear": "pointerout"}
    values = [{"field": field(name), "title": name, "type": "quantitative", "format": ".4~g"} for name in series]
    return {
        "transform": [{"pivot": "series", "value": field(y), "groupby": [x]}],
        "mark": {"type": "rule", "color": FAINT},
        "params": [{"name": "pointed", "select": nearest}],
        "encoding": {
            "x": below,
            "opacity": {"condition": {"param": "pointed", "empty": False, "value": 0.8}, "value": 0},
            "tooltip": [{"field": x, "type": "quantitative"}, *values],
        },
    }


def field(name: str) -> str:
    """Return how a chart calls a column, in whose name dots and brackets would lead to parts of its value."""
    return re.sub(r"([.\[\]\\'\"])", r"\\\1", name)


def _mark(point: Mapping[str, Any], below: Chart, beside: Chart) -> list[Chart]:
    """Return what marks a point: a dotted line down to the axis, and a ring."""
    dotted = {"type": "rule", "color": "currentColor", "strokeDash": [2, 3], "opacity": 0.7}
    ring = {"type": "point", "color": "currentColor", "size": 90, "strokeWidth": 1.5}
    data = {"values": [dict(point)]}
    return [
        {"data": data, "mark": dotted, "encoding": {"x": below}},
        {"data": data, "mark": ring, "encoding": {"x": below, "y": beside}},
    ]


def _diagonal(x: str, y: str, least: float, greatest: float, encoding: Mapping[str, Any]) -> Chart:
    """Return the line of equal values."""
    return {
        "data": {"values": [{x: end, y: end} for end in (least, greatest)]},
        "mark": {"type": "line", "color": FAINT, "strokeDash": [4, 4]},
        "encoding": encoding,
    }


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
            "x": _axis(value, titles[1]),
        },
    }


def bands(points: Sequence[Mapping[str, Any]], x: str, *, titles: tuple[str, str]) -> Chart:
    """Return how a distribution changes: its median as a curve within the middle half, within nine tenths.

    Args:
        points: each with ``x`` and the quantiles ``q05``, ``q25``, ``q50``, ``q75`` and ``q95``.
        x: the key of what it is drawn over.
        titles: of the axes.
    """
    below = _axis(x, titles[0])

    def band(low: str, high: str, opacity: float) -> Chart:
        mark = {"type": "area", "opacity": opacity, "color": COLOURS[0]}
        return {"mark": mark, "encoding": {"x": below, "y": _axis(low, titles[1]), "y2": {"field": high}}}

    shown = [{"field": key, "type": "quantitative", "format": ".3~g"} for key in ("q05", "q25", "q50", "q75", "q95")]
    middle = {
        "mark": {"type": "line", "color": COLOURS[0], "point": len(points) <= 40},
        "encoding": {
            "x": below,
            "y": _axis("q50", titles[1]),
            "tooltip": [{"field": x, "type": "quantitative"}, *shown],
        },
    }
    return {"data": {"values": list(points)}, "layer": [band("q05", "q95", 0.2), band("q25", "q75", 0.35), middle]}


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
            "y": _axis("count", titles[1]),
        },
    }


def points(
    values: Sequence[Mapping[str, Any]], x: str, y: str, *, titles: tuple[str, str] = ("", ""), diagonal: bool = False
) -> Chart:
    """Return points in a plane.

    Args:
        values: the points; what else they hold is shown at the pointer.
        x: the key of the place from left to right.
        y: the key of the place from below.
        titles: of the axes; by default the keys.
        diagonal: whether to draw the line of equal values.
    """
    marks: Chart = {
        "mark": {"type": "circle", "tooltip": {"content": "data"}, "opacity": 0.6, "color": COLOURS[0]},
        "encoding": {"x": _axis(x, titles[0], zero=False), "y": _axis(y, titles[1], zero=False)},
    }
    if not diagonal or not values:
        return {"data": {"values": list(values)}, **marks}
    every = [float(value[key]) for value in values for key in (x, y)]
    line = _diagonal(x, y, min(every), max(every), marks["encoding"])
    return {"data": {"values": list(values)}, "layer": [line, marks]}


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


def histograms(
    counts: Mapping[str, Sequence[int]],
    edges: Sequence[float],
    *,
    titles: tuple[str, str] = ("", "count"),
    most: int | None = None,
) -> Chart:
    """Return histograms beside each other, of the same bins and in one scale.

    Args:
        counts: the counts of each, by its name.
        edges: the edges of the bins, one edge more than counts.
        titles: of the values and the counts.
        most: the count at which bars are cut; by default, none is.
    """
    low, high = edges[0], edges[-1]

    def place(i: int, value: float) -> float:
        return i + 0.1 + 0.8 * (value - low) / (high - low)

    bars = [
        {"name": name, "from": left, "to": right, "count": count, "left": place(i, left), "right": place(i, right)}
        for i, (name, each) in enumerate(counts.items())
        for count, left, right in zip(each, edges[:-1], edges[1:], strict=True)
        if count
    ]
    axis = {
        "values": [place(i, end) for i in range(len(counts)) for end in (low, high)],
        "labelExpr": f"datum.value - floor(datum.value) < 0.5 ? format({low}, '~g') : format({high}, '~g')",
        "labelOverlap": False,
        "grid": False,
    }
    scale = {"domain": [0, len(counts)], "nice": False}
    across = {"type": "quantitative", "scale": scale, "axis": axis, "title": titles[0] or None}
    upwards = {
        **_axis("count", titles[1]),
        "axis": {"tickCount": 3},
        "scale": {"domain": [0, most]} if most else {},
    }
    names = {
        "data": {"values": [{"name": name, "middle": i + 0.5} for i, name in enumerate(counts)]},
        "mark": {"type": "text", "y": -8},
        "encoding": {"x": {"field": "middle", **across}, "text": {"field": "name", "type": "nominal"}},
    }
    return {"height": 110, "layer": [_bars_of_histograms(bars, across, upwards), names]}


def _bars_of_histograms(bars: Sequence[Mapping[str, Any]], across: Chart, upwards: Chart) -> Chart:
    shown = [{"field": key, "type": "quantitative", "format": ".3~g"} for key in ("from", "to", "count")]
    return {
        "data": {"values": list(bars)},
        "mark": {"type": "rect", "color": COLOURS[0], "clip": True, "aria": False},
        "encoding": {
            "x": {"field": "left", **across},
            "x2": {"field": "right"},
            "y": upwards,
            "y2": {"datum": 0},
            "tooltip": [{"field": "name", "type": "nominal"}, *shown],
        },
    }


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
    place = {"x": _axis(x, titles[0], zero=False), "y": _axis(y, titles[1], zero=False)}
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


def _axis(key: str, title: str, *, logarithmic: bool = False, zero: bool | None = None) -> dict[str, Any]:
    scale = {"type": "log", "nice": False} if logarithmic else {} if zero is None else {"zero": zero}
    return {
        "field": field(key),
        "type": "quantitative",
        "title": title or key,
        "scale": scale,
        "axis": {"tickCount": 6},
    }
