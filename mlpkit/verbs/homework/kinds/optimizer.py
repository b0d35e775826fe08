"""An optimizer: a class whose ``update`` changes parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from mlpkit.array import Array
from mlpkit.components.optimizer import Optimizer
from mlpkit.components.optimizer import Step as OptimizerStep
from mlpkit.components.schedule import START, rate_at
from mlpkit.verbs.homework.comparing import require_equal
from mlpkit.verbs.homework.isolation import ECHOED, Step, Submission, SubmissionError
from mlpkit.verbs.homework.kinds.task import Task, literal, require_fast

STEPS = 10


class OptimizerTask(Task):
    """``update(params, grads)`` changes the arrays of a dictionary, by those of another."""

    checks_of_kind: ClassVar = {
        "first_step": (3, "the first step"),
        "ten_steps": (4, "ten steps"),
        "several": (2, "several parameters, each with its own memory"),
        "gradients": (1, "gradients stay unchanged"),
        "speed": (2, "vectors in place of loops"),
    }

    def prepare(self) -> None:
        """Require an optimizer that works element by element."""
        optimizer: Optimizer = self.reference()
        if optimizer.sees != "blocks" or not optimizer.elementwise or optimizer.evaluates:
            raise ValueError("it doesn't work element by element")
        self.steps(np.zeros(3), [np.ones(3)])

    def steps(self, value: Array, gradients: list[Array]) -> Array:
        """Return a parameter after steps of the built-in."""
        optimizer: Optimizer = self.reference()
        value = value.reshape(-1).copy()
        slots: Mapping[str, Array] = {name: np.zeros_like(value) for name in optimizer.slots}
        rate = rate_at(optimizer.learning_rate, START)
        for number, gradient in enumerate(gradients, 1):
            optimizer.update(value, gradient.reshape(-1).copy(), slots, OptimizerStep(rate, number))
        return value.reshape(gradients[0].shape)

    def check_steps(self, submission: Submission, rng: np.random.Generator, names: list[str], count: int) -> None:
        """Compare parameters after some steps."""
        shapes = {name: (3 + place, 2) for place, name in enumerate(names)}
        values = {name: rng.normal(size=shape) for name, shape in shapes.items()}
        gradients = [{name: rng.normal(size=shape) for name, shape in shapes.items()} for _ in range(count)]
        arrays, steps = [*values.values()], [self.make()]
        params = {name: place for place, name in enumerate(names)}
        for number, each in enumerate(gradients):
            grads = {name: len(arrays) + place for place, name in enumerate(names)}
            arrays += each.values()
            steps.append(_update(params, grads, str(number)))
        found = submission.ask(*steps, *(["item", name, "params", name] for name in names), arrays=arrays)
        for name, array in zip(names, found, strict=True):
            expected = self.steps(values[name], [each[name] for each in gradients])
            moved, right = array - values[name], expected - values[name]
            when = f"after {count} steps" if count > 1 else "in the first step"
            require_equal(f"the change of {name} {when}", moved, right, {"the gradient": gradients[-1][name]})

    def check_first_step(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare one step."""
        self.check_steps(submission, rng, ["W"], 1)

    def check_ten_steps(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare ten steps."""
        self.check_steps(submission, rng, ["W"], STEPS)

    def check_several(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare three steps of three parameters."""
        self.check_steps(submission, rng, ["W1", "b1", "W2"], 3)

    def check_gradients(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare the gradients with a copy."""
        value, gradient = rng.normal(size=(2, 4, 3))
        update = _update({"W": 0}, {"W": 1}, "first")
        (found,) = submission.ask(self.make(), update, ["item", "dW", "gradsfirst", "W"], arrays=[value, gradient])
        if not np.array_equal(found, gradient):
            raise SubmissionError("update changes the gradients; work on a copy")

    def check_speed(self, submission: Submission, rng: np.random.Generator) -> None:
        """Time steps of a large parameter."""
        arrays = [rng.normal(size=ECHOED) for _ in range(2)]
        update = _update({"W": 0}, {"W": 1}, "first")
        last = ["item", "W", "params", "W"]
        require_fast(submission, lambda times: [self.make(), [*update, times], last], arrays, "update")

    def skeleton(self) -> str:
        """Return the class without its mathematics."""
        lines = [
            *self.header(),
            f"class {self.called}:",
            *self.constructor(),
            "    def update(self, params, grads):",
            '        """Change params[name] by grads[name], for each name of the dictionary params."""',
            '        raise NotImplementedError("write update")',
        ]
        return "\n".join(lines) + "\n"

    def visible_checks(self) -> str:
        """Return tests of one and of three steps."""
        value, gradient = np.random.default_rng(1).normal(size=(2, 3)).round(2)
        after = {steps: literal(self.steps(value, [gradient] * steps)) for steps in (1, 3)}
        return (
            _TESTS.format(
                stem=self.exercise.stem,
                called=self.called,
                value=literal(value),
                gradient=literal(gradient),
                after=after,
            )
            .replace("'np.", "np.")
            .replace(")'", ")")
        )


def _update(params: Mapping[str, int], grads: Mapping[str, int], step: str) -> Step:
    return ["do", "update", [{"arrays": ["params", params]}, {"arrays": [f"grads{step}", grads]}]]


_TESTS = '''"""Checks that you see: run them with pytest in this folder. mlpkit grade has more."""

import numpy as np
import pytest
from {stem} import {called}

VALUE = {value}
GRADIENT = {gradient}
AFTER = {after}


@pytest.mark.parametrize("steps", AFTER)
def test_steps(steps):
    optimizer, params = {called}(), {{"W": VALUE.copy()}}
    for _ in range(steps):
        optimizer.update(params, {{"W": GRADIENT.copy()}})
    np.testing.assert_allclose(params["W"], AFTER[steps], rtol=1e-4, atol=1e-5)
'''
