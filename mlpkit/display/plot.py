"""Curves of a training: loss and metrics, a panel each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from types import MappingProxyType
from typing import Any, Final

from mlpkit.errors import UsageError
from mlpkit.pages.evaluations import best_in_words, wants_logarithms
from mlpkit.pages.notebook_tables import position_of_best
from mlpkit.pages.results import with_unit
from mlpkit.runs.json_files import splits_by_name
from mlpkit.training.checkpointing import BestTracker
from mlpkit.training.evaluation import Record

try:
    import matplotlib as mpl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator
except ImportError as error:
    msg = 'run.plot() needs matplotlib; install it with: pip install "mlpkit[plot]"'
    raise UsageError(msg) from error

PANEL: Final = (4.8, 3.0)
"""Width and height of a panel, in inches."""
MOST_MARKERS: Final = 30
"""With more evaluations than this, curves have no markers."""
LABELS: Final = {"epoch": "epochs", "iteration": "iterations"}
"""What the curves may be drawn over, and the label of the axis."""


class Curves(Figure):
    """A figure that a notebook shows, whether it uses pyplot or not."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """Return a picture with two pixels for one, as displays have them, and the size to show it at."""
        content = BytesIO()
        self.savefig(content, format="png", dpi=200)
        width, height = self.get_size_inches()
        return content.getvalue(), {"width": round(width * 100), "height": round(height * 100)}


def curves(
    history: Sequence[Record], tracker: BestTracker, x: str = "epoch", units: Mapping[str, str] = MappingProxyType({})
) -> Curves:
    """Return a panel with the loss and one for each metric, the best evaluation marked."""
    if x not in LABELS:
        raise UsageError(f"curves can't be drawn over {x!r}; expected 'epoch' or 'iteration'")
    groups = splits_by_name(history[0]) if history else {"loss": []}
    columns = 1 if len(groups) == 1 else 2
    rows = -(-len(groups) // columns)
    figure = Curves(figsize=(PANEL[0] * columns, PANEL[1] * rows), layout="constrained")
    best = position_of_best(history, tracker)
    for i, (name, splits) in enumerate(groups.items()):
        axes = figure.add_subplot(rows, columns, i + 1)
        _draw(axes, history, name, splits, x)
        axes.set_ylabel(with_unit(name, units))
        if best is not None:
            _mark(axes, history[best], f"{splits[-1]}_{name}", x)
    if history:
        figure.axes[0].legend()
    figure.suptitle(_title(history, tracker, best, x), fontsize="medium")
    return figure


def _title(history: Sequence[Record], tracker: BestTracker, best: int | None, x: str) -> str:
    if not history:
        return "no evaluation yet"
    if best is None:
        return ""
    place = f"{history[best][x]:,.2f}".rstrip("0").rstrip(".")
    return best_in_words(tracker, history[best], f"at {x} {place}")


def _draw(axes: Axes, history: Sequence[Record], name: str, splits: Sequence[str], x: str) -> None:
    """Draw the curves of the loss, or of a metric."""
    marker = "." if len(history) <= MOST_MARKERS else ""
    every: list[float] = []
    for split in splits:
        values = [record[f"{split}_{name}"] for record in history]
        axes.plot([record[x] for record in history], values, marker=marker, label=split)
        every += values
    axes.set_xlabel(LABELS[x])
    axes.grid(alpha=0.3)
    if history:
        axes.set_xlim(left=0)
        axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=history[-1][x] >= 1))
    if wants_logarithms(name, every):
        axes.set_yscale("log")


def _mark(axes: Axes, record: Record, key: str, x: str) -> None:
    """Mark an evaluation by a line, and by a ring on the curve that decides."""
    colour: Any = mpl.rcParams["text.color"]
    axes.axvline(record[x], color=colour, linestyle=":", linewidth=1, zorder=1)
    axes.plot(
        record[x],
        record[key],
        marker="o",
        markersize=9,
        markerfacecolor="none",
        markeredgecolor=colour,
        linestyle="",
        label="best",
    )
