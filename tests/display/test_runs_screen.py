"""Whole screens of a training with several seeds, as golden files, and the bars meanwhile."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from drawn_screen import DrawnScreen

from mlpkit.components.schedule import Progress
from mlpkit.display.display import RunNames
from mlpkit.display.screen import Screen
from mlpkit.training.events import TrainingEnd

HERE = Path(__file__).parent
PLAY = runpy.run_path(str(HERE / "play_seeds.py"))["play"]


@pytest.mark.parametrize("columns", [50, 80])
def test_the_screen_in_the_end(columns, monkeypatch, golden):
    screen = DrawnScreen(monkeypatch, columns)
    PLAY(0.0)
    golden(HERE / "screens" / f"seeds_at_{columns}.txt", "".join(f"{line}\n" for line in screen.lines()))


@pytest.mark.parametrize("columns", [50, 80])
def test_each_run_that_trains_has_a_bar(columns, monkeypatch):
    screen, lines = DrawnScreen(monkeypatch, columns), []
    monkeypatch.setattr("time.sleep", lambda _: lines.extend(screen.lines()))
    PLAY(60.0)
    assert lines[:4] == ["made up  runs/made up", "5 seeds, 2 at once", "", "seed  0 test loss 0.2500, accuracy 0.9500"]
    assert lines[4].startswith("seed  1 ━")
    assert "4,600 of 10,000   loss 0.2500" in lines[4]
    assert lines[5].startswith("seed  8 ")
    assert lines[5].endswith("0 of 10,000")
    assert lines[6:] == ["2 more"]
    assert max(map(len, lines)) <= columns


def test_a_run_that_was_over_before_does_not_wait(monkeypatch):
    drawn = DrawnScreen(monkeypatch)
    with Screen("made up", "runs/made up", RunNames("seed")) as screen:
        screen.began(0, {seed: Path(f"seed-{seed}") for seed in (0, 1, 2)}, 1)
        screen.over(1, TrainingEnd(100, metrics={"test": {"loss": 0.5}}))
        assert drawn.lines()[1:] == ["3 seeds, one after the other", "", "seed 1 test loss 0.5000", "2 more"]


def test_the_bars_of_several_runs_move_with_their_steps_ten_times_a_second(monkeypatch):
    drawn, now = DrawnScreen(monkeypatch), [100.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    with Screen("made up", "runs/made up", RunNames("seed")) as screen:
        screen.began(0, {seed: Path(f"seed-{seed}") for seed in (0, 1)}, 2)
        screen.started(0, 1000)
        screen.started(1, 1000)
        screen.stepped(0, Progress(100, 1.0, 1000), 0.25)
        assert [" 0 of 1,000" in line for line in drawn.lines()[3:]] == [True, True]
        now[0] += 0.11
        screen.stepped(1, Progress(300, 3.0, 1000), 0.5)
        first, second = drawn.lines()[3:]
        assert " 100 of 1,000   loss 0.2500" in first
        assert " 300 of 1,000   loss 0.5000" in second
