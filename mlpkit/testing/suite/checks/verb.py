"""Examples and checks of verbs: exit codes, error messages and names of options."""

from __future__ import annotations

from contextlib import chdir, redirect_stdout
from io import StringIO
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from mlpkit.errors import MlpkitError
from mlpkit.testing.suite.check import Arrays, CheckFailure, checks_component, checks_examples, described, require
from mlpkit.testing.suite.plugin_under_test import ComponentUnderTest, Example

TAKEN: Final = ("help", "color", "plugin", "plugins")


class VerbExample(Example):
    """A verb that is called in an empty folder."""

    sample = "[{'run': 'runs/mnist'}]"

    def exercise(self) -> Arrays:
        """Call the verb, and return its exit code."""
        result = self.call()
        return {"the exit code": np.array(result.exit_code if isinstance(result, MlpkitError) else result)}

    def call(self) -> int | MlpkitError:
        """Call the verb, and return its exit code, or the error that it raised."""
        with TemporaryDirectory() as folder, chdir(folder), redirect_stdout(StringIO()):
            try:
                code = self.make()()
            except MlpkitError as error:
                return error
            except (Exception, SystemExit) as error:
                what = "SystemExit" if isinstance(error, SystemExit) else described(error)
                raise CheckFailure(
                    f"it raised {what}",
                    expected="an exit code, or one of mlpkit's errors, such as UsageError",
                    remedy="raise mlpkit.UsageError or another MlpkitError, with your own message",
                ) from error
        expected = "an exit code, or None"
        require(isinstance(code, int | None), f"it returned {code!r}", expected=expected, remedy="print results")
        return code or 0


@checks_examples("verb", says_why_unusable=True)
def ends_with_an_exit_code(example: VerbExample) -> None:
    """Does the verb return an exit code or None, and raise only mlpkit's errors?

    It is called in an empty folder, without the files that it needs; users must then see an error, not a traceback.
    """
    example.call()


@checks_examples("verb")
def its_errors_say_what_is_wrong(example: VerbExample) -> None:
    """If the verb raises an error, does it have a message?

    Users see only the message.
    """
    result = example.call()
    happened = f"it raised {type(result).__name__} without a message"
    require(str(result).strip(), happened, expected="a description of the error")


@checks_component("verb")
def its_options_have_names_of_their_own(subject: ComponentUnderTest) -> None:
    """Do the names of its parameters differ from the options of every command, such as ``help`` and ``color``?

    Otherwise users couldn't pass the option.
    """
    for name in subject.entry.schema.types:
        remedy = f"--{name} is mlpkit's own"
        require(name not in TAKEN, f"it has a parameter {name}", expected="another name", remedy=remedy)
