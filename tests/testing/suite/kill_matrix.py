"""The kill matrix: broken components, and the check that each is caught by."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent


class Row(NamedTuple):
    """A broken component.

    Args:
        check: the name of the check that must catch it.
        name: what it is called.
        kind: its kind.
        fault: what is wrong with it.
        component: what ``conformance`` is given: a class, or the path of a plugin's file.
    """

    check: str
    name: str
    kind: str
    fault: str
    component: type | Path


_ROWS: list[Row] = []


def caught_by(check: str, *, fault: str = ""):
    """Mark a class as one that a check must catch; what is wrong with it is its docstring, or is said here."""

    def mark(component):
        _ROWS.append(Row(check, component.__name__, component.kind, fault or _sentence(component), component))
        return component

    return mark


def rows() -> list[Row]:
    """Return the matrix, in the order of the files and of what stands in them."""
    for path in sorted(HERE.glob("broken/*.py")):
        import_module(f"broken.{path.stem}")
    return [*_ROWS, *_plugins()]


def _plugins() -> list[Row]:
    """Return the plugins' files; each says in its first lines what is wrong, and by which check it is caught."""
    found = []
    for path in sorted(HERE.glob("broken_plugins/*.py")):
        first, _, rest = path.read_text(encoding="utf-8").partition("\n")
        check = rest.partition("Caught by: ")[2].partition("\n")[0]
        found.append(Row(check, path.stem, "layer", first.strip('"'), path))
    return found


def _sentence(component):
    """Return what a docstring says before its first empty line, on one line: a table has no room for more."""
    return " ".join(component.__doc__.partition("\n\n")[0].split())
