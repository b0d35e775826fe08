"""Examples on which components are checked, one kind of component per file."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from mlpkit.components.kinds import KINDS
from mlpkit.testing.suite.check import CheckFailure

if TYPE_CHECKING:
    from mlpkit.registry.registry import RegisteredComponent, Registry
    from mlpkit.testing.suite.examples.example import Example


def example_class(kind: str) -> type[Example]:
    """Return the class of examples for a kind of component; its file is named after the kind."""
    module = import_module(f"{__name__}.{kind}")
    found: type[Example] = getattr(module, f"{KINDS[kind].base}Example")
    return found


def examples_of(entry: RegisteredComponent, registry: Registry) -> list[Example]:
    """Return a component's examples, or its default parameters.

    Args:
        entry: the component.
        registry: the components that its parameters may name.

    Raises:
        CheckFailure: ``examples`` returned something else, or nothing although a parameter is required.
    """
    kind = example_class(entry.kind)
    given = entry.component.examples()  # type: ignore[attr-defined]
    if not isinstance(given, list) or not all(kind.is_item(item) for item in given):
        raise CheckFailure(
            f"{entry.name}.examples() returned {given!r}", expected=kind.form, remedy=f"as in {kind.sample}"
        )
    required = [field.name for field in entry.schema.fields if field.required]
    if not given and required:
        raise CheckFailure(
            f"{entry.name} has no examples, and requires {', '.join(required)}",
            expected="parameters to check it with",
            remedy=f"write a class method examples that returns {kind.form}, as in {kind.sample}",
        )
    indices: list[int | None] = [*range(len(given))] or [None]
    return [example for index in indices for example in kind.variants(entry, registry, index)]
