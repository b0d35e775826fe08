"""The plot of growing costs: a panel of seconds and one of megabytes for each thing that grows."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from matplotlib.axes import Axes

COLUMNS: Final = 4
WIDTH, HEIGHT = 11.0, 9.5  # inches
LEAST_SECONDS, LEAST_MEGABYTES = 1e-3, 10.0
TITLES: Final = {
    "rows": "rows",
    "csv_rows": "rows of a CSV file",
    "features": "features",
    "width": "width (weights grow as its square)",
    "depth": "hidden layers, each with a Relu",
    "classes": "classes",
    "evaluations": "evaluations",
    "plugins": "installed plugins",
}
SECONDS: Final = {
    "check": ("check", "#8250df"),
    "start, first step included": ("start of a run", "#1b4f9c"),
    "all steps and evaluations": ("steps and evaluations", "#d95f02"),
    "end: all splits, model, files": ("model and files at the end", "#1b9e77"),
    "checkpoint": ("checkpoint", "#b8a000"),
    "report": ("report", "#c0392b"),
}
MEGABYTES: Final = {
    "memory of check, MB": ("check", "#8250df"),
    "memory of a run, MB": ("run", "#1b4f9c"),
    "memory of a report, MB": ("report", "#c0392b"),
}


def draw(axes: Mapping[str, Mapping[int, Mapping[str, float]]], path: Path) -> None:
    """Draw the costs at each point of each axis into an SVG file, both logarithmic."""
    plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "growth", "font.size": 8, "font.family": "sans-serif"})
    rows = -(-len(axes) // COLUMNS)
    figure, panels = plt.subplots(
        2 * rows,
        COLUMNS,
        figsize=(WIDTH, HEIGHT * rows / 2),
        squeeze=False,
        layout="constrained",
        height_ratios=[3, 2] * rows,
    )
    for place, (axis, found) in enumerate(axes.items()):
        above, column = 2 * (place // COLUMNS), place % COLUMNS
        _draw_panel(panels[above][column], found, SECONDS, LEAST_SECONDS)
        _draw_panel(panels[above + 1][column], found, MEGABYTES, LEAST_MEGABYTES)
        panels[above][column].set_title(TITLES[axis], fontsize=9)
        panels[above][column].set_ylim(LEAST_SECONDS, 100)
        panels[above + 1][column].set_ylim(LEAST_MEGABYTES, 10_000)
        if column == 0:
            panels[above][column].set_ylabel("seconds of the processor")
            panels[above + 1][column].set_ylabel("most memory, MB")
    for place in range(len(axes), rows * COLUMNS):
        for i in (0, 1):
            panels[2 * (place // COLUMNS) + i][place % COLUMNS].set_axis_off()
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, ncols=len(SECONDS), loc="outside upper center", frameon=False, fontsize=9)
    drawing = StringIO()
    figure.savefig(drawing, format="svg", metadata={"Date": None})
    plt.close(figure)
    path.write_text(_small(drawing.getvalue()), encoding="utf-8")


def _small(drawing: str) -> str:
    """Return an SVG with a title, coordinates of one decimal, and nothing about who made it."""
    drawing = re.sub(r"<!DOCTYPE[^>]*>\n|<!--.*?-->|^ *<metadata>.*?</metadata>\n", "", drawing, flags=re.M | re.S)
    drawing = re.sub(r"(\.\d)\d+", r"\1", drawing)
    drawing = re.sub(r"\n\s*", "\n", drawing)
    return re.sub(r"(<svg [^>]*>)", r"\1\n<title>How cost grows</title>", drawing, count=1)


def _draw_panel(
    panel: Axes, found: Mapping[int, Mapping[str, float]], lines: Mapping[str, tuple[str, str]], least: float
) -> None:
    """Draw costs of one kind; those below the least are drawn at the edge."""
    style: dict[str, Any] = {"marker": "o", "markersize": 3, "linewidth": 1.2, "clip_on": False}
    for cost, (label, colour) in lines.items():
        panel.plot([*found], [max(least, costs[cost]) for costs in found.values()], label=label, color=colour, **style)
    panel.set_xscale("symlog" if 0 in found else "log", **({"linthresh": 10, "linscale": 0.5} if 0 in found else {}))
    panel.set_yscale("log")
    panel.minorticks_off()
    panel.grid(linewidth=0.3)
    panel.set_axisbelow(True)
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)
