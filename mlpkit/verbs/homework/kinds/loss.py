"""A loss: a class whose ``forward`` returns a number."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from mlpkit.array import Array
from mlpkit.components.loss import Loss
from mlpkit.components.target import Classes, Labels, Target, Values
from mlpkit.errors import MlpkitError
from mlpkit.testing.outside_network import random_targets, standalone
from mlpkit.verbs.homework.comparing import require_equal
from mlpkit.verbs.homework.isolation import ECHOED, Step, Submission, SubmissionError
from mlpkit.verbs.homework.kinds.task import ROWS, Task, literal, require_fast


class LossTask(Task):
    """``forward(x, t)`` returns the mean loss, ``backward()`` returns dx."""

    checks_of_kind: ClassVar = {
        "forward": (3, "forward returns the mean loss"),
        "extremes": (1, "forward with extreme inputs"),
        "backward": (3, "backward returns dx"),
        "latest": (1, "inputs stay unchanged, and backward follows the latest forward"),
        "speed": (2, "vectors in place of loops"),
    }

    def prepare(self) -> None:
        """Find a target that the built-in accepts."""
        shape = self.exercise.shape
        given = self.exercise.target or {}
        if "classes" in given:
            self.target: Target = Classes(int(given["classes"]))
            return
        size = shape[0] if shape else 1
        for target in (Values(shape), Classes(size), Classes(2), Labels(size), Classes(size + 1)):
            try:
                self.target = target
                self.expected(self.loss(), *self.batch(np.random.default_rng(0)))
            except MlpkitError:
                continue
            return
        raise ValueError("no target that it takes was found")

    def applies(self, check: str) -> bool:
        """Whether the exercise names extreme inputs."""
        return check != "extremes" or bool(self.exercise.inputs)

    def loss(self) -> Loss:
        """Return the built-in."""
        loss: Loss = self.reference()
        return standalone(loss, self.exercise.shape, target=self.target, resolver=self.registry.create)

    def batch(self, rng: np.random.Generator, rows: int = ROWS) -> tuple[Array, Array]:
        """Return random inputs and targets."""
        return rng.normal(size=(rows, *self.exercise.shape)), random_targets(self.target, rows, rng)

    @staticmethod
    def expected(loss: Loss, x: Array, t: Array) -> tuple[Array, Array]:
        """Return the loss and dx of the built-in."""
        return np.array(loss.forward(x, t), np.float64), np.array(loss.backward())

    def passes(self) -> list[Step]:
        """Return the steps of forward and backward."""
        return [self.make(), ["call", "forward", [{"array": 0}, {"array": 1}]], ["call", "backward", []]]

    def check_forward(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare the loss."""
        x, t = self.batch(rng)
        (found,) = submission.ask(*self.passes()[:2], arrays=[x, t])
        value = self.expected(self.loss(), x, t)[0]
        require_equal("the loss", found, value)

    def check_extremes(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare the loss for the exercise's inputs."""
        _, t = self.batch(rng)
        x = np.resize(np.array(self.exercise.inputs), (len(t), *self.exercise.shape))
        (found,) = submission.ask(*self.passes()[:2], arrays=[x, t])
        require_equal("the loss", found, self.expected(self.loss(), x, t)[0])

    def check_backward(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare dx."""
        x, t = self.batch(rng)
        _, found = submission.ask(*self.passes(), arrays=[x, t])
        rows, size = float(len(x)), float(x.size)
        known: dict[str, Any] = {"x": x, "the number of rows": np.array(rows), "the number of elements": np.array(size)}
        require_equal("dx", found, self.expected(self.loss(), x, t)[1], known)

    def check_latest(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare dx after two forwards with other rows, and the inputs with a copy."""
        (others, their_t), (x, t) = self.batch(rng, ROWS + 2), self.batch(rng)
        made, _, backward = self.passes()
        first, second = ([{"array": place}, {"array": place + 1}] for place in (0, 2))
        steps = [made, ["call", "forward", first], ["call", "forward", second], backward]
        *_, dx, after, t_after = submission.ask(
            *steps, ["argument", "x", 2], ["argument", "t", 3], arrays=[others, their_t, x, t]
        )
        if not np.array_equal(after, x) or not np.array_equal(t_after, t):
            raise SubmissionError("forward or backward changes its inputs; work on a copy")
        require_equal("dx after a second forward", dx, self.expected(self.loss(), x, t)[1])

    def check_speed(self, submission: Submission, rng: np.random.Generator) -> None:
        """Time forward and backward on many rows."""
        x, t = self.batch(rng, max(1, ECHOED // int(np.prod(self.exercise.shape))))
        made, forward, backward = self.passes()
        require_fast(submission, lambda times: [made, [*forward, times]], [x, t], "forward")
        require_fast(submission, lambda times: [made, forward, [*backward, times]], [x, t], "backward")

    def skeleton(self) -> str:
        """Return the class without its mathematics."""
        rows = f"(rows, {', '.join(map(str, self.exercise.shape))})"
        lines = [
            *self.header(),
            f"class {self.called}:",
            *self.constructor(),
            "    def forward(self, x, t):",
            f'        """Return the mean loss, a number, for x of shape {rows} and t, {self.target}."""',
            '        raise NotImplementedError("write forward")',
            "",
            "    def backward(self):",
            '        """Return dx."""',
            '        raise NotImplementedError("write backward")',
        ]
        return "\n".join(lines) + "\n"

    def visible_checks(self) -> str:
        """Return a test of an example, and one of dx by differences."""
        x, t = self.batch(np.random.default_rng(1), 3)
        x = x.round(2)
        t = t if t.dtype.kind == "i" else t.round(2)
        value = float(self.expected(self.loss(), x, t)[0])
        targets = f"np.array({t.tolist()})" if t.dtype.kind == "i" else literal(t)
        return _TESTS.format(stem=self.exercise.stem, called=self.called, x=literal(x), t=targets, value=f"{value:.6g}")


_TESTS = '''"""Checks that you see: run them with pytest in this folder. mlpkit grade has more."""

import numpy as np
from {stem} import {called}

X = {x}
T = {t}


def test_an_example():
    assert abs({called}().forward(X, T) - {value}) < 1e-4


def test_dx_is_the_slope_of_forward():
    loss = {called}()
    loss.forward(X, T)
    dx = loss.backward()
    for place in np.ndindex(X.shape):
        step = np.zeros_like(X)
        step[place] = 1e-5
        slope = (loss.forward(X + step, T) - loss.forward(X - step, T)) / 2e-5
        assert abs(slope - dx[place]) < 1e-5, f"at {{place}}: {{dx[place]}}, but the slope is {{slope}}"
'''
