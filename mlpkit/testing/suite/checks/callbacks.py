"""Following: a callback looks on, and remembers what a resumed training needs."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from mlpkit.testing.suite.check import CheckFailure, checks_examples
from mlpkit.testing.suite.comparison import expect_same_bits
from mlpkit.testing.suite.examples.callback import STEPS

if TYPE_CHECKING:
    from mlpkit.testing.suite.examples.callback import CallbackExample


@checks_examples("callback", says_why_unusable=True)
def follows_a_training_with_and_without_a_folder(example: CallbackExample) -> None:
    """Can it follow a training from beginning to end, with a run folder and without one?

    In Python nothing need be written, and ``training.folder`` is None.
    """
    example.follow(example.make(), example.view())
    with TemporaryDirectory() as folder:
        example.follow(example.make(), example.view(Path(folder)))


@checks_examples("callback")
def writes_no_other_files_than_it_says(example: CallbackExample) -> None:
    """Does it write only those files in the run folder that ``files`` names?

    Those are compared with the files of mlpkit and of other callbacks before a run begins.
    """
    with TemporaryDirectory() as folder:
        callback = example.make()
        example.follow(callback, example.view(Path(folder)))
        written = {path.name for path in Path(folder).iterdir()}
    others = sorted(written - set(callback.files()))
    if others:
        raise CheckFailure(
            f"it wrote {', '.join(others)} into the run folder, which files does not name",
            expected="files to return the name of each file and folder",
            remedy="write the method files",
        )


@checks_examples("callback")
def leaves_the_parameters_alone(example: CallbackExample) -> None:
    """Are the network's parameters the same after every event as before?

    A callback that only looks on changes no result.
    """
    view = example.view()
    before = {name: array.copy() for name, array in view.parameters.items()}
    example.follow(example.make(), view)
    expect_same_bits(view.parameters, before, "while the callback followed a training", "copy what is to be changed")


@checks_examples("callback")
def state_is_plain_data(example: CallbackExample) -> None:
    """Is what ``state`` returns plain data, the same after it was written as JSON and read?

    That is how a checkpoint keeps it.
    """
    callback = example.make()
    for first, last in ((1, 4), (5, STEPS)):
        example.follow(callback, example.view(), first, last)
        state = callback.state()
        try:
            read = json.loads(json.dumps(state, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise CheckFailure(
                f"state returned {state!r}, which JSON can't hold: {error}",
                expected="finite numbers, strings, lists and mappings",
            ) from error
        if not isinstance(state, dict) or read != state:
            raise CheckFailure(
                f"state returned {state!r}, which JSON gives back as {read!r}",
                expected="a mapping that JSON gives back as it is",
                remedy="use lists in place of tuples, and strings as keys",
            )


@checks_examples("callback")
def goes_on_after_a_resume(example: CallbackExample) -> None:
    """Does a new object that was given the state go on as the old one would have?

    A training that was interrupted must end as if it had not been. ``on_start`` is called after ``load_state``.
    """
    whole, before, after = example.make(), example.make(), example.make()
    expected = example.follow(whole, example.view())
    for interrupted in (3, 7):
        asked = example.follow(before, example.view(), 1, interrupted)
        after = example.make()
        after.load_state(json.loads(json.dumps(before.state())))
        asked += example.follow(after, example.view(), interrupted + 1, STEPS)
        if asked != expected or after.state() != whole.state():
            raise CheckFailure(
                f"interrupted after step {interrupted} it asked to stop at {asked} and remembered {after.state()}",
                expected=f"{expected} and {whole.state()}, as without an interruption",
                remedy="return from state all that load_state needs to go on, and set nothing back in on_start",
            )
        before = example.make()


@checks_examples("callback")
def new_callbacks_begin_anew(example: CallbackExample) -> None:
    """Does a new object know nothing of a training that another has followed?

    A program may train many networks.
    """
    expected, *others = [example.follow(example.make(), example.view()) for _ in range(4)]
    for found in others:
        if found != expected:
            raise CheckFailure(
                f"a new object asked to stop at {found} after others had followed trainings",
                expected=f"{expected}, as the first one did",
                remedy="keep figures in self, set in __init__",
            )
