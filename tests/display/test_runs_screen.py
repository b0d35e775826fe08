"""Whole screens of a training with several seeds, as golden files, and the bars meanwhile."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PLAY = (sys.executable, str(HERE / "play_seeds.py"))


@pytest.mark.parametrize("columns", [50, 80])
def test_the_screen_in_the_end(columns, terminal, golden):
    screen = terminal(command=PLAY, columns=columns, rows=40)
    assert screen.wait_for_end() == 0, screen.raw
    golden(HERE / "screens" / f"seeds_at_{columns}.txt", "".join(f"{line}\n" for line in screen.lines()))


@pytest.mark.parametrize("columns", [50, 80])
def test_each_run_that_trains_has_a_bar(columns, terminal):
    screen = terminal(60, command=PLAY, columns=columns, rows=24)
    screen.wait_until_shown("2 more")
    lines = screen.lines()
    assert lines[:4] == ["made up  runs/made up", "5 seeds, 2 at once", "", "seed  0 test loss 0.2500, accuracy 0.9500"]
    assert lines[4].startswith("seed  1 ━")
    assert "4,600 of 10,000   loss 0.2500" in lines[4]
    assert lines[5].startswith("seed  8 ")
    assert lines[5].endswith("0 of 10,000")
    assert lines[6] == "2 more"
    assert max(map(len, lines)) <= columns
