"""One contestant at one piece of work, in a process of its own.

    python benchmarks/contest_process.py REQUEST

The request is JSON: ``work`` (``steps``, ``first_step``, ``predict`` or ``train``), ``contestant``
(``module:Class``), ``task``, ``data`` (the folder of MNIST's arrays), and further keys of the work. The result is
one line of JSON on stdout. Only what the contestant itself needs is imported.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from pathlib import Path
from timeit import Timer
from typing import TYPE_CHECKING, Any

import numpy as np
from contestants.task import Task
from mnist_arrays import read_arrays

if TYPE_CHECKING:
    from contestants.contestant import Contestant
    from numpy.typing import NDArray

MEASUREMENTS = 9
IMAGES_COMPARED = 100
OURS = "mlpkit_trainer:MlpkitTrainer"
LIMIT = "matrix_products:MatrixProducts"


def main() -> None:
    """Do the requested work and print the result."""
    request = json.loads(sys.argv[1])
    task = Task(**{key: tuple(value) if isinstance(value, list) else value for key, value in request["task"].items()})
    works = (steps, first_step, predict, train)
    work = {each.__name__: each for each in works}[request["work"]]
    print(json.dumps(work(request, task)))


def steps(request: dict[str, Any], task: Task) -> dict[str, Any]:
    """Time training steps: ``warm_up`` and ``seconds`` say how long, ``examples`` on how much data."""
    from contestants.contestant import step_times  # noqa: PLC0415

    examples, timing = request["examples"], {"warm_up": request["warm_up"], "seconds": request["seconds"]}
    if request["contestant"] == OURS:
        times = implementation(request)(task, examples=examples).step_times(**timing)
    else:
        contestant = implementation(request)(task) if request["contestant"] == LIMIT else peer(request, task)
        times = step_times(contestant, examples=examples, batch_size=task.batch_size, **timing)
    return {"seconds": float(np.median(times)), "turns": len(times)}


def first_step(request: dict[str, Any], task: Task) -> dict[str, Any]:
    """Take one training step, and say when it was done, in seconds since the epoch."""
    contestant = peer(request, task)
    contestant.train(np.random.default_rng(1).integers(request["examples"], size=(1, task.batch_size)))
    return {"finished": time.time()}


def predict(request: dict[str, Any], task: Task) -> dict[str, Any]:
    """Time predictions for the first ``rows`` images of the test data, for each number of rows asked for."""
    images, _ = read_arrays(Path(request["data"]), "test")
    x = np.multiply(images, np.float32(1 / 255))
    if request["contestant"] == OURS:
        predictor = implementation(request)(task, examples=request["examples"]).predictor()
    else:
        predictor = peer(request, task)
    return {str(rows): seconds_of(predictor.predict, x[:rows]) for rows in request["rows"]}


def train(request: dict[str, Any], task: Task) -> dict[str, Any]:
    """Train ``steps`` steps, parameters and minibatches as mlpkit's were: it leaves them in the file ``exchange``.

    The result is how far apart parameters and predictions are from mlpkit's, and how far its parameters moved, the
    largest of each.
    """
    exchange = Path(request["exchange"])
    images, _ = read_arrays(Path(request["data"]), "test")
    x = np.multiply(images[:IMAGES_COMPARED], np.float32(1 / 255))
    if request["contestant"] == OURS:
        trainer = implementation(request)(task, examples=request["examples"])
        first, minibatches, network = trainer.trained(request["steps"])
        arrays = {"minibatches": minibatches, "prediction": network.predict(x)}
        for i, (before, after) in enumerate(zip(first, network.parameters.values(), strict=True)):
            arrays |= {f"first{i}": before, f"trained{i}": after}
        np.savez(exchange, **arrays)
        return {"moved": largest_difference(first, list(network.parameters.values()))}
    with np.load(exchange) as read:
        arrays = dict(read)
    first, expected = (
        [arrays[f"{name}{i}"] for i in range(2 * (len(task.filters) + len(task.hidden) + 1))]
        for name in ("first", "trained")
    )
    contestant = peer(request, task, first)
    contestant.train(arrays["minibatches"])
    return {
        "moved": largest_difference(first, expected),
        "parameters": largest_difference(contestant.parameters(), expected),
        "prediction": largest_difference([contestant.predict(x)], [arrays["prediction"]]),
    }


def implementation(request: dict[str, Any]) -> Any:
    """Return the contestant's class."""
    module, _, name = request["contestant"].partition(":")
    return getattr(import_module(f"contestants.{module}"), name)


def peer(request: dict[str, Any], task: Task, parameters: list[NDArray[np.float32]] | None = None) -> Contestant:
    """Return the peer, ready to train from the given parameters, by default the task's own first ones."""
    images, labels = read_arrays(Path(request["data"]), "train")
    contestant: Contestant = implementation(request)(task, images, labels, parameters or task.first_parameters())
    return contestant


def seconds_of(predict: Any, x: NDArray[np.float32]) -> float:
    """Return the seconds of a prediction, the median of several measurements."""
    timer = Timer(lambda: predict(x))
    repeats = max(1, timer.autorange()[0] // 10)  # a fiftieth of a second
    return float(np.median(timer.repeat(MEASUREMENTS, repeats))) / repeats


def largest_difference(some: list[NDArray[Any]], others: list[NDArray[Any]]) -> float:
    """Return the largest difference between two numbers of two arrays, each array with its counterpart."""
    return max(float(np.max(np.abs(a - b))) for a, b in zip(some, others, strict=True))


if __name__ == "__main__":
    main()
