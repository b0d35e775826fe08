"""The lines that move while a network trains."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from mlpkit.display.display import Throughput
from mlpkit.display.screen import ProgressBar


def _drawn(width, *, step=3120, record=None):
    now = [0.0]
    bar = ProgressBar(10_000, Throughput(10_000, clock=lambda: now[0]))
    now[0] = 2.0
    bar.step, bar.loss = step, 0.23114
    bar.record = record or {}
    console = Console(file=io.StringIO(), width=width, color_system="standard", force_terminal=True, no_color=False)
    console.print(bar)
    text = re.sub(r"\x1b\[[0-9;]*m", "", console.file.getvalue())
    return [line.rstrip() for line in text.splitlines()]


def test_the_bar_stands_above_the_figures():
    record = {"train_loss": 0.5, "validation_loss": 0.6, "train_accuracy": 0.93}
    blank, bar, figures = _drawn(80, record=record)
    assert blank == ""
    assert bar == "━" * 12 + "╺" + "━" * 27 + " 3,120 of 10,000   4 s left"
    assert figures == "loss 0.2311   train accuracy 0.9300   1,560 steps/s"


def test_before_the_first_step_nothing_is_promised():
    assert _drawn(80, step=0)[1].endswith("0 of 10,000")
    console = Console(file=io.StringIO(), width=80, color_system=None)
    console.print(ProgressBar(10_000, Throughput(10_000, clock=lambda: 0.0)))
    assert console.file.getvalue().splitlines()[2].rstrip() == "loss nan   0 steps/s"


@pytest.mark.parametrize(
    ("width", "bar", "figures"),
    [
        (40, "3,120 of 10,000   4 s left", "loss 0.2311   1,560 steps/s"),
        (30, "3,120 of 10,000", "loss 0.2311   1,560 steps/s"),
        (20, "", "loss 0.2311"),
        (5, "", ""),
    ],
)
def test_a_narrow_terminal_shows_less(width, bar, figures):
    _, first, second = _drawn(width)
    assert all(len(line) <= width for line in (first, second))
    assert first.lstrip("━╸╺ ") == bar
    assert second == figures


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (80, "seed  1 " + "━" * 40 + " 4 of 8   loss 0.2500"),
        (40, "seed  1 " + "━" * 11 + " 4 of 8   loss 0.2500"),
        (39, "seed  1 " + "━" * 10 + " 4 of 8   loss 0.2500"),
        (38, "seed  1 " + "━" * 23 + " 4 of 8"),
        (25, "seed  1 " + "━" * 10 + " 4 of 8"),
        (24, "seed  1 " + "━" * 15),
        (18, "seed  1 "),
    ],
)
def test_one_of_several_runs_has_a_line_with_its_name_and_loss(width, expected):
    bar = ProgressBar(8, Throughput(None), 4, "seed  1")
    bar.loss = 0.25
    console = Console(file=io.StringIO(), width=width, color_system="standard", force_terminal=True, no_color=False)
    console.print(bar)
    text = re.sub(r"\x1b\[[0-9;]*m", "", console.file.getvalue())
    assert re.sub("[╸╺]", "━", text).rstrip() == expected.rstrip()


def test_without_a_known_end_there_is_no_bar():
    bar = ProgressBar(None, Throughput(None))
    bar.step, bar.loss = 3120, 0.23114
    console = Console(file=io.StringIO(), width=80, color_system=None)
    console.print(bar)
    blank, steps, figures = [line.rstrip() for line in console.file.getvalue().splitlines()]
    assert (blank, steps) == ("", "3,120 steps")
    assert figures.startswith("loss 0.2311   ")


def test_without_unicode_and_colours_the_bar_is_drawn_in_ascii():
    bar = ProgressBar(4, Throughput(4))
    bar.step = 1
    console = Console(file=io.TextIOWrapper(io.BytesIO(), encoding="latin-1"), width=80, color_system=None)
    console.print(bar)
    console.file.flush()
    assert b"----------                               1 of 4" in console.file.buffer.getvalue()
