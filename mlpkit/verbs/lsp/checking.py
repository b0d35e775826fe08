"""Checks the text of a spec as ``mlpkit check`` does a file, and keeps its data from one check to the next."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from mlpkit.cli.exit_codes import problems_of
from mlpkit.components.dataset import Dataset
from mlpkit.components.schema.context import Problem
from mlpkit.errors import DataError, Diagnostic, MlpkitError
from mlpkit.jobs.check import CheckedSpec, check
from mlpkit.registry.registry import Registry
from mlpkit.specfile.document import Document, Texts, read_document
from mlpkit.specfile.spec import Spec, check_document


class CheckedText(NamedTuple):
    """The result of a check: without a document the text can't be read, and only one that is right has shapes."""

    problems: tuple[Diagnostic, ...]
    warnings: tuple[Diagnostic, ...] = ()
    document: Document | None = None
    right: CheckedSpec | None = None


class Checker:
    """Checks texts, one after the other."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._described: tuple[object, Dataset] | None = None

    def check(self, path: Path, texts: Texts) -> CheckedText:
        """Check the spec in a file, taking the texts in the editor for those on the disk."""
        document = spec = None
        try:
            document = read_document(path, texts=texts)
            spec = check_document(document, self._registry)
            right = check(spec, self._dataset(spec))
        except MlpkitError as error:
            warnings = (*(spec.warnings if spec else ()), *getattr(error, "warnings", ()))
            problems = tuple(_placed(problem, error, document, spec) for problem in problems_of(error))
            return CheckedText(problems, warnings, document)
        return CheckedText((), (*spec.warnings, *right.data_warnings), document, right)

    def forget_data(self) -> None:
        """Read the data again at the next check."""
        self._described = None

    def _dataset(self, spec: Spec) -> Dataset:
        """Return the spec's data set, which keeps what it has read as long as nothing about it changes."""
        files = [file for path, file in spec.files.items() if path[:1] == ("data",)]
        key = (spec.data.component, spec.data.reference(), spec.dtype, [_state_of(file) for file in files])
        if self._described is None or self._described[0] != key:
            self._described = (key, spec.new_dataset())
        return self._described[1]


def _state_of(file: str) -> Any:
    try:
        state = Path(file).stat()
    except (OSError, ValueError):  # missing, or a name that no file can have
        return None
    return state.st_mtime_ns, state.st_size


def _placed(problem: Diagnostic, error: MlpkitError, document: Document | None, spec: Spec | None) -> Diagnostic:
    """Return a problem with a place in the spec; one of a data file has the place that names the file."""
    if problem.line or document is None:
        return problem
    named = spec.files.items() if spec and isinstance(error, DataError) else ()
    path = next((path for path, file in named if file == problem.file), ("data",) if named else ())
    return document.located(
        Problem(path, problem.message, problem.expected, problem.remedy, notes=problem.notes, code=problem.code)
    )
