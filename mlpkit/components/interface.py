"""Whether the methods of a component have the parameters that mlpkit gives values to, and no others."""

from __future__ import annotations

import inspect
from functools import cache
from types import FunctionType
from typing import Any, Final

from mlpkit.components.schema.wording import plain_call
from mlpkit.errors import PluginError

METHODS: Final = (FunctionType, classmethod, staticmethod)

WITH_WEIGHTS: Final = ("forward", "weight", "update")
"""The methods of losses and metrics that get weights of examples last, if ``takes_weights`` is true."""


@cache
def expect_interface(component: type) -> None:
    """Make sure that every method that a class overrides has the parameters of the method of its kind.

    A parameter that never gets a value, such as ``training=False``, would silently keep its default. Class methods may
    have some for callers in their own package.

    Args:
        component: the class.

    Raises:
        PluginError: a method can't be called with what it gets, or has a parameter that never gets a value.
    """
    base = next((each for each in component.__mro__ if each.__module__.startswith("mlpkit.")), component)
    below = component.__mro__[: component.__mro__.index(base)]
    overridden = {name: method for each in reversed(below) for name, method in vars(each).items()}
    for name, method in overridden.items():
        expected = inspect.getattr_static(base, name, None)
        is_public = name == "__call__" or not name.startswith("_")
        if is_public and isinstance(method, METHODS) and isinstance(expected, METHODS):
            fault, remedy = _fault(component, base, name, method, expected)
            if fault:
                what = f"{component.__name__}.{plain_call(name, method)} {fault}; expected {plain_call(name, expected)}"
                raise PluginError(f"{what}; {remedy}" if remedy else what)


def _fault(component: type, base: type, name: str, method: Any, expected: Any) -> tuple[str, str]:
    """Return what is wrong with a method, and what to do; nothing if it is right."""
    if isinstance(expected, classmethod) and isinstance(method, FunctionType):
        return "is not a class method", "put @classmethod above it"
    weighs = getattr(component, "takes_weights", None)  # None for a kind that never gets weights
    gets_weights = bool(weighs) and name in WITH_WEIGHTS
    given = [each for each in _signature(expected).parameters.values() if each.name != "weights"]
    by_name = dict.fromkeys(each.name for each in given if each.kind is each.KEYWORD_ONLY)
    try:
        own = _signature(method)
        values = own.bind_partial(*[None] * (len(given) - len(by_name) + gets_weights), **by_name).arguments
    except (TypeError, ValueError) as error:
        remedy = "add weights=None as its last parameter, or remove takes_weights" if gets_weights else ""
        return f"can't be called as it will be: {error}", remedy
    if any(own.parameters[each].kind is inspect.Parameter.VAR_POSITIONAL for each in values):
        return "", ""  # it passes on whatever it gets
    may_be_idle = {"weights"} if weighs is not None else set()
    if isinstance(expected, classmethod):
        may_be_idle |= {
            each.name
            for each in own.parameters.values()
            if each.default is not each.empty or each.kind is each.VAR_KEYWORD
        }
    idle = next((each for each in own.parameters if each not in {*values, *may_be_idle}), "")
    return (f"has the parameter '{idle}', which never gets a value", _instead_of(idle, base)) if idle else ("", "")


def _signature(method: Any) -> inspect.Signature:
    """Return the signature of a method without ``self`` or ``cls``."""
    return inspect.signature(method.__get__(object(), object))


def _instead_of(parameter: str, base: type) -> str:
    """Return what to do about a parameter that never gets a value; a component may have it as an attribute."""
    annotated = {name for each in base.__mro__ for name in inspect.get_annotations(each)}
    known = annotated | {name for name in dir(base) if isinstance(inspect.getattr_static(base, name), property)}
    alike = (name for name in sorted(known) if name in parameter or (name.startswith(parameter) and len(parameter) > 3))
    attribute = next(alike, "")
    return f"remove it, and use self.{attribute}" if attribute else "remove it"
