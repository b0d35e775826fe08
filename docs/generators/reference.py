"""The reference of the plugin interface, from its docstrings."""

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

LONGEST_LINE: Final = 100

TITLES: Final = {"Args": "", "Attributes": "Attributes:", "Raises": "Raises:"}
"""Sections of a docstring that are lists, and what they are headed by."""

GROUPS: Final[dict[str, tuple[ModuleType, tuple[str, ...]]]] = {
    "Declaring components": (mlpkit, ("component", "hookimpl")),
    "The nine kinds": (mlpkit, tuple(kind.base for kind in KINDS.values())),
    "A base for activations": (mlpkit, ("Elementwise",)),
    "What components are handed": (
        mlpkit,
        ("Parameter", "State", "Chain", "Recipe", "Fans", "Progress", "Step", "TrainingView", "Weights"),
    ),
    "What data sets return": (mlpkit, ("Description", "Doubt", "Split", "Classes", "Labels", "Values")),
    "Errors to raise": (mlpkit, ("ParameterError", "ShapeError", "TargetError", "DataError", "did_you_mean")),
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
    for name in names:
        found = getattr(home, name)
        yield f"### {home.__name__}.{name}"
        if inspect.isclass(found):
            yield from _class(found)
        elif inspect.isfunction(found):
            yield _signature(name, found)
            yield _text(found.__doc__)
        else:  # hookimpl, which is pluggy's
            yield "Marks the function `mlpkit_components` of a plugin, as `@hookimpl` above it."


def _class(owner: type) -> Iterator[str]:
    yield _text(owner.__doc__)
    for base in _bases(owner):
        if base is not owner:
            yield from (_block(block) for block in _blocks(base.__doc__) if block.startswith("Attributes:\n"))
    for name, method in _methods(owner):
        function = inspect.unwrap(getattr(method, "__func__", method))
        kind = "class method, " if isinstance(method, classmethod) else ""
        must = "to be written" if getattr(method, "__isabstractmethod__", False) else ""
        remark = (kind + must).removesuffix(", ")
        yield f"**`{name}`**" + (f" ({remark})" if remark else "")
        if isinstance(method, property):
            yield _text(method.__doc__)
        else:
            yield _signature(name, function)
            yield _text(function.__doc__)


def _methods(owner: type) -> Iterator[tuple[str, Any]]:
    """Go through the public methods of a class, its own first, then those that it inherits from mlpkit."""
    seen = set()
    for base in _bases(owner):
        for name, value in vars(base).items():
            public = not name.startswith("_") or name in SPECIAL
            if public and name not in seen and (callable(value) or isinstance(value, classmethod | property)):
                seen.add(name)
                if value.__doc__:
                    yield name, value


def _bases(owner: type) -> list[type]:
    """Return a class and those of mlpkit that it is made from, up to the first that has a section of its own."""
    kinds = {kind.base_class() for kind in KINDS.values()} - {owner}
    undescribed = takewhile(lambda base: base not in kinds, owner.__mro__)
    return [base for base in undescribed if base.__module__.startswith("mlpkit.") and not issubclass(base, Exception)]


def _signature(name: str, function: Any) -> str:
    signature = inspect.signature(function)
    returns = f" -> {_annotation(signature.return_annotation)}"
    parameters = list(_parameters(signature))
    line = f"{name}({', '.join(parameters)}){returns}"
    if len(line) > LONGEST_LINE:
        line = f"{name}(\n" + "".join(f"    {parameter},\n" for parameter in parameters) + f"){returns}"
    return f"```python\n{line}\n```"


def _parameters(signature: inspect.Signature) -> Iterator[str]:
    by_name_only = False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not by_name_only:
            by_name_only = True
            yield "*"
        written = parameter.name
        if parameter.annotation is not parameter.empty:
            written += f": {_annotation(parameter.annotation)}"
        if parameter.default is not parameter.empty:
            written += f" = {parameter.default!r}"
        yield written


def _annotation(annotation: object) -> str:
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _text(docstring: str | None) -> str:
    """Return a docstring as Markdown: formulas as they stand, parameters as a list."""
    return "\n\n".join(_block(block) for block in _blocks(docstring))


def _block(block: str) -> str:
    title, _, rest = block.partition(":\n")
    if title == "Returns":
        return f"Returns {_joined(rest)}"
    if title in TITLES:
        heading = f"{TITLES[title]}\n\n" if TITLES[title] else ""
        return heading + _items(rest)
    return block if block.startswith("    ") else _joined(block)


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
