"""``mlpkit tune-rate``."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from mlpkit.verbs.tune_rate.command import _lines
from mlpkit.verbs.tune_rate.tune_rate import RateTest

CURVE = """\
  2.3750 |                                   *
         |
         |*   *
         |                               *
         |        *
         |
         |
         |            *              *
         |
  0.5000 |                *   *  *
    loss +----------------------------------------
                      ^
    rate  1e-04                              1e+01

above a learning rate of 0.01, the loss doesn't fall
any further; then it exploded
suggestion: --set training.optimizer.sgd.learning_rate=0.0033"""


def test_the_curve_and_the_suggestion(cwd, invoke):
    done = invoke("tune-rate", "tiny.yaml", "--steps", 60)
    assert (done.code, done.err) == (0, "")
    *curve, said, suggestion = done.out.splitlines()
    assert curve[10] == f"    loss +{'-' * 60}"
    assert all(line[:9].strip() == "" or re.match(r" *[\d.]+ \|", line) for line in curve[:10])
    assert sum(line.count("*") for line in curve[:10]) > 30
    assert curve[11].strip() == "^"
    assert curve[12].startswith("    rate  1e-06 ")
    assert re.fullmatch(r"above a learning rate of \S+, the loss doesn't fall any further(; then it exploded)?", said)
    assert re.fullmatch(r"suggestion: --set training\.optimizer\.sgd\.learning_rate=[\d.]+", suggestion)


def test_a_curve_as_it_is_drawn(monkeypatch):
    """From 1e-4 up, half a power of ten a step; the lowest loss is 0.5, and none is drawn above 2 + 1.5 / 4."""
    monkeypatch.setattr("mlpkit.verbs.tune_rate.command.line_length", lambda: 52)
    rates = tuple(10 ** (-4 + 0.5 * i) for i in range(11))
    losses = (2.0, 1.9, 1.5, 1.0, 0.6, 0.5, 0.55, 0.9, 1.7, 2.375, 2.5)
    found = RateTest(rates, losses, losses, True, 0.0033, 0.01, "training.optimizer.sgd.learning_rate")
    assert "\n".join(_lines(found)) == CURVE
    assert "exploded" not in "\n".join(_lines(replace(found, exploded=False)))


@pytest.mark.parametrize(("width", "drawn"), [(40, 28), (72, 60), (200, 60)])
def test_a_narrow_terminal_has_a_narrow_curve(cwd, invoke, monkeypatch, width, drawn):
    monkeypatch.setattr("mlpkit.verbs.tune_rate.command.line_length", lambda: width)
    lines = invoke("tune-rate", "tiny.yaml", "--steps", 40).out.splitlines()
    assert lines[10] == f"    loss +{'-' * drawn}"
    assert lines[12].endswith("1e+02")
    assert len(lines[12]) == 10 + drawn
    assert all(len(line) <= width for line in lines[:-1])


def test_the_suggestion_works_as_it_stands(cwd, invoke):
    override = json.loads(invoke("tune-rate", "tiny.yaml", "--steps", 60, "--json").out)["set"]
    done = invoke("explain", "tiny.yaml", "training.optimizer.sgd.learning_rate", "--set", override)
    assert done.code == 0
    assert override.partition("=")[2] in done.out


def test_json(cwd, invoke):
    done = invoke("tune-rate", "tiny.yaml", "--steps", 40, "--highest", 1, "--json")
    found = json.loads(done.out)
    assert (done.code, found["exploded"]) == (0, False)
    assert len(found["steps"]) == 40
    assert set(found["steps"][0]) == {"learning_rate", "loss", "smoothed"}
    assert found["set"] == f"training.optimizer.sgd.learning_rate={found['suggestion']:g}"


def test_overrides_are_taken(cwd, invoke):
    adam = "training.optimizer={adam: {learning_rate: {one_cycle: {peak: 0.1}}}}"
    done = invoke("tune-rate", "tiny.yaml", "--steps", 40, "--set", adam)
    assert "--set training.optimizer.adam.learning_rate.one_cycle.peak=" in done.out


def test_nothing_is_written(cwd, invoke):
    before = sorted(cwd.iterdir())
    assert invoke("tune-rate", "tiny.yaml", "--steps", 40).code == 0
    assert sorted(cwd.iterdir()) == before


def test_a_range_that_is_none_is_wrong_usage(cwd, invoke):
    done = invoke("tune-rate", "tiny.yaml", "--lowest", 1, "--highest", 0.1)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: there are no learning rates from 1 to 0.1; ")


FIXED = '''\
from mlpkit import Optimizer, component, hookimpl


class Fixed(Optimizer):
    """Takes steps of a fixed size.

    Source: none.
    """

    def update(self, value, gradient, slots, step):
        value -= 0.1 * gradient


@hookimpl
def mlpkit_components():
    return [component("optimizer", "fixed", Fixed)]
'''


def test_an_optimizer_without_a_learning_rate_is_an_error(cwd, invoke):
    (cwd / "own.py").write_text(FIXED)
    done = invoke("tune-rate", "tiny.yaml", "--plugin", "own.py", "--set", "training.optimizer=own.fixed")
    message = "error: optimizer own.fixed has no parameter learning_rate, so nothing can be suggested\n"
    assert (done.code, done.out, done.err) == (2, "", message)
