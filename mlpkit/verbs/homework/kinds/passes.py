"""What layers and losses share: the results of ``forward`` and ``backward`` are compared with the built-in's."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np

from mlpkit.array import Array
from mlpkit.testing.outside_network import begin_pass
from mlpkit.verbs.homework.comparing import require_equal
from mlpkit.verbs.homework.isolation import ECHOED, Step, Submission, SubmissionError
from mlpkit.verbs.homework.kinds.task import Task, arguments, require_fast

ROWS = 7


class PassesTask(Task):
    """A class with ``forward`` and ``backward``."""

    titles: ClassVar = {
        "forward": "forward",
        "extremes": "extreme inputs",
        "backward": "backward returns dx",
        "gradients": "backward sets the gradients of the parameters",
        "latest": "inputs stay unchanged, and backward follows the latest forward",
        "speed": "vectors in place of loops",
    }
    result = "y"

    @abstractmethod
    def built_in(self, rng: np.random.Generator) -> Any:
        """Return the built-in, its parameters random."""

    @abstractmethod
    def inputs(self, rng: np.random.Generator, rows: int = ROWS) -> list[Array]:
        """Return random arguments of ``forward``."""

    @abstractmethod
    def outer(self, y: Array, rng: np.random.Generator) -> list[Array]:
        """Return random arguments of ``backward``."""

    def parameters(self, built_in: Any) -> dict[str, Any]:
        """Return the built-in's parameters by name."""
        return {each.path.partition(".")[2]: each for each in built_in.declared_parameters()}

    def made(self, built_in: Any, arrays: list[Array]) -> Step:
        """Return the step that builds the submission's class, and add the built-in's parameters to the arrays."""
        parameters = self.parameters(built_in)
        places = arguments(arrays, [np.array(each.value, np.float64) for each in parameters.values()])
        return ["make", self.called, dict(zip(parameters, places, strict=True)) | self.passed]

    def compare(
        self, submission: Submission, rng: np.random.Generator, *names: str, forwards: list[list[Array]] | None = None
    ) -> dict[str, Array]:
        """Compare what the last of some forwards, and backward, return and set; return what was found.

        Args:
            submission: the submission.
            rng: random numbers.
            *names: what is compared, such as ``dx``; by default the gradients of all parameters.
            forwards: the arguments of each forward; by default random ones of a single forward.
        """
        built_in, arrays = self.built_in(rng), list[Array]()
        steps = [self.made(built_in, arrays)]
        for inputs in forwards or [self.inputs(rng)]:
            x_place = len(arrays)
            steps.append(["call", "forward", arguments(arrays, inputs)])
        begin_pass(built_in)
        y = np.array(built_in.forward(*inputs), np.float64)
        outer = self.outer(y, rng)
        expected = {self.result: y, "dx": np.array(built_in.backward(*(each.copy() for each in outer)))}
        gradients = {f"d{name}": np.array(each.grad) for name, each in self.parameters(built_in).items()}
        names = names or tuple(gradients)
        if names != (self.result,):
            steps.append(["call", "backward", arguments(arrays, outer)])
        steps += [["get", name] for name in gradients if name in names] + [["argument", "x", x_place]]
        found = submission.ask(*steps, arrays=arrays)
        found |= {self.result: found["forward"], "dx": found.get("backward", y)}
        known = {"x": inputs[0], **({"dy": outer[0]} if outer else {})}
        counts = {"the number of rows": len(inputs[0]), "the number of elements": inputs[0].size}
        for name in names:
            require_equal(name, found[name], (expected | gradients)[name], known, counts)
        return found

    def check_forward(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare what forward returns."""
        self.compare(submission, rng, self.result)

    def check_extremes(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare a pass with the exercise's inputs."""
        inputs = self.inputs(rng, max(ROWS, len(self.exercise.inputs)))
        inputs[0] = np.resize(np.array(self.exercise.inputs), inputs[0].shape)
        self.compare(submission, rng, self.result, "dx", forwards=[inputs])

    def check_backward(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare dx."""
        self.compare(submission, rng, "dx")

    def check_gradients(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare the gradients of the parameters."""
        self.compare(submission, rng)

    def check_latest(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare dx after forwards with other rows, and the inputs with a copy."""
        forwards = [self.inputs(rng, ROWS + 2), self.inputs(rng)]
        kept = forwards[-1][0].copy()
        found = self.compare(submission, rng, self.result, forwards=forwards)
        if not np.array_equal(found["x"], kept):
            raise SubmissionError("forward or backward changes its input x; work on a copy")
        self.compare(submission, rng, "dx", forwards=forwards)

    def check_speed(self, submission: Submission, rng: np.random.Generator) -> None:
        """Time forward and backward on many rows, and compare what they return there."""
        built_in, arrays = self.built_in(rng), list[Array]()
        made = self.made(built_in, arrays)
        inputs = self.inputs(rng, ECHOED // int(np.prod(self.exercise.shape)))
        begin_pass(built_in)
        y = np.array(built_in.forward(*inputs), np.float64)
        outer = self.outer(y, rng)
        dx = np.array(built_in.backward(*(each.copy() for each in outer)))
        forward, backward, last_forward, last_backward = (  # the last get copies: others may work in place
            [function, arguments(arrays, given)]
            for _ in range(2)
            for function, given in (("forward", inputs), ("backward", outer))
        )
        after_backward: list[Step] = [["do", *last_forward], ["call", *last_backward]]
        for name, function, before, timed, after, expected in (
            (self.result, "forward", [made], forward, [["call", *last_forward]], y),
            ("dx", "backward", [made, ["do", *forward]], backward, after_backward, dx),
        ):
            found = require_fast(submission, timed, before, after, arrays)[function]
            is_repeatable = "dropped" not in self.exercise.points
            if is_repeatable and function not in self.failed:  # the same mistake costs no points twice
                require_equal(f"with {len(inputs[0]):,} rows, {name}", found, expected, {})
