"""What all components share: a constructor whose signature is checked, in a spec and in Python alike."""

from __future__ import annotations

import inspect
from abc import ABCMeta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from mlpkit.components.interface import expect_interface
from mlpkit.components.schema.signature import schema_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit.components.recipe import Recipe


class ComponentType(ABCMeta):
    """Checks the arguments of a constructor against its signature, before it runs, and the methods once.

    This is why a component needs neither ``super().__init__()`` nor checks of its own for types and ranges.
    """

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Build a component from checked arguments."""
        expect_interface(cls)
        arguments = schema_of(cls).bind(args, kwargs)
        component: Any = cls.__new__(cls)  # type: ignore[call-arg, arg-type]
        component._arguments = arguments
        component._prepare()
        component.__init__(**arguments)
        return component

    @property
    def __signature__(cls) -> inspect.Signature:
        """The constructor's parameters, for ``help`` and for editors."""
        of_function = inspect.signature(cls.__init__)  # type: ignore[misc]
        return of_function.replace(parameters=list(of_function.parameters.values())[1:])


class Component(metaclass=ComponentType):
    """Base of every component.

    A component is a class with an annotated constructor; the annotations, defaults and docstring of that
    constructor are the schema of its parameters. As ``@dataclass(eq=False)`` it may inherit parameters, with their
    defaults, meanings and checks in ``__post_init__``, from a dataclass that several components share.

    Attributes:
        computed_by: what computes it, such as optional compiled code, if the bits of its results depend on that and not
            only on the versions of its package and of NumPy; ``lock.json`` records it, and a resume compares it.
        computed_by_reason: why, in words, such as the processor's instruction set.
        slow_because: why it computes more slowly than it could, and what to do; ``mlpkit run`` says so at the end of a
            long run. Empty if it doesn't, or if that was asked for.
        older_defaults: values of parameters that ``resolved.yaml`` of earlier versions lacks, where today's defaults
            would change what an older run computes.
    """

    kind: ClassVar[str]
    computed_by: ClassVar[str] = ""
    computed_by_reason: ClassVar[str] = ""
    slow_because: ClassVar[str] = ""
    older_defaults: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    _recipe: Recipe[Any] | None = None
    _arguments: Mapping[str, Any] = MappingProxyType({})

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


def example_parameters(component: type) -> list[dict[str, Any]]:
    """Return the parameters of each of a component's examples.

    Args:
        component: its class. Its ``examples`` returns parameters alone, or pairs whose first part they are.
    """
    return [given if isinstance(given, dict) else given[0] for given in component.examples()]  # type: ignore[attr-defined]
