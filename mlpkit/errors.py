"""Every exception that mlpkit raises on purpose.

``exit_code`` is what the command line returns: 1 if the work failed, 2 if the spec or the usage is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, NamedTuple, TypeAlias

DEBUG: Final = "MLPKIT_DEBUG"
"""The environment variable that asks for tracebacks."""

LONGEST_WORD: Final = 500
"""Characters without a space up to which a message shows them all."""

LONGEST_LINE: Final = 2000
"""Characters of a line up to which a message shows it whole."""

OVERLONG: Final = rf"(?<!\S)(\S{{100}})\S{{{LONGEST_WORD - 119},}}(\S{{20}})"


def abridged(text: str) -> str:
    """Return a message without the middle of over-long words and the end of over-long lines.

    A message may quote a value of any length: from a spec, from the command line, or from a plugin.
    """
    if len(text) <= LONGEST_WORD:
        return text
    lines = (re.sub(OVERLONG, r"\1...\2", line) for line in text.split("\n"))
    return "\n".join(line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}..." for line in lines)


LONGEST_NAME = 200
"""Characters of a column's name that a message shows."""


def printable(text: str, *, keep: str = "") -> str:
    r"""Return a text that every terminal shows as it is: escapes, as in ``\x1b``, for what would command or reorder it.

    Args:
        text: any text, such as a name out of a file: control characters, line ends and surrogates become escapes, and
            so do invisible characters, such as U+202E, which turns the rest of a line around.
        keep: characters to leave as they are, such as ``"\n"`` in a message of several lines.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in keep else ascii(each)[1:-1] for each in text)


Code: TypeAlias = Literal[
    "broken-plugin",
    "chart-failed",
    "component-failed",
    "conflicting-keys",
    "deprecated",
    "diverged",
    "doubtful-value",
    "duplicate-key",
    "duplicate-name",
    "ensemble-failed",
    "export-differs",
    "internal-error",
    "missing-engine",
    "missing-file",
    "missing-key",
    "misplaced-loss",
    "not-exportable",
    "out-of-memory",
    "out-of-range",
    "out-of-resources",
    "process-failed",
    "shifted-name",
    "storage-failed",
    "too-large",
    "unknown-component",
    "unknown-key",
    "unknown-layer",
    "unknown-variable",
    "unreadable-file",
    "unsupported-yaml",
    "workers-lost",
    "wrong-data",
    "wrong-extends",
    "wrong-model-file",
    "wrong-name",
    "wrong-override",
    "wrong-run-folder",
    "wrong-shape",
    "wrong-target",
    "wrong-type",
    "wrong-usage",
    "wrong-value",
    "wrong-version",
    "yaml-syntax",
]
"""What kind of problem it is: stable names, which ``docs/problems.md`` explains one by one."""


class MlpkitError(Exception):
    """Base of every error of mlpkit."""

    exit_code = 1
    code: ClassVar[Code] = "internal-error"

    def __init_subclass__(cls, *, code: Code | None = None, exit_code: int | None = None) -> None:
        """Take what is special about a class of errors from its first line."""
        super().__init_subclass__()
        cls.code, cls.exit_code = code or cls.code, exit_code or cls.exit_code

    def __str__(self) -> str:
        """Return the message, abridged, in characters that every terminal shows: it may quote a stranger's file."""
        return printable(abridged(super().__str__()), keep="\n\t")


class UsageError(MlpkitError, code="wrong-usage", exit_code=2):
    """A command or a function was asked for something it can't do."""


class Fix(NamedTuple):
    """A change of a spec's text that removes a problem, and that can't be wrong.

    Args:
        old: the text to replace, which begins at the problem's line and column; empty to insert before them.
        new: the text instead; empty to remove the old one.
    """

    old: str
    new: str


class Diagnostic(NamedTuple):
    """One thing that is wrong in a spec, and where.

    Args:
        file: the spec's path, or the override that the value came from; of a spec from Python, the key's dotted path.
        line: line, counted from 1; 0 for a place that has no lines.
        column: column, counted from 1; 0 for a place that has no lines.
        message: what is wrong.
        source: the text of that line.
        width: how many characters the caret marks.
        expected: what was expected instead.
        remedy: what to do.
        notes: further places that matter, each a line.
        code: what kind of problem it is.
        path: the dotted key; empty for the whole spec, or where the text can't be read.
        end_line: line of the last wrong character.
        end_column: column after it.
        fix: what to write instead, if that is known.
    """

    file: str
    line: int
    column: int
    message: str
    source: str = ""
    width: int = 1
    expected: str = ""
    remedy: str = ""
    notes: tuple[str, ...] = ()
    code: Code = "wrong-value"
    path: str = ""
    end_line: int = 0
    end_column: int = 0
    fix: Fix | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data, as ``--json`` prints it; null where something is unknown."""
        return {
            "code": self.code,
            "message": self.message,
            "file": self.file or None,
            "line": self.line or None,
            "column": self.column or None,
            "end_line": self.end_line or None,
            "end_column": self.end_column or None,
            "path": self.path or None,
            "expected": self.expected or None,
            "help": self.remedy or None,
            "notes": list(self.notes),
            "fix": None if self.fix is None else {"path": self.path or None, "old": self.fix.old, "new": self.fix.new},
            "docs": f"docs/problems.md#{self.code}",
        }

    def __str__(self) -> str:
        """Show the fault as a compiler would: place, message, source line with a caret, help."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        lines = [f"{place}: {self.message}"]
        if self.source.strip():
            number = f"{self.line:>5} | "
            margin = " " * (len(number) - 2) + "| "
            indent = "".join("\t" if c == "\t" else " " for c in self.source[: self.column - 1])
            lines += [number + self.source, margin + indent + "^" * max(1, self.width)]
        lines += [f"  expected: {self.expected}"] if self.expected else []
        lines += [f"  help: {self.remedy}"] if self.remedy else []
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)


class SpecError(MlpkitError, exit_code=2):
    """A spec is wrong.

    Args:
        faults: everything that one stage found.
        warnings: what is right, but shouldn't be done any more, or is probably a mistake, if noticed.
    """

    def __init__(self, faults: Sequence[Diagnostic], warnings: Sequence[Diagnostic] = ()) -> None:
        self.faults = tuple(faults)
        self.warnings = tuple(warnings)
        super().__init__("\n\n".join(str(fault) for fault in self.faults))


class SpecSyntaxError(SpecError):
    """The text is not in the strict YAML dialect of specs."""


class SpecSchemaError(SpecError):
    """A key, a component or a value is not what the spec format or the component asks for."""


class SpecShapeError(SpecError):
    """The layers don't fit each other, the data, or the training settings."""


class WrongUseError(MlpkitError, code="wrong-value", exit_code=2):
    """A component is used in a way it can't be; base of the errors with the expected value.

    The subject is what the message is about.
    """

    def __init__(self, message: str, *, expected: str = "", remedy: str = "", subject: str = "") -> None:
        self.message = printable(message)
        self.expected = printable(expected)
        self.remedy = printable(remedy)
        self.subject = printable(subject)
        parts = [self.described(), f"expected {self.expected}" if expected else "", self.remedy]
        super().__init__("; ".join(filter(None, parts)))

    def described(self) -> str:
        """Return what is wrong with what, without the expected value and the advice."""
        return f"{self.subject}: {self.message}" if self.subject else self.message


class ParameterError(WrongUseError):
    """A component was given a wrong parameter.

    Args:
        parameter: the parameter's name, as in the signature.
        message: what is wrong with it.
        expected: what was expected instead.
        remedy: what to do.
    """

    def __init__(self, parameter: str, message: str, *, expected: str = "", remedy: str = "") -> None:
        self.parameter = parameter
        super().__init__(message, expected=expected, remedy=remedy, subject=parameter)


class ShapeError(WrongUseError, code="wrong-shape"):
    """A component can't take this shape or kind of target."""


class TargetError(ShapeError, code="wrong-target"):
    """A loss can't take this kind of target; the data set may know what to do about it."""


class UnknownComponentError(WrongUseError, code="unknown-component"):
    """No installed plugin provides a component of that name and kind."""


class PluginError(MlpkitError, code="broken-plugin", exit_code=2):
    """A plugin is broken, or breaks the plugin interface."""


class OpenEndedError(MlpkitError, AttributeError, code="wrong-usage", exit_code=2):
    """A training that ends after a time was asked how many steps it takes."""


class ComponentFailure(MlpkitError, code="component-failed"):  # noqa: N818 - the error is its cause
    """A component raised an exception in the middle of the work."""


class NotExportableError(MlpkitError, code="not-exportable"):
    """A component doesn't describe its operators, so a model with it can't be exported.

    Args:
        message: what can't be exported, and why.
        made_by: path of the layer or the loss that it comes from; empty if it isn't one of them.
    """

    def __init__(self, message: str, made_by: str = "") -> None:
        super().__init__(message)
        self.made_by = made_by


class ExportError(MlpkitError, code="export-differs"):
    """An exported file doesn't compute what the model does, so it was not kept."""


class EngineMissingError(MlpkitError, code="missing-engine"):
    """The program or library is missing that would run an exported file, to prove it."""


class ChartError(MlpkitError, code="chart-failed"):
    """A chart can't be drawn, so no page is written."""


class DataError(MlpkitError, code="wrong-data"):
    """A data file is missing, corrupt, or not in its declared format.

    Args:
        path: the file.
        message: what is wrong.
        byte: offset of the wrong byte, counted from 0.
        row: the row of a table, counted from 1; the first row of a file with a header is its header.
        column: the name of the table's column.
    """

    def __init__(
        self,
        path: str | Path,
        message: str,
        *,
        byte: int | None = None,
        row: int | None = None,
        column: str | None = None,
    ) -> None:
        self.path, self.message = str(path), message
        self.byte, self.row, self.column = byte, row, column
        name = column if column is None or len(column) <= LONGEST_NAME else f"{column[:LONGEST_NAME]}..."
        parts = {f"byte {byte}": byte, f"row {row}": row, f"column '{name}'": column}
        place = ", ".join([self.path, *(part for part, given in parts.items() if given is not None)])
        super().__init__(printable(f"{place}: {message}"))

    def renamed(self, path: str | Path, name: str) -> DataError:
        """Return the same error about the same file by another name."""
        called, message = (text.replace(str(path), name) for text in (self.path, self.message))
        return DataError(called, message, byte=self.byte, row=self.row, column=self.column)


class DivergenceError(MlpkitError, code="diverged"):
    """The loss, a gradient or a parameter is no longer a finite number."""


class EnsembleError(MlpkitError, code="ensemble-failed"):
    """A network of an ensemble could not be trained, so they can't be averaged."""


class NotEnoughMemoryError(MlpkitError, MemoryError, code="out-of-memory"):
    """There is too little memory for a network or its training."""


class RankError(MlpkitError, code="process-failed"):
    """A process that trains the network together with this one has failed, or doesn't answer.

    Args:
        message: what went wrong, and in which process.
        exit_code: what the command line returns.
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class WorkersLostError(MlpkitError, code="workers-lost"):
    """The machines that train the trials of a sweep can't be reached any more."""


class ModelFileError(MlpkitError, code="wrong-model-file"):
    """A model file can't be read, or isn't a valid model."""


class RunFolderError(MlpkitError, code="wrong-run-folder", exit_code=2):
    """A run folder can't be used, or is not a run folder."""


class StorageError(MlpkitError, code="storage-failed"):
    """A file can't be written: the disk is full, or the folder is read-only."""
