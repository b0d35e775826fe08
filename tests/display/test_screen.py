"""A training run on a terminal."""

from __future__ import annotations

import json
import re
import shlex

import numpy as np
import pytest

CURSOR_HIDDEN, CURSOR_SHOWN = "\x1b[?25l", "\x1b[?25h"


def _cursor_is_back(raw):
    return raw.rfind(CURSOR_SHOWN) > raw.rfind(CURSOR_HIDDEN) >= 0


def test_a_finished_run_leaves_a_table_and_the_outcome(terminal, cwd):
    screen = terminal("run", "tiny.yaml")
    assert screen.wait_for_end() == 0
    title, blank, groups, titles, first, second, gap, best, test, folder, command = screen.lines()
    assert title == "tiny  runs/tiny"
    assert blank == gap == ""
    assert groups.split() == ["loss", "accuracy"]
    assert titles.split() == ["iteration", "epoch", "train", "validation", "train", "validation"]
    assert [line.split()[0] for line in (first, second)] == ["2", "4"]
    assert [line.endswith(" *") for line in (first, second)].count(True) == 1
    marked = first if first.endswith(" *") else second
    assert best == f"* best validation loss {marked.split()[3]}, at iteration {marked.split()[0]}"
    assert re.fullmatch(r"test loss \d\.\d{4}, accuracy \d\.\d{4}", test)
    assert re.fullmatch(r"saved in runs/tiny, after \d+ s", folder)
    assert command == "next: mlpkit predict runs/tiny FILE"
    assert _cursor_is_back(screen.raw)


def test_a_symptom_stands_above_the_table(terminal):
    dead = ("--set", "layers.Affine1.weights={normal: {std: 0.01, mean: -5.0}}")
    screen = terminal("run", "tiny.yaml", *dead)
    assert screen.wait_for_end() == 0
    lines = screen.lines()
    assert lines[0].startswith("tiny")
    assert lines[1].startswith("note: dead units in Relu1: 100 % of its 5 units pass no gradient on, ")


def test_the_next_command_works(terminal, cwd):
    terminal("run", "tiny.yaml", "--out", "my runs/tiny").wait_for_end()
    screen = terminal("run", "tiny.yaml", "--out", "my runs/other")
    assert screen.wait_for_end() == 0
    command = screen.lines()[-1].removeprefix("next: mlpkit ")
    np.save(cwd / "x.npy", np.zeros((1, 16), np.uint8))
    predicted = terminal(*shlex.split(command.replace("FILE", "x.npy")))
    assert predicted.wait_for_end() == 0, predicted.lines()


def test_a_narrow_terminal_shows_what_fits(terminal):
    screen = terminal("run", "tiny.yaml", columns=40)
    assert screen.wait_for_end() == 0
    assert screen.lines()[3] == "iteration    train      val      val"
    assert len(screen.lines()) == 12  # the line about the best is wrapped


def test_what_is_compared_decides_which_row_is_the_best(terminal, cwd):
    overrides = ("--set", "training.best_weights=accuracy", "--set", "training.iterations=40")
    screen = terminal("run", "tiny.yaml", *overrides, rows=60)
    assert screen.wait_for_end() == 0
    history = [json.loads(line) for line in (cwd / "runs/tiny/history.jsonl").read_text().splitlines()]
    best = max(history, key=lambda record: record["validation_accuracy"])
    (marked,) = [line for line in screen.lines() if line.endswith(" *")]
    assert marked.split()[0] == str(best["iteration"])


def test_a_resumed_run_knows_a_best_evaluation_of_before(terminal, cwd, mlpkit):
    options = (
        "--set",
        "training.optimizer.sgd.learning_rate=50",
        "--set",
        "training.iterations=40",
        "--set",
        "training.checkpoint={every: 30}",
    )
    assert mlpkit("run", "tiny.yaml", "--out", "run", *options).code == 0
    for left in ("metrics.json", "model.safetensors"):
        (cwd / "run" / left).unlink()
    history = [json.loads(line) for line in (cwd / "run/history.jsonl").read_text().splitlines()]
    best = min(history, key=lambda record: record["validation_loss"])
    assert best["iteration"] < 30
    screen = terminal("resume", "run", rows=60)
    assert screen.wait_for_end() == 0
    assert f"at iteration {best['iteration']}" in "\n".join(screen.lines())
    assert " *" not in "\n".join(screen.lines())


def test_a_bar_moves_below_the_table_and_control_c_takes_it_away(terminal, forever, cwd):
    screen = terminal("run", "tiny.yaml", *forever)
    screen.wait_for("steps/s")
    screen.wait_for("train accuracy")
    screen.wait_for("steps/s")
    bar, figures = screen.lines()[-2:]
    assert re.search(r"[━╸╺]{30,40} [\d,]+ of 1,000,000,000   \d+ \w+", bar)
    assert re.fullmatch(r"loss \d\.\d{4}   train accuracy \d\.\d{4}   [\d,]+ steps/s", figures)
    screen.child.sendintr()
    assert screen.wait_for_end() == 130
    assert re.search(r"stopped after step \d+ by SIGINT; saved in runs/tiny$", screen.lines()[-2])
    assert screen.lines()[-1] == "resume it with: mlpkit resume runs/tiny"
    assert not re.search("[━╸╺]", "".join(screen.lines()))
    assert _cursor_is_back(screen.raw)
    assert (cwd / "runs/tiny/model.safetensors").is_file()


def test_the_table_goes_on_when_the_terminal_changes_its_size(terminal, forever):
    screen = terminal("run", "tiny.yaml", *forever)
    screen.wait_for("validation\x1b")
    screen.wait_for("train accuracy")
    screen.resize(40, 24)
    screen.wait_for("val      val")
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


def test_the_command_line_says_when_to_use_colours(terminal):
    never = terminal("run", "tiny.yaml", "--color", "never")
    assert never.wait_for_end() == 0
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", never.raw)
    always = terminal("run", "tiny.yaml", "--out", "again", "--color", "always", env={"NO_COLOR": "1"})
    assert always.wait_for_end() == 0
    assert re.search(r"\x1b\[[0-9;]*3[0-9]", always.raw)


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
