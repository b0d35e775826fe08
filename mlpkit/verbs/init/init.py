"""Copying a shipped spec, or a shipped folder of lessons, to start from."""

from __future__ import annotations

import os
from pathlib import Path

from mlpkit.components.schema.context import show
from mlpkit.components.schema.wording import did_you_mean
from mlpkit.errors import UsageError
from mlpkit.runs.files import storage_error, write_atomically
from mlpkit.specfile.shipped_specs import shipped_lessons, shipped_specs
from mlpkit.specfile.spec import MARK


def shipped() -> list[tuple[str, str]]:
    """Return the names of the shipped specs and folders of lessons, each with what it is."""
    specs = [(name, _first_comment(path)) for name, path in shipped_specs().items()]
    return specs + [(name, "A folder of specs, each with a script that makes a page.") for name in shipped_lessons()]


def _first_comment(path: Path) -> str:
    """Return a spec's description: the comment that it starts with."""
    line = path.read_text(encoding="utf-8").partition("\n")[0]
    return line.removeprefix("#").strip() if line.startswith("#") else ""


def init(name: str, destination: Path | None = None) -> Path:
    """Copy a shipped spec or folder of lessons, and return where it is."""
    specs, lessons = shipped_specs(), shipped_lessons()
    if name not in specs | lessons:
        names = [*specs, *lessons]
        alike = [each for each in names if each.startswith(f"{name}_")]
        remedy = "" if alike else did_you_mean(name, names)
        remedy = remedy or f"shipped: {', '.join(alike or names)}"
        raise UsageError(f"no shipped spec is called {show(name)}; {remedy}")
    target = destination or Path(name if name in lessons else f"{name}{MARK}.yaml")
    if os.path.lexists(target):
        raise UsageError(f"{target} exists already; choose another name with --out")
    if name in specs:
        write_atomically(target, specs[name].read_bytes())
        return target
    try:
        target.mkdir()
    except OSError as error:
        raise storage_error(target, error, action="created") from error
    for file in sorted(lessons[name].iterdir()):
        if file.is_file() and file.name != "README.md":  # which is about the folder in the repository
            write_atomically(target / file.name, file.read_bytes())
    return target
