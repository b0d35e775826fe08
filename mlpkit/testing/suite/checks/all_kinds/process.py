"""The process: a component changes nothing around it."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from mlpkit.components.kinds import KINDS
from mlpkit.testing.suite.check import checks_examples
from mlpkit.testing.suite.nonconformity import Nonconformity
from mlpkit.testing.suite.process_state import changes, process_state, restore

if TYPE_CHECKING:
    from mlpkit.testing.suite.examples.example import Example


@checks_examples(*KINDS)
def the_process_is_left_alone(example: Example) -> None:
    """Are NumPy's error settings, the environment, the working folder and the import path the same afterwards?

    They belong to the program that uses mlpkit, and results may depend on them.
    """
    before = process_state()
    try:
        example.exercise()
        changed = changes(before, process_state())
    finally:
        restore(before)
    if changed:
        raise Nonconformity(
            f"using the component changed {', '.join(changed)}",
            expected="them to be left alone",
            remedy="change such settings within a with block, as in with np.errstate(...)",
        )


@checks_examples(*KINDS)
def no_file_appears_in_the_working_folder(example: Example) -> None:
    """Is the working folder as empty after the component was used as before?

    What a run leaves belongs into its run folder.
    """
    with TemporaryDirectory() as folder, chdir(folder):
        example.exercise()
        written = sorted(path.name for path in Path(folder).iterdir())
    if written:
        raise Nonconformity(
            f"{', '.join(written)} appeared in the working folder",
            expected="nothing to be written there",
            remedy="a callback writes into training.folder, where there is one; other components write nothing",
        )
