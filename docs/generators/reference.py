"""The reference of the plugin interface, from its docstrings: arguments, a sentence each, and attributes."""

from __future__ import annotations

import inspect
import re
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

import mlpkit
import mlpkit.testing
from mlpkit.components.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

SPECIAL: Final = ("__call__", "__len__")
"""Methods with underscores that an author writes or calls."""

SAME_IN_EVERY_KIND: Final = ("examples",)
"""Methods that the page on conformance explains for all kinds."""

SHARED: Final = "Layers and losses"
"""The heading for the base of these two kinds."""

GROUPS: Final[dict[str, tuple[ModuleType, tuple[str, ...]]]] = {
    "Declaring components": (mlpkit, ("component", "hookimpl", "Component")),
    SHARED: (mlpkit, ()),
    "The nine kinds": (mlpkit, tuple(kind.base for kind in KINDS.values())),
    "A base for activations": (mlpkit, ("Elementwise",)),
    "Arguments of components": (
        mlpkit,
        ("Parameter", "State", "Chain", "Recipe", "Fans", "Progress", "Step", "TrainingView", "Weights"),
    ),
    "What data sets return": (mlpkit, ("Description", "Doubt", "Split", "Classes", "Labels", "Values")),
    "Errors to raise": (mlpkit, ("ParameterError", "ShapeError", "TargetError", "DataError", "did_you_mean")),
    "Reading .npy files": (mlpkit, ("read_npy_header", "NpyHeader")),
    "Testing": (
        mlpkit.testing,
        (
            "conformance",
            "check_gradients",
            "numerical_gradient",
            "standalone",
            "GradientMismatch",
            "CheckFailure",
        ),
    ),
}


def reference() -> str:
    """Return a section for each part of the interface."""
    return "\n\n".join(part for title, (home, names) in GROUPS.items() for part in _group(title, home, names)) + "\n"


def _group(title: str, home: ModuleType, names: tuple[str, ...]) -> Iterator[str]:
    yield f"## {title}"
    if title == SHARED:
        yield from _class(_shared_base(mlpkit.Layer), (mlpkit.Component,))
    for name in names:
        yield f"### {home.__name__}.{name}"
        yield from _entry(name, getattr(home, name))


def _entry(name: str, found: Any) -> Iterator[str]:
    if inspect.isclass(found):
        yield from _class(found, _inherited_elsewhere(found))
    elif inspect.isfunction(found):
        yield _function(name, found)
    else:  # hookimpl, which is pluggy's
        yield "Marks the function `mlpkit_components` of a plugin, as `@hookimpl` above it."


def _class(owner: type, elsewhere: tuple[type, ...]) -> Iterator[str]:
    """Describe a class: its first paragraph, its attributes, and the methods that no other section has."""
    summary, *details = _blocks(owner.__doc__)
    yield _joined(summary)
    sections = {block.partition("\n")[0]: block for block in details}
    attributes = sections.get("Attributes:", sections.get("Args:"))
    if attributes:
        yield _items(attributes)
    methods = [_method(name, method) for name, method in _methods(owner, elsewhere)]
    if methods:
        yield "\n".join(methods)


def _method(name: str, method: Any) -> str:
    function = inspect.unwrap(getattr(method, "__func__", method))
    kind = "class method, " if isinstance(method, classmethod) else ""
    must = "abstract" if getattr(method, "__isabstractmethod__", False) else ""
    remark = (kind + must).removesuffix(", ")
    if isinstance(method, property):
        return f"- **`{name}`**: {_sentence(method)}"
    head = f"- **`{name}{_signature(function)}`**" + (f" ({remark})" if remark else "")
    return f"{head}: {_sentence(function)}"


def _function(name: str, function: Any) -> str:
    return f"`{name}{_signature(function)}`: {_sentence(function)}"


def _methods(owner: type, elsewhere: tuple[type, ...]) -> Iterator[tuple[str, Any]]:
    """Go through the public methods of a class, its own first, then those that it inherits from mlpkit."""
    seen = set()
    for base in _bases(owner):
        for name, value in vars(base).items():
            public = (not name.startswith("_") or name in SPECIAL) and name not in SAME_IN_EVERY_KIND
            if public and name not in seen and (callable(value) or isinstance(value, classmethod | property)):
                seen.add(name)
                if value.__doc__ and base not in elsewhere:
                    yield name, value


def _bases(owner: type) -> list[type]:
    """Return a class and those of mlpkit that it is made from, up to the first that has a section of its own."""
    kinds = {kind.base_class() for kind in KINDS.values()} - {owner}
    undescribed = takewhile(lambda base: base not in kinds, owner.__mro__)
    return [base for base in undescribed if base.__module__.startswith("mlpkit.") and not issubclass(base, Exception)]


def _shared_base(owner: type) -> type:
    """Return the base that layers and losses share."""
    return next(base for base in _bases(owner)[1:] if issubclass(mlpkit.Loss, base))


def _inherited_elsewhere(owner: type) -> tuple[type, ...]:
    """Return the bases of a class that have sections of their own."""
    own_sections = [mlpkit.Component, _shared_base(mlpkit.Layer), *(kind.base_class() for kind in KINDS.values())]
    return tuple(base for base in own_sections if base is not owner)


def _signature(function: Any) -> str:
    return f"({', '.join(_parameters(inspect.signature(function)))})"


def _parameters(signature: inspect.Signature) -> Iterator[str]:
    by_name_only = False
    for parameter in signature.parameters.values():
        if parameter.name in {"self", "cls"}:
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not by_name_only:
            by_name_only = True
            yield "*"
        has_default = parameter.default is not parameter.empty
        yield f"{parameter.name}={_default(parameter.default)}" if has_default else parameter.name


def _default(value: object) -> str:
    return getattr(value, "__name__", None) or repr(value)


def _sentence(documented: Any) -> str:
    """Return the first paragraph of a docstring, and what is raised."""
    blocks = _blocks(documented.__doc__)
    raised = [
        name for block in blocks if block.startswith("Raises:\n") for name in re.findall(r"^    (\w+):", block, re.M)
    ]
    return _joined(blocks[0]) + (f" Raises {', '.join(f'`{name}`' for name in raised)}." if raised else "")


def _blocks(docstring: str | None) -> list[str]:
    return inspect.cleandoc(docstring or "").split("\n\n")


def _items(text: str) -> str:
    """Return the entries of a section, each an item of a list."""
    entries = re.split(r"^    (?=\S)", text, flags=re.M)[1:]
    return "\n".join(_item(entry) for entry in entries)


def _item(entry: str) -> str:
    name, colon, meaning = entry.partition(": ")
    return f"- `{name}`: {_joined(meaning)}" if colon else f"- {_joined(entry)}"


def _joined(text: str) -> str:
    return re.sub("::$", ":", " ".join(text.split())).replace("``", "`")
