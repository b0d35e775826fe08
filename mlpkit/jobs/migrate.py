"""Bringing specs from an older format to the newest."""

from __future__ import annotations

import difflib
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlpkit.runs.files import write_atomically
from mlpkit.runs.layout import LOCK, RESOLVED, SPEC
from mlpkit.specfile.document import BYTE_ORDER_MARK, read_mapping, read_text
from mlpkit.specfile.migrations import FORMAT, format_of, format_problem, migrated, newest_format
from mlpkit.specfile.nodes import plain
from mlpkit.specfile.source import DiagnosticList
from mlpkit.system import real_path

if TYPE_CHECKING:
    from pathlib import Path

    from mlpkit.specfile.nodes import MappingNode


@dataclass(frozen=True)
class MigratedSpec:
    """A spec, and what it is in the newest format.

    Args:
        path: its file.
        number: the format that it is in.
        newest: the newest format.
        before: its text.
        after: its text in the newest format; the same if it is in that.
    """

    path: Path
    number: int
    newest: int
    before: str
    after: str

    @property
    def up_to_date(self) -> bool:
        """Whether it is in the newest format."""
        return self.number == self.newest

    def diff(self) -> str:
        """Return what changes, as a unified diff; empty if nothing does."""
        before, after = self.before.splitlines(), self.after.splitlines()
        return "\n".join(difflib.unified_diff(before, after, str(self.path), str(self.path), lineterm=""))

    def write(self) -> None:
        """Replace the file's text; its permissions stay.

        Raises:
            StorageError: it can't be written.
        """
        file = real_path(self.path)  # a link stays one
        marked = file.read_bytes().startswith(BYTE_ORDER_MARK.encode())
        mode = stat.S_IMODE(file.stat().st_mode)
        write_atomically(file, f"{BYTE_ORDER_MARK if marked else ''}{self.after}".encode())
        file.chmod(mode)


def migrate(path: Path) -> MigratedSpec:
    """Return what a spec's file says in the newest format; the file stays as it is.

    Raises:
        SpecSyntaxError: it can't be read, says no format, or a newer one, or belongs to a run.
    """
    faults = DiagnosticList()
    source = read_text(path, faults)
    spec = read_mapping(source, faults) if source else None
    if spec is not None:
        _expect_migratable(path, spec, faults)
    faults.raise_if_any()
    assert source is not None
    assert spec is not None
    number = format_of(spec)
    assert number is not None
    newest = newest_format()
    after = source.text if number == newest else migrated(source.text, number)
    return MigratedSpec(path, number, newest, source.text, after)


def _expect_migratable(path: Path, spec: MappingNode, faults: DiagnosticList) -> None:
    entry = spec.entries.get(FORMAT)
    if path.with_name(LOCK).exists() and path.name in (SPEC, RESOLVED):
        message = "this file belongs to a run, which stays as it was; mlpkit reads it in whatever format it is"
        faults.report(spec.origin.place, message)
    elif entry is None:
        message = f"the spec has no key '{FORMAT}', which says the number of its format"
        remedy = f"write {FORMAT}: 1 at its top, or the number of the format that it is in"
        faults.report(spec.origin.place, message, expected=f"{FORMAT}: NUMBER", remedy=remedy)
    elif problem := format_problem(plain(entry.node)):
        place = entry.node.origin.place
        faults.report(place, problem.message, expected=problem.expected, remedy=problem.remedy)
