"""Examples and checks of callbacks, which only observe, and resume from their state."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from mlpkit.components.callback import Callback, Outcome, TrainingView, Weights
from mlpkit.components.schedule import Progress
from mlpkit.testing.suite.check import Arrays, check_same_bits, checks_examples, failing_with, require
from mlpkit.testing.suite.plugin_under_test import Example
from mlpkit.training.checkpointing import pack, unpack

STEPS = 12
STEPS_PER_EVALUATION = 3


class CallbackExample(Example):
    """A callback that follows a short training whose losses first fall and then rise."""

    sample = "[{'patience': 2}]"

    def view(self, folder: Path | None = None) -> TrainingView:
        """Return the view of a training before its first step."""
        rng = self.random("parameters")
        values = np.append(rng.normal(size=12), np.zeros(3))
        parameters = {"Layer1.W": values[:12].reshape(4, 3), "Layer1.b": values[12:]}
        return TrainingView(Progress(0, 0.0, STEPS), parameters, folder, weights=Weights(values, np.ones(2)))

    def follow(self, callback: Callback, view: TrainingView, first: int = 1, last: int = STEPS) -> list[Any]:
        """Pass some steps of a training to a callback, and return the steps after which it asked to stop, and why.

        Before the first of them, from 1, ``on_start`` is called, as when a run is resumed; after the last step of the
        training, ``on_end`` and ``on_close``.
        """
        asked = []
        view.history = history = [record_after(step) for step in range(1, first) if step % STEPS_PER_EVALUATION == 0]
        view.progress.step, view.progress.epoch = first - 1, (first - 1) / STEPS_PER_EVALUATION
        callback.on_start(view)
        for step in range(first, last + 1):
            view.progress.step, view.progress.epoch = step, step / STEPS_PER_EVALUATION
            callback.on_step(view, loss_after(step))
            if step % STEPS_PER_EVALUATION == 0:
                history.append(record_after(step))
                callback.on_evaluation(view, history[-1])
            if view.stop_reason:
                asked.append((step, view.stop_reason))
                view.stop_reason = ""
        if last == STEPS:
            callback.on_end(view)
            callback.on_close(view, Outcome("finished", {"test": {"loss": loss_after(last)}}))
        return asked

    def exercise(self) -> Arrays:
        """Follow a whole training."""
        callback = self.make()
        asked = self.follow(callback, self.view())
        return {"the steps that it asked to stop after": np.array([step for step, _ in asked], np.int64)}


def loss_after(step: int) -> float:
    """Return the loss of a step, which first falls and then rises."""
    return 0.5 + abs(step - STEPS / 3) / STEPS


def record_after(step: int) -> dict[str, float]:
    """Return the record of the history after a step."""
    loss = loss_after(step)
    figures = {"train_loss": loss, "validation_loss": loss + 0.1}
    return {"iteration": step, "epoch": step / STEPS_PER_EVALUATION, "learning_rate": 0.1, **figures}


@checks_examples("callback", says_why_unusable=True)
def writes_no_other_files_than_it_says(example: CallbackExample) -> None:
    """Can it follow a training without a run folder, and with one, where it writes only files that ``files`` names?

    In Python there may be no run folder; ``training.folder`` is then None. Before a run starts, the names are compared
    with the files of mlpkit and of other callbacks.
    """
    example.follow(example.make(), example.view())
    with TemporaryDirectory() as folder:
        callback = example.make()
        example.follow(callback, example.view(Path(folder)))
        written = {path.name for path in Path(folder).iterdir()}
    files = callback.files()
    are_names, remedy = isinstance(files, list | tuple | set), "return [] if it writes none"
    require(are_names, f"files returned {files!r}", expected="a list of names", remedy=remedy)
    others = sorted(written - set(files))
    happened = f"it wrote {', '.join(others)} into the run folder, which files doesn't name"
    require(not others, happened, expected="files to return the name of each file", remedy="add the method files")


@checks_examples("callback")
def leaves_the_parameters_alone(example: CallbackExample) -> None:
    """Are the network's parameters unchanged after every event?

    A callback that only observes doesn't change results.
    """
    view = example.view()
    before = {name: array.copy() for name, array in view.parameters.items()}
    example.follow(example.make(), view)
    check_same_bits(view.parameters, before, "while the callback followed a training", "change a copy instead")


@checks_examples("callback")
def state_is_plain_data(example: CallbackExample) -> None:
    """Does ``state`` return a mapping that a checkpoint can store?

    It may contain None, Booleans, numbers, strings and arrays, in lists, tuples and mappings with strings as keys.
    """
    callback = example.make()
    for first, last in ((1, 4), (5, STEPS)):
        example.follow(callback, example.view(), first, last)
        state = callback.state()
        is_mapping, remedy = isinstance(state, dict), "return {} if it keeps nothing"
        require(is_mapping, f"state returned {state!r}", expected="a mapping", remedy=remedy)
        with failing_with(
            f"state returned {state!r}, which a checkpoint can't store:",
            expected="None, Booleans, numbers, strings, arrays, and lists, tuples and mappings of them",
            remedy="convert its values to these, with strings as keys",
        ):
            _saved(state)


@checks_examples("callback")
def goes_on_after_a_resume(example: CallbackExample) -> None:
    """Does a new object, after loading the state, continue as the old one would have?

    A training that was interrupted must end as if it hadn't been. ``on_start`` is called after ``load_state``.
    """
    whole, before = example.make(), example.make()
    expected = example.follow(whole, example.view())
    for interrupted in (3, 7):
        asked = example.follow(before, example.view(), 1, interrupted)
        after = example.make()
        text, arrays = _saved(before.state())
        after.load_state(unpack(json.loads(text), arrays))
        asked += example.follow(after, example.view(), interrupted + 1, STEPS)
        require(
            asked == expected and _bits(after.state()) == _bits(whole.state()),
            f"interrupted after step {interrupted} it asked to stop at {asked} and remembered {after.state()}",
            expected=f"{expected} and {whole.state()}, as without an interruption",
            remedy="return from state everything that load_state needs, and reset nothing in on_start",
        )
        before = example.make()


def _saved(state: dict[str, Any]) -> tuple[str, Arrays]:
    """Return a state as a checkpoint stores it: as JSON, with the arrays apart."""
    arrays: Arrays = {}
    return json.dumps(pack(state, arrays, "state")), arrays


def _bits(state: dict[str, Any]) -> object:
    """Return a form of a state that is equal for states with the same bits, in any order of keys."""
    text, arrays = _saved(state)
    return json.loads(text), {name: (array.dtype, array.shape, array.tobytes()) for name, array in arrays.items()}
