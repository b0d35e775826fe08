"""Right answers get all points, and five typical mistakes in each exercise lose some, for the right reason."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mlpkit.components.randomness import keyed_generator
from mlpkit.registry.registry import Registry
from mlpkit.verbs.homework import child
from mlpkit.verbs.homework.exercise import exercise_of
from mlpkit.verbs.homework.isolation import SubmissionError
from mlpkit.verbs.homework.kinds import TASKS
from mlpkit.verbs.homework.marking import _run

HERE = Path(__file__).parent
RIGHT = {path.stem: path.read_text("utf-8") for path in sorted((HERE / "right").iterdir())}

LOOP = """
        out = np.zeros_like(x)
        for place in np.ndindex(x.shape):
            out[place] = {}
        return out
"""

MISTAKES = {
    "relu": [
        ("dy * self.positive", "self.positive", "backward returns dx", r"dx\[\d, \d\] is (1|0), expected"),
        ("x > 0", "x >= 0", "extreme inputs", "expected 0, .*where x is 0.*at exactly 0"),
        ("return np.maximum(x, 0)", "x[x < 0] = 0\n        return x", "inputs stay unchanged", "changes its input x"),
        ("return np.maximum(x, 0)", "return np.abs(x)", "forward", r"y\[\d, \d\] is .* where x is -"),
        ("return np.maximum(x, 0)", LOOP.format("max(x[place], 0)"), "vectors", r"forward takes \d+ ms for 100,000"),
    ],
    "sigmoid": [
        ("np.where(x >= 0, 1, e) / (1 + e)", "np.exp(x) / (1 + np.exp(x))", "extreme", "is nan.*where x is 1000"),
        ("dy * self.y * (1 - self.y)", "self.y * (1 - self.y)", "backward returns dx", r"dx\[\d, \d\] is"),
        ("dy * self.y * (1 - self.y)", "dy * self.y * (self.y - 1)", "backward returns dx", "dx has the wrong sign"),
        ("dy * self.y * (1 - self.y)", "dy", "backward returns dx", "dx equals dy"),
        ("return self.y\n", "return self.y > 0.5\n", "forward", r"y\[\d, \d\] is [01], expected 0\.\d"),
    ],
    "affine": [
        ("self.x.T @ dy", "(self.x.T @ dy) / len(dy)", "gradients", r"dW is 0\.14.*: it is divided by the number of"),
        ("self.x.T @ dy", "(self.x.T @ dy).T", "gradients", r"shape \(4, 6\), expected \(6, 4\); it is trans"),
        ("dy.sum(axis=0)", "dy", "gradients", r"db has shape \(7, 4\), expected \(4,\)"),
        ("dy.sum(axis=0)", "dy.mean(axis=0)", "gradients", r"db is 0\.1429 times what is expected, everywhere"),
        ("dy @ self.W.T", "dy @ self.W", "backward returns dx", r"ValueError in line \d+: matmul"),
    ],
    "softmax_with_loss": [
        ("        return dx / len(dx)", "        return dx", "backward", r"dx is 7 times .*, the number of rows"),
        ("x = x - x.max(axis=1, keepdims=True)", "x = x + 0", "extreme inputs", "the loss is (nan|inf), .*largest"),
        ("np.mean(np", "np.sum(np", "forward", r"the loss is .*, expected"),
        ("dx[self.rows, self.t] -= 1", "pass", "backward", r"dx\[\d, \d\] is .*subtract 1 at the right class"),
        ("axis=1, keepdims=True)\n        self.p", "keepdims=True)\n        self.p", "forward", "the loss is"),
    ],
    "mean_squared_error": [
        ("2 * self.r", "self.r", "backward", "dx is 0.5 times what is expected, everywhere; .*factor 2"),
        ("/ self.r.size", "/ len(self.r)", "backward", "dx is 3 times what is expected"),
        ("x - t", "t - x", "backward", "dx has the wrong sign"),
        ("np.mean(self.r**2)", "np.mean(self.r)", "forward", "the loss is"),
        ("np.mean(self.r**2)", "(self.r**2).mean(axis=1)", "forward", r"the loss has shape \(7,\), expected \(\)"),
    ],
    "dropout": [
        (">= self.rate", "< self.rate", "right share", r"(69|70)\.\d% of the elements are zero, expected 30%"),
        (" / (1 - self.rate)", " / 1", "right share", "an element that is kept equals x"),
        ("rand(*x.shape)", "default_rng(0).random(x.shape)", "draws again", "two forwards drop the same elements"),
        ("return dy * self.m", "return dy", "elements that forward", r"dx equals dy"),
        ("            return x\n", "            return x * (1 - self.rate)\n", "outside", "y is 0.7 times .*return"),
    ],
    "batch_norm": [
        ("dy - dy.mean(axis=0) - along", "dy", "backward returns dx", r"dx\[\d, \d\] is .*two means are subtracted"),
        (" * n / (n - 1)", "", "outside training", r"y\[\d, \d\] is .*divided by n - 1"),
        ("(dy * self.normalized).sum(axis=0)", "dy.sum(axis=0)", "gradients", r"dgamma\[\d\] is"),
        ("np.sqrt(variance + self.epsilon)", "(variance + self.epsilon)", "forward", r"y\[\d, \d\] is"),
        ("x.mean(axis=0), x.var(axis=0)", "x.mean(), x.var()", "forward", r"y\[\d, \d\] is"),
    ],
    "sgd": [
        ("-= self.learning_rate", "+= self.learning_rate", "first step", "in the first step has the wrong sign"),
        ("self.velocity.get(name, 0)", "0", "ten steps", r"the change of W after 10 steps\[.*each step keeps momentum"),
        (
            "self.velocity[name] = self.momentum * self.velocity.get(name, 0) + grads[name]",
            "self.velocity[name] = self.momentum * self.velocity.get(0, 0) + grads[name]\n"
            "            self.velocity[0] = self.velocity[name]",
            "several parameters",
            "ValueError in line .*; keep a velocity for each name",
        ),
        (
            "self.velocity[name] = self.momentum * self.velocity.get(name, 0) + grads[name]",
            "grads[name] += self.momentum * self.velocity.get(name, 0)\n"
            "            grads[name] *= 1.0 + 1e-9\n"
            "            self.velocity[name] = grads[name].copy()",
            "gradients stay unchanged",
            "update changes the gradients",
        ),
        ("self.learning_rate * self.vel", "self.vel", "first step", "in the first step is 10 times what is expected"),
    ],
    "adam": [
        ("self.m[name] / (1 - self.beta1**self.t)", "self.m[name]", "first step", "is 0.1 times .*both corrections"),
        ("        self.t += 1\n", "        self.t = 1\n", "ten steps", "the change of W after 10 steps"),
        ("        self.t += 1\n        for name, gradient in grads.items():\n",
         "        for name, gradient in grads.items():\n            self.t += 1\n", "several", "change of W1 .*count"),
        ("gradient**2", "gradient", "first step", r"is nan|the change of W in the first step"),
        ("np.sqrt(v)", "v", "first step", "the change of W in the first step"),
    ],
}  # fmt: skip
"""For each exercise: what is changed in the right answer, the check that finds it, and the reason."""

BROKEN = {
    "first_flowers": [
        ("saturated_units", "dead_units", "the symptom", "it isn't 'dead_units'"),
        ("layers.Affine1.weights", "training.batch_size", "the key", "training.batch_size is not what is wrong; which"),
        ("value: he_normal", "value: {normal: {std: 25}}", "symptom is gone", "the training has saturated units"),
        ("value: he_normal", "value: [he_normal]", "symptom is gone", "the repaired spec fails: .*initializer"),
        ("value: he_normal", "value: no_such", "symptom is gone", "the repaired spec fails: .*no_such"),
    ]
}


class InThisProcess:
    """A submission without a process of its own."""

    def __init__(self, text):
        self.names = {}
        exec(text, self.names)

    def ask(self, *steps, arrays=()):
        np.random.seed(0)
        try:
            found = [child.plain(*each) for each in child.follow(steps, [each.copy() for each in arrays], self.names)]
        except Exception as error:
            raise SubmissionError(child.in_words(error)) from None
        names = [step[4] if len(step) > 4 else step[1] for step in steps if step[0] not in ("make", "do")]
        return dict(zip(names, found, strict=True))


def test_all_reasons_for_each_mistake(golden):
    registry, lines = Registry.discover(), []
    for name, mistakes in MISTAKES.items():
        exercise = exercise_of(HERE / f"{name}.py", RIGHT[name])
        points = {check: worth for check, worth in exercise.points.items() if check != "speed"}
        for number, (old, new, *_) in enumerate([("", "", ""), *mistakes]):
            task = TASKS[exercise.kind](replace(exercise, points=points), registry)
            rng, results = keyed_generator(1, exercise.kind, exercise.name), []
            with np.errstate(all="ignore"):
                _run(task, InThisProcess(RIGHT[name].replace(old, new) if old else RIGHT[name]), rng, results)
            lost = sum(each.out_of - each.points for each in results)
            lines.append(f"{name}, {f'mistake {number}' if number else 'right'}: -{lost} of {len(results)} checks")
            told = [f"  -{each.out_of} {each.title}: {each.reason}" for each in results if each.reason]
            lines += [re.sub(r"(?<=Error: ).*?(?=; |$)", "...", line) for line in told]  # the words are NumPy's
    golden(Path(__file__).with_name("mistakes.golden.txt"), "\n".join(lines) + "\n")


def check_dropout(drawn, check):
    """Check the right layer, but with other numbers drawn to choose the elements."""
    text = RIGHT["dropout"].replace("np.random.rand(*x.shape) >= self.rate", f"{drawn} >= 0.312")
    text = text.replace("x * self.m", "x[: len(self.m)] * self.m")
    task = TASKS["layer"](exercise_of(HERE / "dropout.py", text), Registry.discover())
    task.check(check, InThisProcess(text), np.random.default_rng(0))


EVENLY = "np.random.permutation(x.size).reshape(x.shape) / x.size"


@pytest.mark.parametrize(
    ("drawn", "check", "reason"),
    [
        (EVENLY, "dropped", "31.2% of the elements are zero, .* 30%"),
        ("1 - np.random.rand(*x.shape[1:]) + 0 * x", "drawn_again", "all rows drop the same elements"),
        ("np.random.rand(*x.shape)[:-1]", "dropped", r"y has shape \(9999, 6\), expected \(10000, 6\)"),
    ],
)
def test_elements_that_are_dropped_in_another_way_are_refused(drawn, check, reason):
    with pytest.raises(SubmissionError, match=reason):
        check_dropout(drawn, check)


def test_the_share_of_dropped_elements_may_be_a_little_off():
    check_dropout(f"{EVENLY} + 0.002", "dropped")


@pytest.fixture
def grade(invoke, cwd):
    """Return a function that marks texts, by file name, and returns each file's mark."""

    def marked(**files):
        folder = cwd / "handed_in"
        folder.mkdir()
        for name, text in files.items():
            suffix = "yaml" if " spec " in text.partition("\n")[0] else "py"
            (folder / f"{name}.{suffix}").write_text(text)
        done = invoke("grade", "handed_in", "--json", "--seed", "1")
        assert done.code == 0, done.err
        marks = [json.loads(line) for line in done.out.splitlines()]
        return {mark["student"]: mark for mark in marks}

    return marked


def test_right_answers_get_all_points(grade):
    marks = grade(**{f"{name}_of_anna": text for name, text in RIGHT.items()})
    assert {
        name: mark["out_of"] > 8 and mark["points"] - mark["out_of"] for name, mark in marks.items()
    } == dict.fromkeys((f"{name}_of_anna" for name in RIGHT), 0)


@pytest.mark.parametrize("exercise", [*MISTAKES, *BROKEN])
def test_each_mistake_gets_its_reason(exercise, grade):
    mistakes = (MISTAKES | BROKEN)[exercise]
    files = {}
    for number, (old, new, *_) in enumerate(mistakes):
        assert RIGHT[exercise].count(old) == 1, old
        files[f"student_{number}"] = RIGHT[exercise].replace(old, new)
    marks = grade(**files)
    for number, (_, new, title, reason) in enumerate(mistakes):
        mark = marks[f"student_{number}"]
        reasons = {each["title"]: each["reason"] for each in mark["results"] if each["reason"]}
        assert mark["points"] < mark["out_of"]
        assert any(title in check and re.search(reason, text, re.S) for check, text in reasons.items()), (new, reasons)
