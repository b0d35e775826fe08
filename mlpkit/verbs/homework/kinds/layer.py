"""A layer: its constructor takes parameters, ``backward`` returns dx and sets a gradient for each of them."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mlpkit.array import Array
from mlpkit.components.layer import Layer
from mlpkit.testing.outside_network import begin_pass, standalone
from mlpkit.verbs.homework.comparing import require_equal
from mlpkit.verbs.homework.isolation import ECHOED, Step, Submission, SubmissionError
from mlpkit.verbs.homework.kinds.passes import ROWS, PassesTask
from mlpkit.verbs.homework.kinds.task import arguments, literal


class LayerTask(PassesTask):
    """A class with ``forward(x)`` and ``backward(dy)``."""

    titles: ClassVar = {
        **PassesTask.titles,
        "evaluation": "forward outside training",
        "dropped": "forward drops the right share of elements, and scales the rest",
        "drawn_again": "each forward draws again",
        "same_elements": "backward drops the elements that forward has dropped",
    }

    def built_in(self, rng: np.random.Generator, seed: int = 0) -> Layer:
        """Return the built-in with random parameters."""
        layer: Layer = standalone(self.reference(), self.exercise.shape, seed=seed, resolver=self.registry.create)
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
        values = {"X": x, "Y": np.array(layer.forward(x))} | {name: each.value for name, each in parameters.items()}
        return {
            "constructor": self.constructor(*parameters),
            "training": ", training=True" if "evaluation" in self.exercise.points else "",
            "shape": f"(rows, {', '.join(map(str, self.exercise.shape))})",
            "gradients": "".join(f", and set self.d{name}" for name in parameters),
            "values": "\n".join(f"{name} = {literal(value)}" for name, value in values.items()),
            "made": ", ".join(f"{name}={name}" for name in parameters),
            "names": repr([(name, f"d{name}") for name in parameters]),
        }
