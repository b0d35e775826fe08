"""What charts have in common: what they are, their colours, and their axes."""

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
