"""Examples and checks of verbs: they end with an exit code, and their options don't hide mlpkit's."""

from __future__ import annotations

from contextlib import chdir, redirect_stdout
from io import StringIO
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import numpy as np

from mlpkit.errors import MlpkitError
from mlpkit.testing.suite.check import CheckFailure, checks_component, checks_examples, described
from mlpkit.testing.suite.example import Example

if TYPE_CHECKING:
    from mlpkit.testing.suite.comparison import Arrays
    from mlpkit.testing.suite.plugin_under_test import ComponentUnderTest

TAKEN: Final = ("help", "color", "plugin", "plugins")


class VerbExample(Example):
    """A verb that is called in an empty folder."""

    sample = "[{'run': 'runs/mnist'}]"

    def exercise(self) -> Arrays:
        """Call the verb, and return its exit code."""
        ended = self.end()
        return {"the exit code": np.array(ended.exit_code if isinstance(ended, MlpkitError) else ended)}

    def end(self) -> int | MlpkitError:
        """Call the verb, and return its exit code, or the error that it raised.

        Raises:
            CheckFailure: it returned something else, or raised an exception that isn't mlpkit's.
        """
        with TemporaryDirectory() as folder, chdir(folder), redirect_stdout(StringIO()):
            try:
                code = self.make()()
            except MlpkitError as error:
                return error
            except (Exception, SystemExit) as error:
                what = "SystemExit" if isinstance(error, SystemExit) else described(error)
                raise CheckFailure(
                    f"it raised {what}",
                    expected="an exit code, or an error of mlpkit's such as UsageError",
                    remedy="raise mlpkit.UsageError, or another MlpkitError, with a message of your own",
                ) from error
        if not isinstance(code, int | None):
            raise CheckFailure(f"it returned {code!r}", expected="an exit code, or None", remedy="print results")
        return code or 0


@checks_examples("verb", says_why_unusable=True)
def ends_with_an_exit_code(example: VerbExample) -> None:
    """Does the verb return an exit code or None, and raise nothing but mlpkit's errors?

    It is called in an empty folder, where what it needs is missing; users then see what, and not a traceback.
    """
    example.end()


@checks_examples("verb")
def its_errors_say_what_is_wrong(example: VerbExample) -> None:
    """Has an error that ends the verb a message?

    It is all that users see.
    """
    ended = example.end()
    if isinstance(ended, MlpkitError) and not str(ended).strip():
        raise CheckFailure(f"it raised {type(ended).__name__} without a message", expected="what is wrong")


@checks_component("verb")
def its_options_have_names_of_their_own(subject: ComponentUnderTest) -> None:
    """Is no parameter called as an option that every command has, ``help`` or ``color``?

    Otherwise the option couldn't be given.
    """
    for name in TAKEN:
        if name in subject.entry.schema.types:
            raise CheckFailure(
                f"it has a parameter {name}", expected="another name", remedy=f"--{name} is mlpkit's own"
            )
