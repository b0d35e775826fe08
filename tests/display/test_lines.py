"""A training in a pipe."""

from __future__ import annotations

import json


def test_a_hundred_evaluations_are_some_thirty_lines_and_the_history_has_them_all(mlpkit, cwd):
    done = mlpkit("run", "tiny.yaml", "--set", "training.iterations=103", "--set", "training.evaluate_every=1")
    assert done.code == 0
    heading, *lines, best, test, folder = done.out.splitlines()
    history = [json.loads(line) for line in (cwd / "runs/tiny/history.jsonl").read_text().splitlines()]
    assert len(history) == 103
    assert heading.split()[0] == "iteration"
    iterations = [int(line.split()[0]) for line in lines]
    assert iterations == [*range(1, 11), *range(12, 21, 2), *range(25, 51, 5), *range(60, 101, 10), 103]
    least = min(history, key=lambda record: record["validation_loss"])
    assert best == f"best validation loss {least['validation_loss']:.4f}, at iteration {least['iteration']}"
    assert (test.split()[0], folder) == ("test", "saved in runs/tiny")


def test_one_evaluation_is_not_called_the_best(mlpkit):
    done = mlpkit("run", "tiny.yaml", "--set", "training.evaluate_every=4")
    assert len(done.out.splitlines()) == 4
    assert "best" not in done.out


def test_json_and_quiet_leave_nothing_out(mlpkit):
    options = ("--set", "training.iterations=50", "--set", "training.evaluate_every=1")
    events = [json.loads(line) for line in mlpkit("run", "tiny.yaml", *options, "--json").out.splitlines()]
    assert [event["event"] for event in events].count("evaluation") == 50
    assert mlpkit("run", "tiny.yaml", *options, "--quiet").out == ""
