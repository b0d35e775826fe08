"""An optimizer: ``update(params, grads)`` changes the arrays of a dictionary, by those of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from mlpkit.array import Array
from mlpkit.components.optimizer import Optimizer, Step
from mlpkit.components.schedule import START, rate_at
from mlpkit.verbs.homework.isolation import ECHOED, Submission, SubmissionError
from mlpkit.verbs.homework.kinds.task import Task, literal, require_equal, require_fast


class OptimizerTask(Task):
    """A class with ``update(params, grads)``."""

    titles: ClassVar = {
        "first_step": "the first step",
        "ten_steps": "ten steps",
        "several": "several parameters, each with its own memory",
        "gradients": "gradients stay unchanged",
        "speed": "vectors in place of loops",
    }

    def moved(self, value: Array, gradients: list[Array]) -> Array:
        """Return the change of a parameter by steps of the built-in."""
        optimizer: Optimizer = self.reference()
        after = value.reshape(-1).copy()
        slots: Mapping[str, Array] = {name: np.zeros_like(after) for name in optimizer.slots}
        rate = rate_at(optimizer.learning_rate, START)
        for number, gradient in enumerate(gradients, 1):
            optimizer.update(after, gradient.reshape(-1).copy(), slots, Step(rate, number))
        return after.reshape(value.shape) - value

    def compare(self, submission: Submission, rng: np.random.Generator, names: list[str], count: int) -> None:
        """Compare the changes of parameters by some steps, and the gradients with copies."""
        values = {name: rng.normal(size=(3 + place, 2)) for place, name in enumerate(names)}
        gradients = [{name: rng.normal(size=value.shape) for name, value in values.items()} for _ in range(count)]
        arrays = [*values.values()]
        steps: list[list[Any]] = [["make", self.called, self.passed]]
        params = {name: place for place, name in enumerate(names)}
        for number, each in enumerate(gradients):
            grads = {name: len(arrays) + place for place, name in enumerate(names)}
            arrays += each.values()
            steps.append(["do", "update", [{"arrays": ["params", params]}, {"arrays": [f"grads{number}", grads]}]])
        steps += [["item", name, "params", name] for name in names] + [["item", "gradient", "grads0", names[0]]]
        found = submission.ask(*steps, arrays=arrays)
        when = f"after {count} steps" if count > 1 else "in the first step"
        for name, value in values.items():
            expected = self.moved(value, [each[name] for each in gradients])
            known = {"the gradient": gradients[-1][name]}
            require_equal(f"the change of {name} {when}", found[name] - value, expected, known)
        if names == ["dW"] and not np.array_equal(found["gradient"], gradients[0]["dW"]):
            raise SubmissionError("update changes the gradients; work on a copy")

    def check_first_step(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare one step."""
        self.compare(submission, rng, ["W"], 1)

    def check_ten_steps(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare ten steps."""
        self.compare(submission, rng, ["W"], 10)

    def check_several(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare three steps of three parameters."""
        self.compare(submission, rng, ["W1", "b1", "W2"], 3)

    def check_gradients(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare the gradients with copies after a second step."""
        self.compare(submission, rng, ["dW"], 2)

    def check_speed(self, submission: Submission, rng: np.random.Generator) -> None:
        """Time steps of a large parameter, and compare one."""
        value, gradient = rng.normal(size=(2, ECHOED))
        update, last = (
            ["update", [{"arrays": [f"params{at}", {"W": at}]}, {"arrays": [f"grads{at}", {"W": at + 1}]}]]
            for at in (0, 2)
        )
        made = ["make", self.called, self.passed]
        after: list[list[Any]] = [made, ["do", *last], ["item", "W", "params2", "W"]]
        found = require_fast(submission, update, [made], after, [value, gradient] * 2)["W"]
        if "first_step" not in self.failed:  # the same mistake costs no points twice
            require_equal(f"the change of {ECHOED:,} numbers", found - value, self.moved(value, [gradient]), {})

    def words(self) -> dict[str, str]:
        """Return what differs in the files to hand out."""
        value, gradient = np.random.default_rng(1).normal(size=(2, 3)).round(2)
        after = {f"after_{n}": literal(value + self.moved(value, [gradient] * n)) for n in (1, 3)}
        return {"constructor": self.constructor(), "value": literal(value), "gradient": literal(gradient), **after}
