"""The lines that move while a network trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from mlpkit.cli.figures import duration, figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, RenderResult

    from mlpkit.cli.training.pace import Pace
    from mlpkit.training.history import Record

NARROWEST_BAR = 10
WIDEST_BAR = 40


class ProgressBar:
    """How far training has come, and below it the latest figures; what does not fit is left out.

    Args:
        total: steps that the whole training takes, if that is known; there is no bar otherwise.
        pace: how fast it goes.
        step: steps done.
    """

    def __init__(self, total: int | None, pace: Pace, step: int = 0) -> None:
        self.total = total
        self.pace = pace
        self.step = step
        self.loss = float("nan")
        self.record: Record = {}

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw a blank line, the bar, and the figures."""
        width = options.max_width
        yield Text()
        if self.total is None:
            yield Text(_fitting(iter([f"{self.step:,} steps"]), width), no_wrap=True)
        else:
            yield self._bar(self.total, width, ("#", "-") if options.ascii_only else ("━", "─"))
        yield Text(_fitting(self._figures(), width), "dim", no_wrap=True)

    def _bar(self, total: int, width: int, marks: tuple[str, str]) -> Text:
        beside = _fitting(self._beside_the_bar(total), width - NARROWEST_BAR - 1)
        bar = min(WIDEST_BAR, width - len(beside) - 1)
        done = bar * self.step // max(1, total)
        full, empty = marks
        return Text.assemble((full * done, "cyan"), (empty * (bar - done), "dim"), f" {beside}", no_wrap=True)

    def _beside_the_bar(self, total: int) -> Iterator[str]:
        yield f"{self.step:,} of {total:,}"
        left = self.pace.seconds_left(self.step)
        if left != float("inf"):
            yield f"{duration(left)} left"

    def _figures(self) -> Iterator[str]:
        yield f"loss {figure(self.loss)}"
        metric = next((key for key in self.record if key.startswith("train_") and key != "train_loss"), None)
        if metric is not None:
            yield f"{metric.replace('_', ' ')} {figure(self.record[metric])}"
        yield f"{self.pace.steps_per_second(self.step):,.0f} steps/s"


def _fitting(parts: Iterator[str], width: int) -> str:
    """Return the first parts, as many as fit."""
    text = ""
    for part in parts:
        longer = f"{text}   {part}" if text else part
        if len(longer) > width:
            break
        text = longer
    return text
