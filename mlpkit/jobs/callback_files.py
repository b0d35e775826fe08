"""Making sure that a run's callbacks write files of their own: neither mlpkit's, nor each other's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.components.schema.context import Problem
from mlpkit.errors import SpecSchemaError
from mlpkit.network.component_errors import component_errors, expect_returned

if TYPE_CHECKING:
    from mlpkit.components.callback import Callback
    from mlpkit.components.recipe import KeyPath, Recipe
    from mlpkit.specfile.spec import Spec


def expect_own_files(spec: Spec) -> None:
    """Make sure that each callback's files lie in the run folder, and that no other callback writes them.

    Raises:
        SpecSchemaError: a name is not plain, or that of a file of mlpkit's own or of another callback.
        ComponentFailure: a callback raised an exception of its own.
    """
    places: dict[str, KeyPath] = {}
    faults: list[Problem] = []
    for i, recipe in enumerate(spec.training.callbacks):
        component = ("training", "callbacks", i, recipe.name)
        with component_errors(f"callback {recipe.name} failed in files"):
            names = recipe().files()
        expect_returned(f"callback {recipe.name}", "files", names, (list, tuple, set), "a list of names")
        for name in map(str, names):
            place = _place_of(name, recipe, component)
            other = places.setdefault(name.casefold(), place)  # not every file system tells capitals apart
            fault = _fault_of(name) or (_clash(spec, name, other) if other[:4] != component else None)
            if fault is not None:
                faults.append(fault._replace(path=place, at_key=place == component))
    if faults:
        raise spec.error(SpecSchemaError, faults)


def _place_of(name: str, recipe: Recipe[Callback], component: KeyPath) -> KeyPath:
    """Return the path to the parameter that gives a file's name, or else to the component."""
    return next(((*component, key) for key, value in recipe.arguments.items() if value == name), component)


def _fault_of(name: str) -> Problem | None:
    """Return what is wrong with the name of a file in the run folder."""
    from mlpkit.runs.layout import OWN_NAMES  # noqa: PLC0415 - only a callback that writes files needs them

    if not name.isprintable() or "/" in name or name in {"", ".", ".."}:
        return Problem((), f"{name!r} can't be the name of a file in the run folder", expected="a plain name")
    if name.startswith(".") or name.casefold() in OWN_NAMES:
        expected = f"a name that begins with no dot and isn't one of {', '.join(OWN_NAMES)}"
        return Problem((), f"{name!r} is a name that mlpkit itself uses in the run folder", expected=expected)
    return None


def _clash(spec: Spec, name: str, other: KeyPath) -> Problem:
    """Return the fault of a name that another callback uses, which stands elsewhere."""
    _, _, _, writer, *parameter = other
    note = f"{writer} stands at {spec.document.place(other, at_key=not parameter)}"
    message = f"{name!r} is written by {writer} already"
    return Problem((), message, expected="a file of its own", remedy="give it another name", notes=(note,))
