"""Fields: the annotated names in a class body that are the parameters of its constructor, if it writes none."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Final

from mlpkit.errors import PluginError

NOT_PARAMETERS: Final = re.compile(r"\b(ClassVar|Final|Array|NDArray|ndarray|Parameter)\b")
"""Words in annotations of class attributes, and of arrays that a method assigns."""

NO_PARAMETER: Final = "; if it is not a parameter, annotate it where it is assigned, or start its name with _"


def stores_fields(constructor: Callable[..., None]) -> Callable[..., None]:
    """Mark the constructor of classes that write none."""
    constructor.stores_fields = True  # type: ignore[attr-defined]
    return constructor


def writes_constructor(owner: type) -> bool:
    """Whether a class has a constructor in its body, or one made by ``dataclass``."""
    constructor = vars(owner).get("__init__")
    return owner is not object and constructor is not None and not hasattr(constructor, "stores_fields")


def written_constructor(owner: type) -> Callable[..., None] | None:
    """Return the constructor that a class or its bases write; None if its parameters are fields."""
    return next((vars(each)["__init__"] for each in owner.__mro__ if writes_constructor(each)), None)


def declaring_class(owner: type) -> type:
    """Return the class whose fields a constructor written below it hands to ``super().__init__``; else the class."""
    written = [place for place, each in enumerate(owner.__mro__) if writes_constructor(each)]
    return owner.__mro__[written[-1] + 1] if written else owner


def parameters_of(owner: type) -> list[inspect.Parameter]:
    """Return the parameters of the constructor of a class, without ``self``."""
    constructor = written_constructor(owner)
    return list(inspect.signature(constructor).parameters.values())[1:] if constructor else fields_of(owner)


def fields_of(owner: type) -> list[inspect.Parameter]:
    """Return the fields of a class and its bases as parameters, those without a position last.

    A name is a field unless it starts with ``_``, is a ``ClassVar`` or ``Final``, holds arrays or parameters, or has a
    value in the base class of its kind. Those after ``_: KW_ONLY`` have no position.

    Raises:
        PluginError: a field without a default follows one with a default, or has the name of a method of the kind.
    """
    classes = [each for each in owner.__mro__ if isinstance(each, type(owner))]
    kinds = [each for each in classes if each.__module__.startswith("mlpkit.")]
    found: dict[str, inspect.Parameter] = {}
    for each in reversed([each for each in classes if each not in kinds]):
        keyword_only = False
        for name, annotation in inspect.get_annotations(each).items():
            if name == "_":
                keyword_only = True
            elif name.startswith("_") or NOT_PARAMETERS.search(inspect.formatannotation(annotation)):
                continue
            elif not _is_attribute(owner, name, kinds):
                place = inspect.Parameter.KEYWORD_ONLY if keyword_only else inspect.Parameter.POSITIONAL_OR_KEYWORD
                default = inspect.getattr_static(owner, name, inspect.Parameter.empty)
                found[name] = inspect.Parameter(name, place, default=default, annotation=annotation)
    return _in_order(owner, sorted(found.values(), key=lambda field: field.kind))


def _is_attribute(owner: type, name: str, kinds: list[type]) -> bool:
    """Whether the base class of a kind gives a name a value."""
    value = next((vars(kind)[name] for kind in kinds if name in vars(kind)), None)
    if callable(value) or isinstance(value, classmethod | property):
        raise PluginError(
            f"{owner.__module__}.{owner.__qualname__}: '{name}' is a method of every {kinds[0].__name__}, and is "
            "annotated as a parameter; choose another name, or write __init__"
        )
    return any(name in vars(kind) for kind in kinds)


def _in_order(owner: type, fields: list[inspect.Parameter]) -> list[inspect.Parameter]:
    for before, field in pairwise(fields):
        out_of_order = before.default is not before.empty and field.default is field.empty
        if out_of_order and field.kind is field.POSITIONAL_OR_KEYWORD:
            raise PluginError(
                f"{owner.__module__}.{owner.__qualname__}: parameter '{field.name}' has no default, and follows "
                f"'{before.name}', which has one; put it first, or write _: KW_ONLY on a line before it"
            )
    return fields
