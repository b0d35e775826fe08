"""What all components share: a constructor whose signature is checked, in a spec and in Python."""

from __future__ import annotations

import inspect
import re
from abc import ABCMeta
from collections.abc import Mapping
from functools import cache
from types import FunctionType, MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, dataclass_transform

from mlpkit.components.schema.fields import declaring_class, parameters_of, stores_fields
from mlpkit.components.schema.recipe import Recipe
from mlpkit.components.schema.signature import schema_of
from mlpkit.components.schema.wording import plain_call
from mlpkit.errors import PluginError


class ComponentType(ABCMeta):
    """Checks the arguments of a constructor against its signature, before it runs, and the methods once.

    This is why a component needs neither ``super().__init__()`` nor its own checks of types and ranges.
    """

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Build a component from checked arguments."""
        check_interface(cls)
        arguments = schema_of(cls).bind(args, kwargs)
        component: Any = cls.__new__(cls)  # type: ignore[call-arg, arg-type]
        component._arguments = arguments
        component._prepare()
        component.__init__(**arguments)
        return component

    @property
    def __signature__(cls) -> inspect.Signature:
        """The constructor's parameters, for ``help`` and for editors."""
        return inspect.Signature(parameters_of(cls))


@dataclass_transform()
class Component(metaclass=ComponentType):
    """Base of every component.

    The annotated names in the class body are its parameters, as in a dataclass; their annotations and defaults and the
    docstring are the schema. ``ClassVar``, ``Final``, names that start with ``_``, arrays, and names that the base
    class of the kind gives a value are no parameters; those after ``_: KW_ONLY`` are given by name. Checks between them
    go into ``__post_init__``. If the class, or a
    class that it derives from, writes an ``__init__``, the parameters are those of ``__init__``, and annotations in
    the class body mean nothing. As ``@dataclass(eq=False)`` it may inherit parameters, with their defaults, meanings
    and checks in ``__post_init__``, from a dataclass that several components share.

    Attributes:
        computed_by: what computes it, such as optional compiled code, if the bits of its results depend on that and not
            only on the versions of its package and of NumPy; ``lock.json`` records it, and a resume compares it.
        computed_by_reason: why, in words, such as the processor's instruction set.
        slow_because: why it computes more slowly than it could, and what to do, for the end of a long ``mlpkit run``;
            empty if it doesn't, or if the user asked for that.
    """

    kind: ClassVar[str]
    computed_by: ClassVar[str] = ""
    computed_by_reason: ClassVar[str] = ""
    slow_because: ClassVar[str] = ""
    _recipe: Recipe[Any] | None = None
    _arguments: Mapping[str, Any] = MappingProxyType({})

    if not TYPE_CHECKING:  # type checkers derive a constructor from the fields

        @stores_fields
        def __init__(self, *args: Any, **parameters: Any) -> None:
            """Store the parameters, which are checked; but not if a constructor of a class below calls this."""
            if super(Component, type(self)).__init__ is not object.__init__:  # of a class that is mixed in
                super().__init__(*args, **parameters)
                return
            declaring = declaring_class(type(self))
            if declaring is not type(self):
                parameters = schema_of(declaring).bind(args, parameters)
            for name, value in parameters.items():
                setattr(self, name, value)
            self.__post_init__()

    def __post_init__(self) -> None:
        """Check that the parameters fit together, once they are stored; nothing by default."""

    @classmethod
    def examples(cls) -> list[Any]:
        """Return parameters that show the component at work, for tests and ``show``; by default its defaults.

        Each item is a mapping of parameters; or, for a layer, a loss, an augmentation or an initializer, a pair of that
        and a shape, that of one example's inputs or of the array to fill; for a metric, of that and a target.
        """
        return []

    @property
    def registered_name(self) -> str:
        """Its name in specs, with its namespace; the class's name if it was built in Python."""
        return self._recipe.name if self._recipe else type(self).__name__

    def __repr__(self) -> str:
        """Read as the call that built it, without the arguments that are left at their defaults."""
        defaults = {field.name: field.default for field in schema_of(type(self)).fields}
        given = {name: value for name, value in self._arguments.items() if not is_default(value, defaults[name])}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in given.items())})"

    def _prepare(self) -> None:
        """Set what the base class needs before the author's ``__init__`` runs."""


def recipe_of(component: Component) -> Recipe[Any] | None:
    """Return what built a component, with its place in the spec; None if it was built in Python."""
    return component._recipe


def arguments_of(component: Component) -> Mapping[str, Any]:
    """Return the arguments that a component was built with, by name."""
    return component._arguments


def is_default(value: object, default: object) -> bool:
    """Whether an argument is a parameter's default, or the component that the default names."""
    if isinstance(value, Component) and value._recipe is not None:
        return value._recipe.name == default and not value._recipe.arguments
    return value is default or (type(value) is type(default) and bool(value == default))


METHODS: Final = (FunctionType, classmethod, staticmethod)

WITH_WEIGHTS: Final = ("forward", "weight", "update")
"""The methods of losses and metrics that get weights of examples last, if ``takes_weights`` is true."""


@cache
def check_interface(component: type, *, with_weights: bool = False) -> None:
    """Check that every method that a class overrides has the parameters of the method of its kind.

    A parameter that never gets a value, such as ``training=False``, would silently keep its default. Class methods may
    have some for callers in their own package. Methods that may get weights must take them if the data has some, as
    ``with_weights`` tells.

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
            fault, remedy = _fault(component, base, name, method, expected, with_weights=with_weights)
            if fault:
                what = f"{component.__name__}.{plain_call(name, method)} {fault}; expected {plain_call(name, expected)}"
                raise PluginError(f"{what}; {remedy}" if remedy else what)


def _fault(
    component: type, base: type, name: str, method: Any, expected: Any, *, with_weights: bool
) -> tuple[str, str]:
    """Return what is wrong with a method, and what to do; nothing if it is right."""
    if isinstance(expected, classmethod) and isinstance(method, FunctionType):
        return "is not a class method", "put @classmethod above it"
    weighs = getattr(component, "takes_weights", None)  # None for a kind that never gets weights
    gets_weights = bool(weighs) and name in WITH_WEIGHTS
    own, of_kind = (inspect.signature(getattr(each, "__func__", each)) for each in (method, expected))
    given = [each for each in of_kind.parameters.values() if each.name != "weights" or weighs is None]
    if isinstance(method, staticmethod) and not isinstance(expected, staticmethod):
        del given[0]  # self
    by_name = dict.fromkeys(each.name for each in given if each.kind is each.KEYWORD_ONLY)
    weights = gets_weights and (with_weights or len(own.parameters) > len(given))
    try:
        values = own.bind_partial(*[None] * (len(given) - len(by_name) + weights), **by_name).arguments
    except TypeError as error:
        remedy = "add weights=None as its last parameter, or remove takes_weights" if weights else ""
        return f"can't be called as mlpkit calls it: {error}", remedy
    if any(own.parameters[each].kind is inspect.Parameter.VAR_POSITIONAL for each in values):
        return "", ""  # it passes everything on
    may_be_idle = {"weights"} if weighs is not None else set()
    if isinstance(expected, classmethod):
        may_be_idle |= {
            each.name
            for each in own.parameters.values()
            if each.default is not each.empty or each.kind is each.VAR_KEYWORD
        }
    idle = next((each for each in own.parameters if each not in {*values, *may_be_idle}), "")
    if not idle:
        return "", ""
    return f"has the parameter '{idle}', to which mlpkit passes nothing", _instead_of(idle, base)


def _instead_of(parameter: str, base: type) -> str:
    """Return what to do about a parameter that never gets a value; a component may have it as an attribute."""
    documented = {name for each in base.__mro__ for name in re.findall(r"^ +(\w+): ", each.__doc__ or "", re.MULTILINE)}
    known = documented | {name for name in dir(base) if isinstance(inspect.getattr_static(base, name), property)}
    alike = (name for name in sorted(known) if name in parameter or (name.startswith(parameter) and len(parameter) > 3))
    attribute = next(alike, "")
    return f"remove it, and use self.{attribute}" if attribute else "remove it"
