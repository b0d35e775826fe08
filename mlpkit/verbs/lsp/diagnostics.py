"""Problems as an editor marks them, and the changes that remove them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lsprotocol import types
from pygls.workspace import PositionCodec

import mlpkit
from mlpkit.errors import Diagnostic
from mlpkit.specfile.document import Texts
from mlpkit.specfile.source import SourceText
from mlpkit.verbs.lsp.checking import CheckedText
from mlpkit.verbs.lsp.open_spec import OpenSpec
from mlpkit.verbs.lsp.places import offset_of, span_range, uri_of

PLACE: Final = re.compile(r"(/.*?):(\d+):(\d+)")
"""A place that a note names."""

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
    related = [each for note in problem.notes for each in _related(note)]
    lines = [problem.message]
    lines += [f"expected: {problem.expected}"] if problem.expected else []
    lines += [f"help: {problem.remedy}"] if problem.remedy else []
    lines += [f"note: {note}" for note in problem.notes if not PLACE.search(note)]
    return types.Diagnostic(
        span_range(text, start, end, codec),
        "\n".join(lines),
        severity,
        problem.code,
        types.CodeDescription(f"{(SHIPPED / Path(docs).name).as_uri()}#{anchor}"),
        source="mlpkit",
        tags=[types.DiagnosticTag.Deprecated] if problem.code == "deprecated" else None,
        related_information=related or None,
        data=problem.fix and list(problem.fix),
    )


def _related(note: str) -> Iterator[types.DiagnosticRelatedInformation]:
    for file, line, column in PLACE.findall(note):
        at = types.Position(int(line) - 1, int(column) - 1)
        yield types.DiagnosticRelatedInformation(types.Location(uri_of(file), types.Range(at, at)), note)


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
