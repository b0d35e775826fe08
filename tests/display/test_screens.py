"""Whole screens of a training, as golden files: no, one, two and five metrics on narrow and wide terminals."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from drawn_screen import DrawnScreen

from mlpkit.components.schedule import Progress
from mlpkit.display.screen import Screen
from mlpkit.training.checkpointing import BestTracker
from mlpkit.training.health import Symptom

HERE = Path(__file__).parent
PLAY = runpy.run_path(str(HERE / "play_training.py"))


@pytest.mark.parametrize("columns", [50, 80, 120])
@pytest.mark.parametrize("metrics", [0, 1, 2, 5])
def test_the_screen_after_sixty_evaluations(metrics, columns, monkeypatch, golden):
    screen = DrawnScreen(monkeypatch, columns)
    PLAY["play"](PLAY["METRICS"][:metrics], 60, 0.0)
    (HERE / "screens").mkdir(exist_ok=True)
    golden(HERE / "screens" / f"{metrics}_metrics_at_{columns}.txt", "".join(f"{line}\n" for line in screen.lines()))


def record_of(evaluation, metrics=()):
    return PLAY["record_of"](evaluation, metrics)


@pytest.fixture
def ticks(monkeypatch):
    """The time that screens see, in a list."""
    now = [100.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    return now


def test_a_row_is_there_before_a_long_step_has_ended(monkeypatch, ticks):
    drawn = DrawnScreen(monkeypatch)
    with Screen("made up", "runs/made up") as screen:
        screen.started(0, 1000)
        screen.evaluated(0, record_of(1), 0.0)  # so soon that it is drawn with the next step
        assert "0.9200" not in "\n".join(drawn.lines())
        ticks[0] += 0.2
        screen.evaluated(0, record_of(2), 0.0)
        assert [line.split() for line in drawn.lines()[-5:-3]] == [
            ["100", "1.00", "0.9200", "1.1420"],
            ["200", "2.00", "0.8465", "1.0858"],
        ]


def test_as_many_rows_are_drawn_as_the_terminal_has_room_for(monkeypatch):
    """Title, blank line, two headings, rows, blank line, bar, figures and the cursor."""
    drawn = DrawnScreen(monkeypatch, rows=14)
    with Screen("made up", "runs/made up") as screen:
        screen.monitored(0, BestTracker("loss"))
        screen.started(0, 6000)
        for evaluation in range(1, 61):
            screen.evaluated(0, record_of(evaluation), 0.0)
        screen.stepped(0, Progress(6000, 60.0, 6000), 0.25)
        lines = drawn.lines()
        assert len(lines) < 14
        assert [line.split()[0] for line in lines[4:9]] == ["100", "2000", "3400", "4000", "6000"]
        assert [line.endswith(" *") for line in lines[4:9]] == [False, False, True, False, False]
        assert lines[-1].split("   ")[0] == "loss 0.2500"


def test_a_terminal_without_room_for_rows_has_the_bar_alone(monkeypatch):
    drawn = DrawnScreen(monkeypatch, rows=8)
    with Screen("made up", "runs/made up") as screen:
        screen.started(0, 1000)
        screen.evaluated(0, record_of(1), 0.0)
        screen.stepped(0, Progress(100, 1.0, 1000), 0.25)
        assert [line[:4] for line in drawn.lines()] == ["made", "", "━━━━", "loss"]


def test_a_resumed_training_shows_from_where_and_the_steps_of_before_took_no_time(monkeypatch):
    drawn = DrawnScreen(monkeypatch)
    with Screen("made up", "runs/made up") as screen:
        screen.resumed(0, 900_000)
        screen.started(0, 1_000_000)
        assert drawn.lines()[1] == "resuming after step 900,000"
        assert drawn.lines()[-2].endswith(" 900,000 of 1,000,000")
        screen.stepped(0, Progress(900_001, 9.0, 1_000_000), 0.25)
        assert " 900,001 of 1,000,000   " in drawn.lines()[-2]
        assert not drawn.lines()[-2].endswith(" 0 s left")


def test_what_is_noticed_is_above_the_bar_once(monkeypatch):
    drawn, found = DrawnScreen(monkeypatch), Symptom("dead_units", "Relu1", "all are dead", ("a lower rate",), 100)
    with Screen("made up", "runs/made up") as screen:
        screen.started(0, 1000)
        screen.diagnosed(0, found)
        screen.diagnosed(0, found)
        screen.noticed(0, "the disk is nearly full")
        screen.stepped(0, Progress(7, 0.1, 1000), 0.25)
        assert drawn.lines()[1:4] == [f"note: {found}", "warning: the disk is nearly full", ""]
        assert " 7 of 1,000" in drawn.lines()[4]
    assert drawn.getvalue().rfind("\x1b[?25h") > drawn.getvalue().rfind("\x1b[?25l")
