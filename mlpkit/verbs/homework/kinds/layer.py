"""A layer: a class with ``forward`` and ``backward``."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from mlpkit.array import Array
from mlpkit.components.layer import Layer
from mlpkit.testing.outside_network import begin_pass, standalone
from mlpkit.verbs.homework.comparing import require_equal
from mlpkit.verbs.homework.isolation import ECHOED, Step, Submission, SubmissionError
from mlpkit.verbs.homework.kinds.task import ROWS, Task, literal, require_fast


class LayerTask(Task):
    """The constructor takes the layer's parameters; ``backward`` returns dx, and sets a gradient for each parameter."""

    checks_of_kind: ClassVar = {
        "forward": (3, "forward returns y"),
        "extremes": (1, "forward with extreme inputs"),
        "backward": (3, "backward returns dx"),
        "gradients": (2, "backward sets the gradients of the parameters"),
        "evaluation": (2, "forward outside training"),
        "latest": (1, "inputs stay unchanged, and backward follows the latest forward"),
        "speed": (2, "vectors in place of loops"),
        "dropped": (4, "forward drops the right share of elements, and scales the rest"),
        "drawn_again": (1, "each forward draws again"),
        "same_elements": (3, "backward drops the elements that forward has dropped"),
    }

    def prepare(self) -> None:
        """Build the built-in once, and require that it has its own parameters only and draws no random numbers."""
        layer = self.layer(np.random.default_rng(0))
        self.states = bool(list(layer.declared_states()))
        self.names = [name_of(each.path) for each in layer.declared_parameters()]
        if any("." in name for name in self.names):
            raise ValueError("it has layers inside")
        if self.exercise.points:
            return
        x, found = self.x(np.random.default_rng(0)), []
        for seed in (0, 1):
            layer = self.layer(np.random.default_rng(0), seed)
            for each in layer.declared_parameters():
                each.value[...] = 0.5
            begin_pass(layer)
            found.append(np.array(layer.forward(x)))
        first, second = found
        if not np.array_equal(first, second):
            raise ValueError("it draws random numbers, so that no two results are the same")
        if first.dtype != np.float64:
            raise ValueError("its outputs aren't numbers of float64")

    def applies(self, check: str) -> bool:
        """Whether the layer has what is checked."""
        found = {
            "gradients": bool(self.names),
            "evaluation": self.takes_training,
            "extremes": bool(self.exercise.inputs),
        }
        return found.get(check, not check.startswith(("drop", "drawn", "same")))

    @property
    def takes_training(self) -> bool:
        """Whether ``forward`` has an argument ``training``."""
        return self.exercise.evaluates or self.states

    def layer(self, rng: np.random.Generator, seed: int = 0) -> Layer:
        """Return the built-in with random parameters."""
        layer: Layer = standalone(self.reference(), self.exercise.shape, seed=seed, resolver=self.registry.create)
        for each in layer.declared_parameters():
            each.value += rng.normal(size=each.shape)
        return layer

    def x(self, rng: np.random.Generator, rows: int = ROWS) -> Array:
        """Return random inputs."""
        return rng.normal(size=(rows, *self.exercise.shape))

    def made(self, layer: Layer) -> tuple[Step, list[Array]]:
        """Return the step that builds the submission's class with a layer's parameters, and these."""
        arrays = [np.array(each.value, np.float64) for each in layer.declared_parameters()]
        return self.make(**{name: place for place, name in enumerate(self.names)}), arrays

    def passes(self, submission: Submission, rng: np.random.Generator) -> tuple[dict[str, Array], dict[str, Array]]:
        """Return what the submission and the built-in give for one forward and backward, and what went in."""
        layer, x = self.layer(rng), self.x(rng)
        made, arrays = self.made(layer)
        begin_pass(layer)
        y = np.array(layer.forward(x))
        dy = rng.normal(size=y.shape)
        dx = np.array(layer.backward(dy.copy()))
        expected = {"y": y, "dx": dx}
        expected |= {f"d{name_of(each.path)}": np.array(each.grad) for each in layer.declared_parameters()}
        steps = [
            made,
            ["call", "forward", [{"array": len(arrays)}]],
            ["call", "backward", [{"array": len(arrays) + 1}]],
        ]
        steps += [["get", name] for name in expected if name not in ("y", "dx")]
        found = submission.ask(*steps, arrays=[*arrays, x, dy])
        self.known = {"x": x, "dy": dy, "the number of rows": np.array(float(len(x)))}
        return dict(zip(expected, found, strict=True)), expected

    def check_forward(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare y."""
        layer, x = self.layer(rng), self.x(rng)
        made, arrays = self.made(layer)
        begin_pass(layer)
        (y,) = submission.ask(made, ["call", "forward", [{"array": len(arrays)}]], arrays=[*arrays, x])
        require_equal("y", y, layer.forward(x), {"x": x})

    def check_extremes(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare y and dx for the exercise's inputs."""
        layer = self.layer(rng)
        x = np.resize(np.array(self.exercise.inputs), (len(self.exercise.inputs), *self.exercise.shape))
        made, arrays = self.made(layer)
        begin_pass(layer)
        y = np.array(layer.forward(x))
        dy = np.ones_like(y)
        dx = np.array(layer.backward(dy.copy()))
        steps = [
            made,
            ["call", "forward", [{"array": len(arrays)}]],
            ["call", "backward", [{"array": len(arrays) + 1}]],
        ]
        found = submission.ask(*steps, arrays=[*arrays, x, dy])
        for name, array, right in zip(("y", "dx"), found, (y, dx), strict=True):
            require_equal(name, array, right, {"x": x})

    def check_backward(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare dx."""
        found, expected = self.passes(submission, rng)
        require_equal("dx", found["dx"], expected["dx"], self.known)

    def check_gradients(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare the gradients of the parameters."""
        found, expected = self.passes(submission, rng)
        for name in list(expected)[2:]:
            require_equal(name, found[name], expected[name], self.known)

    def check_evaluation(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare y outside training, after three forwards in training."""
        layer = self.layer(rng)
        made, arrays = self.made(layer)
        batches = [self.x(rng) + 1 for _ in range(4)]
        for x in batches[:3]:
            begin_pass(layer)
            layer.forward(x)
        layer.training = False
        places = range(len(arrays), len(arrays) + 4)
        steps = [["call", "forward", [{"array": place}, place < places[-1]]] for place in places]
        y = submission.ask(made, *steps, arrays=[*arrays, *batches])[-1]
        require_equal("y", y, layer.forward(batches[-1]), {"x": batches[-1]})

    def check_latest(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare dx after two forwards with other rows, and the inputs with a copy."""
        layer, x, others = self.layer(rng), self.x(rng), self.x(rng, ROWS + 2)
        made, arrays = self.made(layer)
        begin_pass(layer)
        dy = rng.normal(size=np.shape(layer.forward(x)))
        dx = np.array(layer.backward(dy.copy()))
        first, second, third = ({"array": len(arrays) + place} for place in range(3))
        steps: list[Step] = [["call", "forward", [each]] for each in (first, second)] + [["call", "backward", [third]]]
        steps.append(["argument", "x", second["array"]])
        *_, found, after = submission.ask(made, *steps, arrays=[*arrays, others, x, dy])
        if not np.array_equal(after, x):
            raise SubmissionError("forward or backward changes its input x; work on a copy")
        require_equal("dx after a second forward", found, dx, {"dy": dy})

    def check_speed(self, submission: Submission, rng: np.random.Generator) -> None:
        """Time forward and backward on many rows."""
        layer, x = self.layer(rng), self.x(rng, max(1, ECHOED // int(np.prod(self.exercise.shape))))
        made, arrays = self.made(layer)
        begin_pass(layer)
        place = len(arrays)
        dy = np.ones_like(layer.forward(x))
        for what, at in (("forward", place), ("backward", place + 1)):
            first = [["call", "forward", [{"array": place}]]] if what == "backward" else []

            def steps(times: int, what: str = what, at: int = at, first: list[Step] = first) -> list[Step]:
                return [made, *first, ["call", what, [{"array": at}], times]]

            require_fast(submission, steps, [*arrays, x, dy], what)

    def dropped(self, submission: Submission, *further: Step) -> tuple[Array, list[Array]]:
        """Return inputs without zeros, and what two forwards and further steps return for them."""
        x = np.random.default_rng(0).uniform(1, 2, (ECHOED // 10, *self.exercise.shape))
        made, _ = self.made(self.layer(np.random.default_rng(0)))
        forward = ["call", "forward", [{"array": 0}]]
        found = submission.ask(made, forward, forward, *further, arrays=[x, x[::-1]])
        for y in found[:2]:
            if y.shape != x.shape:
                raise SubmissionError(f"y has shape {y.shape}, expected {x.shape}")
        return x, found

    def check_dropped(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare the share of zeros with the rate, and the other elements with x / (1 - rate)."""
        rate = float((self.exercise.passed or {})["rate"])
        x, (y, _) = self.dropped(submission)
        share, sigma = float((y == 0).mean()), (rate * (1 - rate) / y.size) ** 0.5
        if abs(share - rate) > 6 * sigma:
            raise SubmissionError(f"{share:.1%} of the elements are zero, expected {rate:.0%}")
        kept = y != 0
        require_equal("y of an element that is kept", y[kept], x[kept] / (1 - rate), {"x": x[kept]})

    def check_drawn_again(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare the zeros of two forwards."""
        _, (first, second) = self.dropped(submission)
        if np.array_equal(first == 0, second == 0):
            raise SubmissionError("two forwards drop the same elements; draw again in each")
        if len(np.unique(first == 0, axis=0)) == 1:
            raise SubmissionError("all rows drop the same elements; draw a number for each element")

    def check_same_elements(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare dx with dy where the latest forward kept elements."""
        rate = float((self.exercise.passed or {})["rate"])
        x, (_, y, dx) = self.dropped(submission, ["call", "backward", [{"array": 1}]])
        require_equal("dx", dx, np.where(y == 0, 0, x[::-1] / (1 - rate)), {"dy": x[::-1]})

    def skeleton(self) -> str:
        """Return the class without its mathematics."""
        training = ", training=True" if self.takes_training else ""
        gradients = "".join(f", and set self.d{name}" for name in self.names)
        rows = f"(rows, {', '.join(map(str, self.exercise.shape))}{',' if not self.exercise.shape else ''})"
        lines = [
            *self.header(),
            f"class {self.called}:",
            *self.constructor(*self.names),
            f"    def forward(self, x{training}):",
            f'        """Return y for x of shape {rows}."""',
            '        raise NotImplementedError("write forward")',
            "",
            "    def backward(self, dy):",
            f'        """Return dx{gradients}."""',
            '        raise NotImplementedError("write backward")',
        ]
        return "\n".join(lines) + "\n"

    def visible_checks(self) -> str:
        """Return a test of an example, and one of gradients by differences."""
        layer = self.layer(np.random.default_rng(1))
        x = self.x(np.random.default_rng(2), 3).round(2)
        parameters = {name_of(each.path): np.array(each.value).round(2) for each in layer.declared_parameters()}
        for each in layer.declared_parameters():
            each.value[...] = parameters[name_of(each.path)]
        begin_pass(layer)
        y = np.array(layer.forward(x))
        made = ", ".join([f"{name}={name}" for name in parameters])
        values: dict[str, Any] = {"X": x} | ({} if "dropped" in (self.exercise.points or {}) else {"Y": y}) | parameters
        names = ", ".join(f'("{name}", "d{name}")' for name in parameters)
        return _TESTS.format(
            stem=self.exercise.stem,
            called=self.called,
            values="\n".join(f"{name} = {literal(value)}" for name, value in values.items()),
            made=made,
            more="" if "dropped" in (self.exercise.points or {}) else _COMPARED.replace("PARAMETERS", f"[{names}]"),
        )


_TESTS = '''"""Checks that you see: run them with pytest in this folder. mlpkit grade has more."""

import numpy as np
from {stem} import {called}

{values}


def new():
    return {called}({made})


def test_shapes():
    layer = new()
    dy = np.ones_like(layer.forward(X))
    assert layer.backward(dy).shape == X.shape
{more}'''

_COMPARED = """

def test_an_example():
    np.testing.assert_allclose(new().forward(X), Y, rtol=1e-4, atol=1e-5)


def test_gradients_are_the_slopes_of_forward():
    def loss():
        return np.sum(layer.forward(X) * dy)

    layer = new()
    dy = np.random.default_rng(3).normal(size=layer.forward(X).shape)
    dx = layer.backward(dy.copy())
    gradients = [(X, dx), *((getattr(layer, name), getattr(layer, of)) for name, of in PARAMETERS)]
    for array, gradient in gradients:
        for place in np.ndindex(array.shape):
            here = array[place]
            array[place] = here + 1e-5
            above = loss()
            array[place] = here - 1e-5
            slope = (above - loss()) / 2e-5
            array[place] = here
            assert abs(slope - gradient[place]) < 1e-5, f"at {place}: {gradient[place]}, but the slope is {slope}"
"""


def name_of(path: str) -> str:
    """Return the name of a parameter without its layer's."""
    return path.partition(".")[2]
