"""Drawing charts by Vega: a picture that needs no script, and the interactive chart that takes its place."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import cache
from html import escape
from math import isfinite
from types import MappingProxyType
from typing import Any, Final

from mlpkit.pages.cache import cached_text
from mlpkit.pages.charts import engine
from mlpkit.pages.charts.engine import VERSION
from mlpkit.pages.charts.planes import COLOURS, FAINT, Chart
from mlpkit.pages.parts import folded

PICTURE_WIDTH: Final = 560
PIXELS_OF_REM: Final = 16
LAYOUT: Final[Mapping[str, Any]] = MappingProxyType(
    {"width": "container", "height": 240, "autosize": {"type": "fit-x", "contains": "padding"}}
)
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
METHODS: Final = frozenset(
    (
        *("__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__", "__proto__", "constructor"),
        *("hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf"),
    )
)
"""What every object of JavaScript has by ECMAScript, and so do those in which Vega looks names up."""
INVISIBLE: Final = "\N{ZERO WIDTH SPACE}"
IN_TITLES: Final = str.maketrans({"\\": "\N{SET MINUS}", **dict.fromkeys("\n\r\u2028\u2029", " ")})
"""Vega-Lite writes titles into its expressions, and escapes neither backslashes nor line breaks there."""


def figure(caption: str, chart: Chart, *numbers: str, widest: float | None = None) -> str:
    """Return a chart as a part of a page, with its numbers folded below; ``widest`` is its greatest width in rem."""
    whole = specification(caption, chart)
    width = PICTURE_WIDTH if widest is None else min(PICTURE_WIDTH, PIXELS_OF_REM * widest)
    picture = _own_names(engine.ask("vegalite_to_svg", vl_spec={**whole, "width": width}, vl_version=VERSION))
    text = json.dumps(whole, allow_nan=False, separators=(",", ":")).replace("</", "<\\/")
    below = folded("Numbers", *numbers) if numbers else ""
    limit = "" if widest is None else f' style="max-width: {widest:g}rem"'
    return (
        f'<figure><figcaption>{escape(caption)}</figcaption><div class="chart"{limit}>'
        f'<script type="application/json">{text}</script>'
        f'<div role="img" aria-label="{escape(caption)}">{picture}</div></div>{below}</figure>'
    )


def specification(caption: str, chart: Chart) -> Chart:
    """Return a complete Vega-Lite chart in the common style, as plain data for JSON."""
    whole: Chart = _plain({**LAYOUT, "config": CONFIG, **chart, "description": caption})
    return whole


def _own_names(picture: str) -> str:
    """Return a picture whose parts are named as in no other picture of a page."""
    own = hashlib.sha256(picture.encode()).hexdigest()[:8]
    return re.sub(r'(\bid="|url\(#)', rf"\g<1>p{own}-", picture)


def _plain(value: Any) -> Any:
    """Return what JSON can hold and Vega draws: non-finite numbers become gaps, and names aren't methods."""
    if isinstance(value, Mapping):
        return {_plain(key): _title(each) if key == "title" else _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, str):
        return f"{INVISIBLE}{value}" if value in METHODS else value
    return None if isinstance(value, float) and not isfinite(value) else value


def _title(value: Any) -> Any:
    return _plain(value.translate(IN_TITLES) if isinstance(value, str) else value)


@cache
def chart_library() -> str:
    """Return the JavaScript that draws charts."""
    from importlib.metadata import version  # noqa: PLC0415 - slow to load, and needed once for each page

    engine.require_chart_library()

    def bundle() -> str:
        library = engine.ask("javascript_bundle", snippet="window.vegaEmbed = vegaEmbed;", vl_version=VERSION)
        return library.replace("</script", "<\\/script")

    return cached_text(f"vega-{version('vl-convert-python')}-{VERSION}.js", bundle)
