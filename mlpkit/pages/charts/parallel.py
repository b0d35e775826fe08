"""Parallel coordinates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mlpkit.pages.charts.planes import COLOURS, FAINT, Chart, layer, nominal, quantitative

BETWEEN_AXES: Final = 66
"""Pixels between neighbouring axes."""
NOT_SET: Final = 1.16
"""The place of a missing value on an axis; the greatest value is at 1."""
MARKED: Final = COLOURS[1]
SHADES: Final = (COLOURS[0], FAINT)
OPACITIES: Final = (1.0, 0.4)
"""The opacities of lines with shade 0 and shade 1."""


@dataclass(frozen=True)
class ParallelAxis:
    """An axis of parallel coordinates: its name, and places from 0 to 1, each with its label."""

    name: str
    ticks: Sequence[tuple[float, str]]


@dataclass(frozen=True)
class ParallelLine:
    """A line through parallel coordinates, with a place from 0 to 1 on each axis, or None for a missing value.

    The line may end before the last axis. Its shade is from 0, the strongest, to 1; None for a dotted line. The tooltip
    has the values ``shown``, by name; all lines have the same names.
    """

    name: str
    places: Sequence[float | None]
    shade: float | None
    shown: Mapping[str, str]


def parallel(axes: Sequence[ParallelAxis], lines: Sequence[ParallelLine], *, marked: str | None = None) -> Chart:
    """Return parallel coordinates: axes from the top, as wide as the page, and a line across them for each item.

    Later lines are drawn over earlier ones, and the ``marked`` one, in another colour, over all.
    """
    rows = [_row(axis, i, lines) for i, axis in enumerate(axes)]
    gaps = any(None in line.places for line in lines)
    place = {"x": _place("place", [0, NOT_SET if gaps else 1]), "y": _place("row", [len(axes) - 0.4, -0.45])}
    kinds = {
        "dotted": [line for line in lines if line.shade is None and line.name != marked],
        "shaded": [line for line in lines if line.shade is not None and line.name != marked],
        "marked": [line for line in lines if line.name == marked],
    }
    return {
        "height": BETWEEN_AXES * len(axes),
        "layer": [
            *_axis_lines(len(axes), [tick for row in rows for tick in row[1:]], place),
            *(_lines(kind, each, place) for kind, each in kinds.items() if each),
            *_texts([each for row in rows for each in row], place),
        ],
    }


def _row(axis: ParallelAxis, i: int, lines: Sequence[ParallelLine]) -> list[dict[str, Any]]:
    """Return the texts of an axis: its name, and its labels."""
    gap = any(i < len(line.places) and line.places[i] is None for line in lines)
    ticks = [*axis.ticks, *([(NOT_SET, "not set")] if gap else [])]
    name = {"place": 0.0, "row": i, "text": axis.name, "kind": "name"}
    return [name, *({"place": place, "row": i, "text": text, "kind": "label"} for place, text in ticks)]


def _place(key: str, domain: Sequence[float]) -> Chart:
    return quantitative(key, axis=None, scale={"domain": domain, "nice": False})


def _axis_lines(count: int, ticks: Sequence[Mapping[str, Any]], place: Chart) -> list[Chart]:
    """Return the axes themselves, with a mark at each label."""
    ends = [{"row": i, "place": 0, "end": 1} for i in range(count)]
    return [
        layer(ends, "rule", {**place, "x2": {"field": "end"}}, color=FAINT, aria=False),
        layer(ticks, "tick", place, orient="vertical", size=8, thickness=1, color=FAINT, aria=False),
    ]


def _lines(kind: str, lines: Sequence[ParallelLine], place: Chart) -> Chart:
    """Return lines of a kind; the one under the pointer is thick."""
    values = [
        {"line": line.name, "shade": line.shade, "row": i, "place": NOT_SET if at is None else at, **line.shown}
        for line in lines
        for i, at in enumerate(line.places)
    ]
    colours = {"dotted": FAINT, "marked": MARKED}
    colour = {"color": colours[kind]} if kind in colours else {}
    look = {"strokeDash": [2, 3], "opacity": 0.55} if kind == "dotted" else {}
    thin = 2.75 if kind == "marked" else 1.25
    return {
        "data": {"values": values},
        "mark": {"type": "line", "aria": False, "point": {"size": 20, "aria": False, **colour}, **look, **colour},
        "params": [{"name": f"pointed_{kind}", "select": _POINTED}],
        "encoding": {
            **place,
            "order": quantitative("row"),
            "detail": nominal("line"),
            "strokeWidth": {"condition": {"param": f"pointed_{kind}", "empty": False, "value": 4}, "value": thin},
            "tooltip": [nominal(key) for key in lines[0].shown],
            **({"color": _shade(SHADES), "opacity": _shade(OPACITIES)} if kind == "shaded" else {}),
        },
    }


def _shade(ends: Sequence[Any]) -> Chart:
    """Return an encoding that maps shades from 0 to 1 onto the range between two ends."""
    return quantitative("shade", legend=None, scale={"domain": [0, 1], "range": list(ends)})


_POINTED: Final = {"type": "point", "on": "pointerover", "fields": ["line"], "clear": "pointerout"}


def _texts(texts: Sequence[Mapping[str, Any]], place: Chart) -> list[Chart]:
    """Return names above the axes and labels below them, outlined in the page's colour to stand out from the lines."""
    looks: dict[str, Chart] = {
        "name": {"align": "left", "dy": -11, "fontWeight": 600},
        "label": {"align": "center", "dy": 13, "fontSize": 10},
    }
    rim = {"stroke": "var(--card)", "strokeWidth": 4, "strokeJoin": "round", "opacity": 0.85}
    encoding = {**place, "text": nominal("text")}
    return [
        layer([text for text in texts if text["kind"] == kind], "text", encoding, aria=False, **look, **more)
        for kind, look in looks.items()
        for more in (rim, {})
    ]
