"""Bringing a package that ``mlpkit new-plugin`` wrote up to date."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field
from difflib import unified_diff
from pathlib import Path
from typing import Final

from mlpkit.components.kinds import KINDS
from mlpkit.errors import UsageError
from mlpkit.runs.files import storage_error
from mlpkit.verbs.author.new_plugin import RECORD, checksum, contents, record, write

ADDED: Final = (".github/dependabot.yml", ".github/workflows/publish.yml")
"""Files that packages without a record never had; the templates in ``unrecorded`` are those of its other files."""


@dataclass(frozen=True)
class Update:
    """The result of an update.

    Args:
        written: the files that are new or rewritten.
        differences: the difference between a file that the author has changed and the new one, by the file's path.
    """

    written: list[str] = field(default_factory=list)
    differences: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Origin:
    """What a package was made from: a namespace, a kind, and the checksum of each file."""

    namespace: str
    kind: str
    checksums: dict[str, str]


def update_plugin(folder: Path) -> Update:
    """Rewrite the files that the author hasn't changed, and return the differences of the others.

    A file whose template is the same as before, or which the author has deleted, is left alone.

    Raises:
        UsageError: ``mlpkit new-plugin`` didn't write the package, or its record is damaged.
        StorageError: a file can't be read or written.
    """
    try:
        origin = _recorded(folder) if (folder / RECORD).exists() else _unrecorded(folder)
        update = Update()
        files = contents(origin.namespace, origin.kind)
        for name, text in files.items():
            if checksum(text) != origin.checksums.get(name):
                _update(folder, name, text, origin.checksums.get(name), update)
        write(folder / RECORD, record(origin.namespace, origin.kind, files))
    except OSError as error:
        raise storage_error(Path(error.filename or folder), error, action="updated") from error
    return update


def _update(folder: Path, name: str, text: str, before: str | None, update: Update) -> None:
    path = folder / name
    present = path.read_text(encoding="utf-8", errors="replace") if path.exists() else None
    if present == text or (present is None and before is not None):
        return
    if present is None or checksum(present) == before:
        write(path, text)
        update.written.append(name)
    else:
        lines = unified_diff(present.splitlines(), text.splitlines(), f"a/{name}", f"b/{name}", lineterm="")
        update.differences[name] = "\n".join(lines)


def _recorded(folder: Path) -> _Origin:
    try:
        made = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        origin = _Origin(made["namespace"], made["kind"], dict(made["sha256"]))
        if origin.kind in KINDS:
            return origin
    except (ValueError, KeyError, TypeError):
        pass
    raise UsageError(f"{folder / RECORD} is damaged; restore it from a copy")


def _unrecorded(folder: Path) -> _Origin:
    """Return the origin of a package from before there were records, by its entry point and its hook."""
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        ((namespace, package),) = project["entry-points"]["mlpkit"].items()
        hook = (folder / package / "__init__.py").read_text(encoding="utf-8")
        kind = re.findall(r'component\("(\w+)"', hook)[0]
        files = contents(namespace, kind, "unrecorded")
    except (FileNotFoundError, NotADirectoryError, ValueError, LookupError, AttributeError) as error:
        raise UsageError(
            f"{folder} is not a package that mlpkit new-plugin wrote; expected a file {RECORD} in it"
        ) from error
    return _Origin(namespace, kind, {name: checksum(text) for name, text in files.items() if name not in ADDED})
