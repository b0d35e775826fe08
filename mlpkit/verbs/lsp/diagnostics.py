"""Checks the text of a spec as ``mlpkit check`` does: problems as an editor marks them, and what removes them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final, NamedTuple

from lsprotocol import types
from pygls.workspace import PositionCodec

import mlpkit
from mlpkit.cli.exit_codes import problems_of
from mlpkit.components.dataset import Dataset
from mlpkit.components.schema.context import Problem
from mlpkit.errors import DataError, Diagnostic, MlpkitError
from mlpkit.jobs.check import CheckedSpec, check
from mlpkit.registry.registry import Registry
from mlpkit.specfile.document import Document, Texts, read_document
from mlpkit.specfile.source import SourceText
from mlpkit.specfile.spec import Spec, check_document
from mlpkit.verbs.lsp.open_spec import OpenSpec, offset_of, span_range

SHIPPED: Final = Path(mlpkit.__file__).with_name("shipped_docs")


def diagnostics(
    checked: CheckedText, owner: str, texts: Texts, codec: PositionCodec
) -> dict[str, list[types.Diagnostic]]:
    """Return what is wrong in each file; problems without a place in a file belong to the spec's, the owner."""
    found: dict[str, list[types.Diagnostic]] = {owner: []}
    severity = types.DiagnosticSeverity
    for problems, level in ((checked.problems, severity.Error), (checked.warnings, severity.Warning)):
        for problem in problems:
            file = os.path.normpath(problem.file) if problem.line else owner
            found.setdefault(file, []).append(_diagnostic(problem, level, _text_of(file, texts), codec))
    return found


def _text_of(file: str, texts: Texts) -> SourceText:
    if file in texts or not Path(file).is_file():
        return SourceText(file, texts.get(file, ""))
    return SourceText(file, Path(file).read_text("utf-8", "replace"))


def _diagnostic(
    problem: Diagnostic, severity: types.DiagnosticSeverity, text: SourceText, codec: PositionCodec
) -> types.Diagnostic:
    starts = text.line_starts
    start, end = (
        starts[min(line, len(starts)) - 1] + column - 1 if line else 0
        for line, column in ((problem.line, problem.column), (problem.end_line, problem.end_column))
    )
    docs, _, anchor = str(problem.to_plain()["docs"]).partition("#")
    lines = [problem.message]
    lines += [f"expected: {problem.expected}"] if problem.expected else []
    lines += [f"help: {problem.remedy}"] if problem.remedy else []
    lines += [f"note: {note}" for note in problem.notes]
    return types.Diagnostic(
        span_range(text, start, end, codec),
        "\n".join(lines),
        severity,
        problem.code,
        types.CodeDescription(f"{(SHIPPED / Path(docs).name).as_uri()}#{anchor}"),
        source="mlpkit",
        tags=[types.DiagnosticTag.Deprecated] if problem.code == "deprecated" else None,
        data=problem.fix and list(problem.fix),
    )


def quick_fixes(spec: OpenSpec, params: types.CodeActionParams) -> list[types.CodeAction]:
    """Return the changes that remove the problems at a place."""
    actions, kind = [], types.CodeActionKind.QuickFix
    for problem in params.context.diagnostics:
        match problem.data:
            case [str(old), str(new)]:
                start = offset_of(spec.text, problem.range.start, spec.codec)
                if spec.text.text.startswith(old, start):
                    change = types.TextEdit(span_range(spec.text, start, start + len(old), spec.codec), new)
                    edit = types.WorkspaceEdit({spec.uri: [change]})
                    title = f"Write {new.strip()}" if new.strip() else f"Remove {old.strip()}"
                    actions.append(types.CodeAction(title, kind, [problem], edit=edit, is_preferred=True))
    return actions


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
