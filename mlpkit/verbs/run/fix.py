"""Corrects specs: makes the changes of their text that the checker is certain of."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from difflib import unified_diff
from pathlib import Path
from typing import Final, NamedTuple, Unpack

from mlpkit.errors import Diagnostic, Fix, MlpkitError, SpecError, UsageError
from mlpkit.jobs.check import check
from mlpkit.registry.discovery import PluginOptions
from mlpkit.registry.registry import Registry
from mlpkit.runs.files import read_limited, storage_error, write_atomically
from mlpkit.specfile.document import BYTE_ORDER_MARK, read_document
from mlpkit.specfile.source import LARGEST_TEXT, SourceText
from mlpkit.specfile.spec import check_document

MOST_ROUNDS: Final = 100
"""Rounds of checking and fixing: a reader of YAML stops at its first mistake, and each stage hides the next."""


class FixedFile(NamedTuple):
    """A spec's file, as given, and its text before and after the fixes."""

    path: str
    before: str
    after: str

    def diff(self) -> Iterator[str]:
        """Return the lines of a unified diff."""
        return unified_diff(self.before.splitlines(), self.after.splitlines(), self.path, self.path, lineterm="")

    def write(self) -> None:
        """Write the text with the fixes made, or raise ``UsageError`` if it changed since; mode and links stay."""
        file = Path(os.path.realpath(self.path))
        if _text_of(self.path) != self.before:
            raise UsageError(f"{self.path} has changed meanwhile; nothing is written to it, check it again")
        if not os.access(file, os.W_OK):
            raise storage_error(file, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
        mode = file.stat().st_mode
        write_atomically(file, self.after.encode())
        file.chmod(mode)


class FixedSpecs(NamedTuple):
    """The files to write, and the problems that are fixed, by the path of the spec that has them."""

    files: Sequence[FixedFile]
    problems: Mapping[str, Sequence[Diagnostic]]


def fix_specs(paths: Sequence[str], **plugin_options: Unpack[PluginOptions]) -> FixedSpecs:
    """Make the fixes of some specs, and of what they show then, until none is left; nothing is written.

    A problem in a file that a spec extends is fixed only if the file is among the specs. What can't be read is left to
    the check.
    """
    registry = Registry.discover(**plugin_options)
    before = {_absolute(path): text for path in paths if (text := _text_of(path)) is not None}
    after = dict(before)
    fixed: dict[str, list[Diagnostic]] = {path: [] for path in paths}
    for _ in range(MOST_ROUNDS):
        fixes: dict[str, dict[tuple[int, int], Fix]] = {}
        for path, so_far in fixed.items():
            for problem in _problems(path, registry, after) if _absolute(path) in after else ():
                file, place = _absolute(problem.file), (problem.line, problem.column)
                if problem.fix is None or file not in after:
                    continue
                if fixes.setdefault(file, {}).setdefault(place, problem.fix) == problem.fix:
                    so_far.append(problem)
        if not fixes:
            break
        after |= {file: _changed(after[file], of_file) for file, of_file in fixes.items()}
    else:  # they undo each other
        return FixedSpecs((), dict.fromkeys(paths, ()))
    names = {_absolute(path): path for path in paths}
    changed = [FixedFile(names[file], before[file], after[file]) for file in before if after[file] != before[file]]
    return FixedSpecs(changed, fixed)


def _absolute(path: str) -> str:
    return os.path.normpath(Path.cwd() / path)


def _text_of(path: str) -> str | None:
    """Return the text of a file with its line ends and byte order mark; None if it can't be read."""
    with suppress(OSError, ValueError):  # not UTF-8, or a NUL in the name
        return read_limited(Path(path), LARGEST_TEXT + len(BYTE_ORDER_MARK.encode())).decode()
    return None


def _problems(path: str, registry: Registry, texts: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """Return what is wrong with a spec, and what it shouldn't do any more."""
    warnings: tuple[Diagnostic, ...] = ()
    try:
        spec = check_document(read_document(path, texts=texts), registry)
        warnings = spec.warnings
        return warnings + check(spec).data_warnings
    except SpecError as error:
        return (*error.faults, *warnings, *error.warnings)
    except MlpkitError:
        return warnings


def _changed(text: str, fixes: Mapping[tuple[int, int], Fix]) -> str:
    """Return a text with fixes made, each at its line and column; a byte order mark belongs to no line."""
    rest = text.removeprefix(BYTE_ORDER_MARK)
    mark, end, line_starts = text[: len(text) - len(rest)], len(rest), SourceText("", rest).line_starts
    for (line, column), (old, new) in sorted(fixes.items(), reverse=True):
        start = line_starts[line - 1] + column - 1
        if start + len(old) <= end and rest.startswith(old, start):
            rest, end = f"{rest[:start]}{new}{rest[start + len(old) :]}", start
    return f"{mark}{rest}"
