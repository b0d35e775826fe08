"""Plots of comparisons: step times by shape, and how our step grows."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import matplotlib as mpl

mpl.use("Agg")

from contestants.roster import LIMIT, OURS, PEERS
from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from comparison import Comparison
    from matplotlib.axes import Axes

COLOURS = {
    "mlpkit": "#1b4f9c",
    "limit": "#9a9a9a",
    "pytorch": "#d95f02",
    "pytorch_compiled": "#f2a65a",
    "jax": "#1b9e77",
    "keras": "#c0392b",
    "scikit_learn": "#b8a000",
}
AXES = {
    "width": "units of each hidden layer",
    "depth": "hidden layers",
    "batch_size": "examples of a minibatch",
    "examples": "training examples",
}


def draw_plots(comparisons: Sequence[Comparison], folder: Path) -> Iterator[Path]:
    """Draw all plots, and yield the path of each file.

    Args:
        comparisons: the results.
        folder: where the PNG files go; made if missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for optimizer in ("sgd", "adam"):
        steps = [comparison for comparison in comparisons if comparison.workload == f"{optimizer}_step"]
        if steps:
            yield step_plot(steps, optimizer, folder / f"{optimizer}_step.png")
    curves = [comparison for comparison in comparisons if comparison.workload == "scaling"]
    if curves:
        yield scaling_plot(curves, folder / "scaling.png")


def step_plot(steps: Sequence[Comparison], optimizer: str, path: Path) -> Path:
    """Draw a group of bars for each shape, a bar for each contestant, whiskers from lowest to highest."""
    titles = {entry.name: entry.title for entry in (LIMIT, OURS, *PEERS)}
    names = [name for name in titles if any(comparison.figure(name) for comparison in steps)]
    width = 0.84 / len(names)
    figure, axes = plt.subplots(figsize=(1.5 + max(6, 2 * len(steps)), 5), layout="constrained")
    for i, name in enumerate(names):
        found = [(place, comparison.figure(name)) for place, comparison in enumerate(steps)]
        bars = [(place, measured) for place, measured in found if measured is not None]
        medians = [1000 * measured.median for _, measured in bars]
        below = [median - 1000 * min(measured.runs) for median, (_, measured) in zip(medians, bars, strict=True)]
        above = [1000 * max(measured.runs) - median for median, (_, measured) in zip(medians, bars, strict=True)]
        axes.bar(
            [place + (i - (len(names) - 1) / 2) * width for place, _ in bars],
            medians,
            width,
            yerr=(below, above),
            error_kw={"elinewidth": 0.8, "ecolor": "#333333"},
            label=titles[name],
            color=COLOURS[name],
        )
    labels = [f"H = {c.about['hidden']}\nB = {c.about['batch_size']}" for c in steps]
    axes.set_xticks(range(len(steps)), labels)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(mpl.ticker.LogLocator(base=10, subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.minorticks_off()
    axes.set_xlabel("units of each hidden layer, H, and examples of a minibatch, B")
    axes.set_ylabel("time of a step (ms, logarithmic)")
    axes.set_title(f"Training step of 784-H-H-10 with {'plain SGD' if optimizer == 'sgd' else 'Adam'}")
    axes.grid(axis="y", linewidth=0.3)
    axes.set_axisbelow(True)
    axes.legend(ncols=2, fontsize="small")
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def scaling_plot(curves: Sequence[Comparison], path: Path) -> Path:
    """Draw our step time and the limit against each thing that grows."""
    grouped = [(key, list(group)) for key, group in groupby(curves, key=lambda c: str(c.about["against"]))]
    figure, panels = plt.subplots(1, len(grouped), figsize=(4 * len(grouped), 4), squeeze=False, layout="constrained")
    for axes, (against, points) in zip(panels[0], grouped, strict=True):
        draw_curves(axes, against, points)
    panels[0][0].set_ylabel("time of a step (ms)")
    panels[0][0].legend(fontsize="small")
    figure.suptitle("Training step with plain SGD; unless it grows: 2 hidden layers of 128, minibatches of 256")
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def draw_curves(axes: Axes, against: str, points: Sequence[Comparison]) -> None:
    """Draw our curve and the limit's into one panel."""
    for entry in (OURS, LIMIT):
        found = [(point.about["value"], point.figure(entry.name)) for point in points]
        there = [(value, 1000 * measured.median) for value, measured in found if measured is not None]
        axes.plot(*zip(*there, strict=True), marker="o", color=COLOURS[entry.name], label=entry.title)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks([point.about["value"] for point in points], [f"{point.about['value']:,}" for point in points])
    axes.tick_params(axis="x", labelrotation=45)
    axes.minorticks_off()
    lowest, highest = axes.get_ylim()
    axes.set_ylim(min(lowest, highest / 20), highest * 1.5)
    axes.yaxis.set_major_locator(mpl.ticker.LogLocator(base=10, subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel(AXES[against])
    axes.grid(linewidth=0.3)
