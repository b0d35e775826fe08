"""Whole screens of a training, as golden files: no, one, two and five metrics on narrow and wide terminals."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PLAY = (sys.executable, str(HERE / "play_training.py"))


@pytest.mark.parametrize("columns", [50, 80, 120])
@pytest.mark.parametrize("metrics", [0, 1, 2, 5])
def test_the_screen_after_sixty_evaluations(metrics, columns, terminal, golden):
    screen = terminal(metrics, 60, command=PLAY, columns=columns, rows=50)
    assert screen.wait_for_end() == 0, screen.raw
    (HERE / "screens").mkdir(exist_ok=True)
    golden(HERE / "screens" / f"{metrics}_metrics_at_{columns}.txt", "".join(f"{line}\n" for line in screen.lines()))


WAITING = """
import time
from play_training import record_of
from mlpkit.display.screen import Screen
with Screen("made up", "runs/made up") as screen:
    screen.started(0, 1000)
    time.sleep(0.2)
    screen.evaluated(0, record_of(1, ()), 0.0)
    time.sleep(60)
"""


def test_a_row_is_there_before_a_long_step_has_ended(terminal):
    screen = terminal("-c", WAITING, command=(sys.executable,), env={"PYTHONPATH": str(HERE)})
    screen.wait_for("0.9200")
    screen.child.sendintr()
