"""Writing a package that provides a component, to start from, and bringing it up to date."""

from __future__ import annotations

import json
import keyword
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import unified_diff
from hashlib import sha256
from pathlib import Path
from string import Template
from typing import Final

from packaging.version import Version

import mlpkit
from mlpkit.components.kinds import KINDS, SNAKE_CASE
from mlpkit.components.schema.context import show
from mlpkit.errors import UsageError
from mlpkit.registry.discovery import installed_plugins
from mlpkit.runs.files import storage_error

TEMPLATES: Final = Path(__file__).parent / "templates"
"""A folder a kind, and ``common`` for what all have; ``$name`` in files and in their names stands for what differs."""

SUFFIX: Final = ".template"
CLASS: Final = re.compile(r'^class (?P<name>\w+)\([^)]+\):\n    """(?P<summary>(?s:.+?))(?:\n\n|""")', re.MULTILINE)
"""A class, and the first sentence of its docstring."""

RECORD: Final = ".mlpkit-plugin.json"
"""The file of a package with what it was made from; see ``record``."""


def new_plugin(namespace: str, kind: str = "layer", folder: Path | None = None) -> Path:
    """Write a package with one component, its tests and a spec that uses it, and return its folder.

    The folder must be missing or empty; by default it is called as the distribution, in the current folder.

    Raises:
        UsageError: the namespace can't be one or is taken, or the folder holds something.
        StorageError: the folder can't be written.
    """
    _require_namespace(namespace)
    files = contents(namespace, kind)
    target = folder or Path(_distribution(namespace))
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise UsageError(f"{target} exists already; choose another folder with --out")
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
            package = Path(scratch, "package")
            for name, text in (files | {RECORD: record(namespace, kind, files)}).items():
                write(package / name, text)
            package.replace(target)
    except OSError as error:
        raise storage_error(target, error) from error
    return target


def _require_namespace(namespace: str) -> None:
    if not SNAKE_CASE.fullmatch(namespace) or keyword.iskeyword(namespace):
        raise UsageError(
            f"{show(namespace)} can't be a namespace; expected a word or words in snake_case, such as acme or "
            f"acme_vision, and not a Python keyword"
        )
    for plugin in installed_plugins():
        if plugin.namespace == namespace:
            label = f"{plugin.source} {plugin.version}".strip()
            raise UsageError(f"the namespace '{namespace}' is taken by {label}, which is installed; choose another")


def component_of(namespace: str, kind: str) -> str:
    """Return the name of the component in a new package."""
    values = _values(namespace, kind)
    return f"{namespace}.{values['component']}"


def _values(namespace: str, kind: str) -> dict[str, str]:
    """Return the values of the templates' names; the component's come from its own template."""
    (template,) = (TEMPLATES / kind / "$package").glob(f"*.py{SUFFIX}")
    module = template.name.removesuffix(f".py{SUFFIX}")
    found = CLASS.search(template.read_text(encoding="utf-8"))
    assert found is not None
    component = found["name"] if KINDS[kind].camel_case else module
    command = KINDS[kind].use(f"{namespace}.{component}", spec="example.yaml", run=f"runs/{namespace}")
    return {
        "component": component,
        "command": command if command.startswith("mlpkit run ") else f"mlpkit run example.yaml\n{command}",
        "class_name": found["name"],
        "module": module,
        "summary": " ".join(found["summary"].split()),
        "namespace": namespace,
        "kind": kind,
        "distribution": _distribution(namespace),
        "package": f"{namespace}_mlpkit",
        "mlpkit_version": mlpkit.__version__,
        "mlpkit_bound": _bound(Version(mlpkit.__version__)),
    }


def _distribution(namespace: str) -> str:
    return f"{namespace.replace('_', '-')}-mlpkit"


def _bound(version: Version) -> str:
    """Return the first version that may lack what this one has and doesn't deprecate; docs/stable.md has the rule."""
    return str(version.major + 1) if version.major else f"0.{version.minor + 2}"


def contents(namespace: str, kind: str) -> dict[str, str]:
    """Return the text of each file of a new package, by its path in the package."""
    values = _values(namespace, kind)
    files = {}
    for source in (TEMPLATES / folder for folder in ("common", kind)):
        for template in sorted(source.rglob(f"*{SUFFIX}")):
            path = template.relative_to(source).as_posix().removesuffix(SUFFIX)
            text = Template(template.read_text(encoding="utf-8")).substitute(values)
            files[Template(path).substitute(values)] = text
    return files


def record(namespace: str, kind: str, files: Mapping[str, str]) -> str:
    """Return the text of the record, by which ``--update`` tells the files that the author has changed."""
    made = {
        "mlpkit": mlpkit.__version__,
        "namespace": namespace,
        "kind": kind,
        "sha256": {name: checksum(text) for name, text in files.items()},
    }
    return json.dumps(made, indent=2) + "\n"


def checksum(text: str) -> str:
    """Return the SHA-256 of a text."""
    return sha256(text.encode()).hexdigest()


def write(path: Path, text: str) -> None:
    """Write a file, and the folders around it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


@dataclass(frozen=True)
class Update:
    """The files that are new or rewritten, and the differences of the ones that the author has changed, by path."""

    written: list[str] = field(default_factory=list)
    differences: dict[str, str] = field(default_factory=dict)


def update_plugin(folder: Path) -> Update:
    """Rewrite the files that the author hasn't changed, and return the differences of the others.

    A file whose template is the same as before, or which the author has deleted, is left alone.

    Raises:
        UsageError: ``mlpkit new-plugin`` didn't write the package, or its record is damaged.
        StorageError: a file can't be read or written.
    """
    try:
        namespace, kind, before = _recorded(folder)
        update, files = Update(), contents(namespace, kind)
        for name, text in files.items():
            if checksum(text) != before.get(name):
                _update(folder, name, text, before.get(name), update)
        write(folder / RECORD, record(namespace, kind, files))
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


def _recorded(folder: Path) -> tuple[str, str, dict[str, str]]:
    """Return what a package was made from: a namespace, a kind, and the checksum of each file."""
    try:
        text = (folder / RECORD).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        expected = f"expected a file {RECORD} in it"
        raise UsageError(f"{folder} is not a package that mlpkit new-plugin wrote; {expected}") from error
    try:
        made = json.loads(text)
        if made["kind"] in KINDS:
            return made["namespace"], made["kind"], dict(made["sha256"])
    except (ValueError, KeyError, TypeError):
        pass
    raise UsageError(f"{folder / RECORD} is damaged; restore it from a copy")
