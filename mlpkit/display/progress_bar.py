"""How far a training has come: a bar, and the figures below it."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.text import Text

from mlpkit.display.display import Throughput
from mlpkit.record_keys import is_result
from mlpkit.terminal.figures import duration, figure
from mlpkit.terminal.live_area import bar
from mlpkit.training.evaluation import Record

NARROWEST_BAR = 10
WIDEST_BAR = 40


class ProgressBar:
    """How far a run has come; what doesn't fit is left out.

    Args:
        total: steps that the whole training takes, if that is known; without it, no bar is drawn.
        pace: how fast it goes.
        step: steps done.
        name: the text before the bar, if several runs have one line each; a single run has a line of figures below
            the bar instead.

    Attributes:
        loss: the loss of the last step; None before the first.
        record: the last evaluation.
    """

    def __init__(self, total: int | None, pace: Throughput, step: int = 0, name: str = "") -> None:
        self.total = total
        self.pace = pace
        self.step = step
        self.name = name
        self.loss: float | None = None
        self.record: Record = {}

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw one line with the name; or a blank line, the bar, and the figures."""
        width = options.max_width - (len(self.name) + 1 if self.name else 0)
        beside = fitting(self._beside_the_bar(), width if self.total is None else width - NARROWEST_BAR - 1)
        yield Segment(f"{self.name} ") if self.name else Text()
        if self.total is not None and width > (NARROWEST_BAR if self.name else 1):
            length = min(WIDEST_BAR, width - len(beside) - 1)
            yield from bar(console, options, self.step, self.total, length)
            yield Segment(" ")
        yield Text(beside, no_wrap=True)
        if not self.name:
            yield Text(fitting(self._figures(), width), "dim", no_wrap=True)

    def _beside_the_bar(self) -> Iterator[str]:
        yield f"{self.step:,} steps" if self.total is None else f"{self.step:,} of {self.total:,}"
        if self.name and self.loss is not None:
            yield f"loss {figure(self.loss)}"
        left = self.pace.seconds_left(self.step)
        if left != float("inf"):
            yield f"{duration(left)} left"

    def _figures(self) -> Iterator[str]:
        yield f"loss {figure(nan if self.loss is None else self.loss)}"
        metric = next((key for key in self.record if is_result(key) and not key.endswith("_loss")), None)
        if metric is not None:
            yield f"{metric.replace('_', ' ')} {figure(self.record[metric])}"
        yield f"{self.pace.steps_per_second(self.step):,.0f} steps/s"


def fitting(parts: Iterator[str], width: int) -> str:
    """Return the first parts, as many as fit."""
    text = ""
    for part in parts:
        longer = f"{text}   {part}" if text else part
        if len(longer) > width:
            break
        text = longer
    return text
