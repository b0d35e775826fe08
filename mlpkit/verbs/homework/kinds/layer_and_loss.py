"""Layers and losses: the results of ``forward`` and ``backward`` are compared with the built-in's.

A layer's constructor takes parameters, and ``backward`` sets a gradient for each of them.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np

from mlpkit.array import Array
from mlpkit.components.layer import Layer
from mlpkit.components.loss import Loss
from mlpkit.components.target import Classes, Target, Values
from mlpkit.network.arguments import shape_of_rows
from mlpkit.testing.outside_network import begin_pass, random_targets, standalone
from mlpkit.verbs.homework.isolation import ECHOED, Step, Submission, SubmissionError
from mlpkit.verbs.homework.kinds.task import Task, arguments, literal, require_equal, require_fast

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

    def passed_through(
        self, built_in: Any, inputs: list[Array], rng: np.random.Generator
    ) -> tuple[Array, list[Array], Array]:
        """Return what the built-in's forward returns, random arguments of backward, and what that returns."""
        begin_pass(built_in)
        y = np.array(built_in.forward(*inputs), np.float64)
        outer = self.outer(y, rng)
        return y, outer, np.array(built_in.backward(*(each.copy() for each in outer)))

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
        y, outer, dx = self.passed_through(built_in, inputs, rng)
        expected = {self.result: y, "dx": dx}
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
        y, outer, dx = self.passed_through(built_in, inputs, rng)
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


class LayerTask(PassesTask):
    """A class with ``forward(x)`` and ``backward(dy)``."""

    titles: ClassVar = {
        **PassesTask.titles,
        "evaluation": "forward outside training",
        "dropped": "forward drops the right share of elements, and scales the rest",
        "drawn_again": "each forward draws again",
        "same_elements": "backward drops the elements that forward has dropped",
    }

    def built_in(self, rng: np.random.Generator) -> Layer:
        """Return the built-in with random parameters."""
        layer: Layer = standalone(self.reference(), self.exercise.shape, resolver=self.registry.create)
        for each in layer.declared_parameters():
            each.value += rng.normal(size=each.shape)
        return layer

    def inputs(self, rng: np.random.Generator, rows: int = ROWS) -> list[Array]:
        """Return random x."""
        return [rng.normal(size=(rows, *self.exercise.shape))]

    def outer(self, y: Array, rng: np.random.Generator) -> list[Array]:
        """Return random dy."""
        return [rng.normal(size=y.shape)]

    def check_evaluation(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare y outside training, after three forwards in training."""
        layer, arrays = self.built_in(rng), list[Array]()
        steps = [self.made(layer, arrays)]
        for number in range(4):
            (x,) = self.inputs(rng)
            steps.append(["call", "forward", [*arguments(arrays, [x]), number < 3]])
            layer.training = number < 3
            begin_pass(layer)
            y = np.array(layer.forward(x))
        require_equal("y", submission.ask(*steps, arrays=arrays)["forward"], y, {"x": x})

    def dropped(self, submission: Submission, *further: Step) -> tuple[Array, dict[str, Array], float]:
        """Return inputs without zeros, what two forwards and further steps return for them, and the rate."""
        x = np.random.default_rng(0).uniform(1, 2, (ECHOED // 10, *self.exercise.shape))
        made = self.made(self.built_in(np.random.default_rng(0)), [])
        first, second = (["call", "forward", [{"array": 0}], 1, label] for label in ("first", "y"))
        found = submission.ask(made, first, second, *further, arrays=[x])
        if found["y"].shape != x.shape:
            raise SubmissionError(f"y has shape {found['y'].shape}, expected {x.shape}")
        return x, found, float(self.passed["rate"])

    def check_dropped(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare the share of zeros with the rate, and the other elements with x / (1 - rate)."""
        x, found, rate = self.dropped(submission)
        kept = found["y"] != 0
        share, deviation = 1 - float(kept.mean()), (rate * (1 - rate) / x.size) ** 0.5
        if abs(share - rate) > 6 * deviation:
            raise SubmissionError(f"{share:.1%} of the elements are zero, expected {rate:.0%}")
        require_equal("y of an element that is kept", found["y"][kept], x[kept] / (1 - rate), {"x": x[kept]})

    def check_drawn_again(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare the zeros of two forwards, and of rows."""
        _, found, _ = self.dropped(submission)
        if np.array_equal(found["first"] == 0, found["y"] == 0):
            raise SubmissionError("two forwards drop the same elements; draw again in each")
        if len(np.unique(found["y"] == 0, axis=0)) == 1:
            raise SubmissionError("all rows drop the same elements; draw a number for each element")

    def check_same_elements(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare dx with dy where the latest forward kept elements."""
        x, found, rate = self.dropped(submission, ["call", "backward", [{"array": 0}]])
        require_equal("dx", found["backward"], np.where(found["y"] == 0, 0, x / (1 - rate)), {"dy": x})

    def words(self) -> dict[str, str]:
        """Return what differs in the files to hand out."""
        rng = np.random.default_rng(1)
        layer, (x,) = self.built_in(rng), self.inputs(rng, 3)
        parameters, x = self.parameters(layer), x.round(2)
        for each in parameters.values():
            each.value[...] = each.value.round(2)
        begin_pass(layer)
        values = {"X": x} | {name: each.value for name, each in parameters.items()}
        return {
            "constructor": self.constructor(*parameters),
            "training": ", training=True" if "evaluation" in self.exercise.points else "",
            "shape": shape_of_rows(self.exercise.shape),
            "gradients": f", and set {' and '.join(f'self.d{name}' for name in parameters)}" if parameters else "",
            "values": "\n".join(f"{name} = {literal(value)}" for name, value in values.items()),
            "y": literal(np.array(layer.forward(x))),
            "made": ", ".join(f"{name}={name}" for name in parameters),
            "names": repr([(name, f"d{name}") for name in parameters]),
        }


class LossTask(PassesTask):
    """A class with ``forward(x, t)`` and ``backward()``."""

    result = "the loss"

    @property
    def target(self) -> Target:
        """What is predicted."""
        return Classes(self.exercise.shape[0]) if self.exercise.classes else Values(self.exercise.shape)

    def built_in(self, rng: np.random.Generator) -> Loss:
        """Return the built-in."""
        loss: Loss = self.reference()
        return standalone(loss, self.exercise.shape, target=self.target, resolver=self.registry.create)

    def inputs(self, rng: np.random.Generator, rows: int = ROWS) -> list[Array]:
        """Return random x and t."""
        return [rng.normal(size=(rows, *self.exercise.shape)), random_targets(self.target, rows, rng)]

    def outer(self, y: Array, rng: np.random.Generator) -> list[Array]:
        """Return nothing: ``backward`` takes no arguments."""
        return []

    def words(self) -> dict[str, str]:
        """Return what differs in the files to hand out."""
        rng = np.random.default_rng(1)
        x, t = (each if each.dtype.kind == "i" else each.round(2) for each in self.inputs(rng, 3))
        return {
            "constructor": self.constructor(),
            "shape": shape_of_rows(self.exercise.shape),
            "target": str(self.target),
            "x": literal(x),
            "t": literal(t),
            "value": f"{float(self.built_in(rng).forward(x, t)):.6g}",
        }
