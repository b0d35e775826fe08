"""Verbs: commands that plugins add to the program."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from mlpkit.components.component import Component


class Verb(Component):
    """A command, called as ``mlpkit NAMESPACE.NAME``.

    Its command line is made of the constructor's parameters: those without a default are arguments, in their order, and
    the rest are options. Values are checked as in a spec.

    Attributes:
        plugins: the files that ``--plugin`` names, for functions such as ``mlpkit.load``.
    """

    kind: ClassVar[str] = "verb"
    plugins = tuple[str, ...]()

    @abstractmethod
    def __call__(self) -> int | None:
        """Do the work; print results to standard output, and messages to standard error.

        Returns:
            the exit code; None for 0.

        Raises:
            MlpkitError: the work failed; the message is printed, and the error's ``exit_code`` returned.
            UsageError: the arguments are wrong.
        """
