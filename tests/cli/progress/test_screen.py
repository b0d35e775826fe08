"""A training run on a terminal."""

from __future__ import annotations

import re

import pytest

CURSOR_HIDDEN, CURSOR_SHOWN = "\x1b[?25l", "\x1b[?25h"


def _cursor_is_back(raw):
    return raw.rfind(CURSOR_SHOWN) > raw.rfind(CURSOR_HIDDEN) >= 0


def test_a_finished_run_leaves_a_table_and_the_outcome(terminal, work):
    screen = terminal("run", "tiny.yaml")
    assert screen.wait_for_end() == 0
    title, blank, groups, titles, first, second, gap, test, folder = screen.lines()
    assert title == "tiny  runs/tiny"
    assert blank == gap == ""
    assert groups.split() == ["loss", "accuracy"]
    assert titles.split() == ["iteration", "epoch", "train", "validation", "train", "validation"]
    assert [line.split()[0] for line in (first, second)] == ["2", "4"]
    assert re.fullmatch(r"test loss \d\.\d{4}, accuracy \d\.\d{4}", test)
    assert folder == "kept in runs/tiny"
    assert _cursor_is_back(screen.raw)


def test_a_narrow_terminal_shows_what_fits(terminal):
    screen = terminal("run", "tiny.yaml", columns=40)
    assert screen.wait_for_end() == 0
    assert screen.lines()[3] == "iteration    train validation validation"
    assert len(screen.lines()) == 9


def test_a_bar_moves_below_the_table_and_control_c_takes_it_away(terminal, forever, work):
    screen = terminal("run", "tiny.yaml", *forever)
    screen.wait_for("steps/s")
    screen.wait_for("train accuracy")
    screen.wait_for("steps/s")
    bar, figures = screen.lines()[-2:]
    assert re.search(r"[━╸╺]{30,40} [\d,]+ of 1,000,000,000   \d+ \w+", bar)
    assert re.fullmatch(r"loss \d\.\d{4}   train accuracy \d\.\d{4}   [\d,]+ steps/s", figures)
    screen.child.sendintr()
    assert screen.wait_for_end() == 130
    assert re.search(r"stopped after step \d+ by SIGINT; kept in runs/tiny$", screen.lines()[-2])
    assert screen.lines()[-1] == "resume it with: mlpkit resume runs/tiny"
    assert not re.search("[━╸╺]", "".join(screen.lines()))
    assert _cursor_is_back(screen.raw)
    assert (work / "runs/tiny/model.safetensors").is_file()


def test_the_table_goes_on_when_the_terminal_changes_its_size(terminal, forever):
    screen = terminal("run", "tiny.yaml", *forever)
    screen.wait_for("validation\x1b")
    screen.wait_for("train accuracy")
    screen.resize(40, 24)
    screen.wait_for("validation validation")
    screen.resize(100, 10)
    screen.wait_for("epoch")
    screen.wait_for("steps/s")
    screen.child.sendintr()
    assert screen.wait_for_end() == 130
    assert "Traceback" not in screen.raw


@pytest.mark.parametrize("columns", [80, 40, 9, 1])
def test_the_smallest_terminal_breaks_nothing(columns, terminal):
    screen = terminal("run", "tiny.yaml", columns=columns, rows=2)
    assert screen.wait_for_end() == 0
    assert "Traceback" not in screen.raw


def test_a_second_control_c_leaves_the_cursor_behind(terminal):
    layers = "layers=[acme.Slow: {seconds: 60}, Affine: {units: 10}, SoftmaxWithLoss]"
    screen = terminal("run", "tiny.yaml", "--plugin", "acme.py", "--set", layers)
    screen.wait_for("forward")
    screen.child.sendintr()
    screen.wait_for(CURSOR_SHOWN)
    screen.child.sendintr()
    assert screen.wait_for_end() == -2
    assert "Traceback" not in screen.raw


def test_colours_can_be_unwanted(terminal):
    screen = terminal("run", "tiny.yaml", env={"NO_COLOR": "1"})
    assert screen.wait_for_end() == 0
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", screen.raw)


@pytest.mark.parametrize("term", ["dumb", None])
def test_a_terminal_without_abilities_gets_plain_lines(term, terminal, environment, monkeypatch):
    if term is None:
        monkeypatch.delitem(environment, "TERM")
    screen = terminal("run", "tiny.yaml", env={"TERM": term} if term else {})
    assert screen.wait_for_end() == 0
    assert "\x1b" not in screen.raw
    assert screen.raw.splitlines()[0].split()[:3] == ["iteration", "epoch", "train_loss"]


def test_a_run_in_a_pipe_loads_no_rich(mlpkit):
    done = mlpkit("run", "tiny.yaml", env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert done.code == 0
    assert "threadpoolctl" in done.err
    assert not re.search(r"\| +rich\b", done.err)
