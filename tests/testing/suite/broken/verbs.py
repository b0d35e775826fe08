"""Verbs that break what verbs promise."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from kill_matrix import caught_by
from sound import Count

from mlpkit import UsageError


@caught_by("ends_with_an_exit_code")
class ShowsATraceback(Count):
    """raises an exception of Python's if a folder is missing"""

    def __call__(self):
        print(len(list(Path(self.folder).iterdir())))


@caught_by("ends_with_an_exit_code")
class EndsTheProgram(Count):
    """ends the program by itself"""

    def __call__(self):
        sys.exit(3)


@caught_by("ends_with_an_exit_code")
class ReturnsItsResult(Count):
    """returns a text in place of an exit code"""

    def __call__(self):
        return "3 files"


@caught_by("its_options_have_names_of_their_own")
class HidesTheHelp(Count):
    """has a parameter called help

    Args:
        folder: the folder.
        help: whether to help.
    """

    def __init__(self, folder: str, help: bool = False) -> None:  # noqa: A002 - wrong on purpose
        self.folder = folder


@caught_by("its_errors_say_what_is_wrong")
class FailsInSilence(Count):
    """raises an error without a message if a folder is missing"""

    def __call__(self):
        if not Path(self.folder).is_dir():
            raise UsageError("")


@caught_by("ends_with_an_exit_code")
class ReturnsANumber(Count):
    """returns a count of files that is no whole number"""

    def __call__(self):
        return 3.0


@caught_by("the_same_twice_gives_the_same_bits")
class CountsItsCalls(Count):
    """ends with the number of its calls as its exit code"""

    calls = itertools.count(1)

    def __call__(self):
        return next(self.calls)
