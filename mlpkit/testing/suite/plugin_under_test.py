"""The components of the plugin under test, and the examples on which each is checked."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from mlpkit.components.component import Component
from mlpkit.components.hook import component
from mlpkit.components.kinds import KINDS
from mlpkit.components.randomness import keyed_generator
from mlpkit.components.schema.context import show
from mlpkit.components.schema.wording import nearest
from mlpkit.errors import PluginError, UnknownComponentError, UsageError
from mlpkit.registry.discovery import local_plugins
from mlpkit.registry.plugin import Plugin, PluginOrigin, Status
from mlpkit.registry.registry import RegisteredComponent, Registry
from mlpkit.testing.suite import doubles
from mlpkit.testing.suite.check import Arrays, CheckFailure
from mlpkit.testing.suite.observed_imports import ObservedImports, observed_imports

ROWS = 7
"""Default number of rows of a minibatch; odd, so that its two halves differ in size."""


class Example(ABC):
    """An example on which a component is checked.

    Args:
        entry: the component.
        registry: the components that its parameters may name.
        index: the index among the component's examples; None for its default parameters.
        variant: one of ``possible``.

    Attributes:
        possible: the variants in which an example is checked if the component accepts them, such as kinds of targets.
        form: a description of what ``examples`` must return.
        sample: a sample of what ``examples`` may return.
        place: the shape or target for a component without examples; None if an example consists of parameters only.
    """

    form: ClassVar[str] = "a list of parameters, each a dict"
    sample: ClassVar[str] = "[{'learning_rate': 0.1}]"
    place: ClassVar[object] = None
    possible: ClassVar[tuple[object, ...]] = (None,)

    def __init__(self, entry: RegisteredComponent, registry: Registry, index: int | None, variant: Any = None) -> None:
        self.entry = entry
        self.registry = registry
        self.index = index
        self.variant = variant

    @classmethod
    def is_item(cls, item: object) -> bool:
        """Return whether ``examples`` may return this item."""
        return isinstance(item, dict)

    @classmethod
    def variants(cls, entry: RegisteredComponent, registry: Registry, index: int | None) -> list[Self]:
        """Return one of a component's examples in each variant that it accepts, or in the first if it accepts none."""
        candidates = [cls(entry, registry, index, variant) for variant in cls.possible]
        return [each for each in candidates if each.is_accepted()] or candidates[:1]

    def is_accepted(self) -> bool:
        """Return whether the component accepts the variant."""
        return True

    @property
    def name(self) -> str:
        """The component's name."""
        return self.entry.name

    @property
    def component(self) -> Any:
        """The component's class."""
        return self.entry.component

    def parameters(self) -> dict[str, Any]:
        """Return the parameters, as new objects at each call."""
        item = self._item()
        parameters: dict[str, Any] = item if isinstance(item, dict) else item[0]
        return parameters

    def shown_with(self) -> Any:
        """Return the second part of the example: the shape or target."""
        return self._item()[1]

    def make(self) -> Any:
        """Build the component as from a spec."""
        return self.registry.create(self.entry.kind, {self.name: self.parameters()})

    def title(self) -> str:
        """Return a title that identifies the example."""
        parameters = self.parameters()
        inner = ", ".join(f"{key}: {value}" for key, value in parameters.items())
        return f"{{{inner}}}" if parameters else "default parameters"

    def random(self, *key: str | int) -> np.random.Generator:
        """Return a random number generator that gives the same numbers for every example."""
        return keyed_generator(0, "conformance", *key)

    @abstractmethod
    def exercise(self) -> Arrays:
        """Use a new component in all usual ways, and return the results."""

    def _item(self) -> Any:
        if self.index is None:
            return ({}, self.place) if self.place is not None else {}
        return self.component.examples()[self.index]


class ExampleWithShape(Example):
    """An example that consists of parameters and a shape."""

    form = "a list of pairs of parameters and the shape of one example's inputs"
    sample = "[({'units': 3}, (4,))]"
    place: ClassVar[tuple[int, ...]] = (6,)

    @classmethod
    def is_item(cls, item: object) -> bool:
        """Return whether the item is a pair of a dict and a shape."""
        match item:
            case (dict(), tuple(shape)):
                return all(isinstance(length, int) and length >= 1 for length in shape)
        return False

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        shape: tuple[int, ...] = self.shown_with()
        return shape

    def title(self) -> str:
        """Return a title that identifies the example."""
        return f"{super().title()} on shape {self.shape}"


def example_class(kind: str) -> type[Example]:
    """Return the class of examples for a kind of component, from the module with the checks of that kind."""
    is_fitted = kind in ("encoding", "category_encoding", "calibration")
    module = import_module(f"mlpkit.testing.suite.checks.{'fitted' if is_fitted else kind}")
    example: type[Example] = getattr(module, f"{KINDS[kind].base}Example")
    return example


def examples_of(entry: RegisteredComponent, registry: Registry) -> list[Example]:
    """Return a component's examples, or one with its default parameters; if they are wrong, raise ``CheckFailure``."""
    kind = example_class(entry.kind)
    items = entry.component.examples()
    if not isinstance(items, list) or not all(kind.is_item(item) for item in items):
        raise CheckFailure(
            f"{entry.name}.examples() returned {items!r}", expected=kind.form, remedy=f"as in {kind.sample}"
        )
    required = [field.name for field in entry.schema.fields if field.required]
    if not items and required:
        raise CheckFailure(
            f"{entry.name} has no examples, but requires {', '.join(required)}",
            expected="parameters to check it with",
            remedy=f"write a class method examples that returns {kind.form}, as in {kind.sample}",
        )
    indices: list[int | None] = [*range(len(items))] or [None]
    return [example for index in indices for example in kind.variants(entry, registry, index)]


@dataclass(frozen=True)
class ComponentUnderTest:
    """A component of a plugin, with the results of its prerequisites.

    Args:
        entry: the component, as registered.
        registry: all components that it may be used with.
        in_new_process: arguments with which a subprocess finds the plugin: empty if it is installed, or a path; None
            if a subprocess can't find it.
        answers: whether the component passed each prerequisite run so far.
    """

    entry: RegisteredComponent
    registry: Registry
    in_new_process: tuple[str, ...] | None
    answers: dict[str, bool] = field(default_factory=dict, init=False)

    @property
    def name(self) -> str:
        """Its name in specs."""
        return self.entry.name

    @property
    def kind(self) -> str:
        """Its kind."""
        return self.entry.kind

    @property
    def component(self) -> type[Component]:
        """Its class."""
        return self.entry.component

    @cached_property
    def examples(self) -> list[Example]:
        """The examples on which it is checked."""
        return examples_of(self.entry, self.registry)

    def seen_from_new_process(self) -> ObservedImports:
        """Return the side effects of loading the plugin in a subprocess."""
        return observed_imports(self.entry.plugin.namespace, self.in_new_process)


def subjects_of(plugin: str | Path | type[Component], files: Sequence[str] = ()) -> list[ComponentUnderTest]:
    """Return the components to check.

    Args:
        plugin: the namespace of a plugin, a component's name, the path of a plugin's file, or a class.
        files: more plugin files in which to look up namespaces and names.
    """
    if isinstance(plugin, type):
        return [_subject_of_class(plugin)]
    if isinstance(plugin, Path) or plugin.endswith(".py"):
        path = Path(plugin)
        return _subjects(Registry.discover(plugins=[path, doubles]), path.stem, (str(path.absolute()),))
    registry = Registry.discover(plugins=files)
    paths = {Path(file).stem: (str(Path(file).absolute()),) for file in files}
    is_namespace = any(each.namespace == plugin for each in registry.plugins)
    entry = None if is_namespace else _entry(registry, plugin)
    registry.plugins += local_plugins([doubles])  # only now, so that no message lists them
    if entry is None:
        return _subjects(registry, plugin, paths.get(plugin, ()))
    return [ComponentUnderTest(entry, registry, paths.get(entry.plugin.namespace, ()))]


def _entry(registry: Registry, name: str) -> RegisteredComponent:
    namespace = name.rpartition(".")[0]
    try:
        if registry.provides(name) or any(plugin.namespace == namespace for plugin in registry.plugins):
            return registry.find(tuple(KINDS), name)
        remedy = _remedy(registry, name)
    except UnknownComponentError as error:
        remedy = error.remedy
    raise UsageError(f"there is no plugin or component {show(name)} to check; {remedy}")


def _remedy(registry: Registry, name: str) -> str:
    """Suggest a correction for an unknown name, if possible without loading a plugin."""
    namespaces = sorted({plugin.namespace for plugin in registry.plugins})
    if close := nearest(name, namespaces) or registry.nearest_to(name, tuple(KINDS)):
        return f"did you mean '{close}'?"
    return f"known: {', '.join(namespaces)}; install a plugin with pip install -e FOLDER, and name its namespace"


def _subjects(registry: Registry, namespace: str, in_new_process: tuple[str, ...]) -> list[ComponentUnderTest]:
    candidates = [plugin for plugin in registry.plugins if plugin.namespace == namespace]
    plugin = next((each for each in candidates if each.usable or each.status is Status.BROKEN), candidates[0])
    plugin.load()
    if not plugin.usable:
        raise PluginError(plugin.failure)
    return [
        ComponentUnderTest(RegisteredComponent(plugin, declaration), registry, in_new_process)
        for declaration in plugin.declarations.values()
    ]


def _subject_of_class(cls: type[Component]) -> ComponentUnderTest:
    """Register a class without a plugin; its namespace is the first part of its module's name."""
    if not issubclass(cls, Component):
        raise UsageError(
            f"the class {cls.__name__} is not a component; expected a subclass of mlpkit.Layer, or the like"
        )
    snake_case = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
    name = cls.__name__ if KINDS[cls.kind].camel_case else snake_case
    namespace = re.sub(r"\W", "_", cls.__module__.partition(".")[0])
    declared = {name: component(cls.kind, name, cls)}
    origin = PluginOrigin(None, f"class {cls.__qualname__}", carrier=cls)
    plugin = Plugin(namespace, origin, Status.LOADED, declarations=declared)
    registry = Registry.discover(plugins=[doubles])
    registry.plugins = [
        plugin,
        *(other for other in registry.plugins if other.namespace != namespace or other.built_in),
    ]
    return ComponentUnderTest(RegisteredComponent(plugin, plugin.declarations[name]), registry, None)
