"""Checks of components of every kind: documentation, loading, methods and parameters."""

from __future__ import annotations

import json
from typing import Any

from mlpkit.components.component import check_interface
from mlpkit.components.kinds import IN_SPECS, KINDS
from mlpkit.components.schema.context import INVALID, CheckContext
from mlpkit.components.schema.recipe import Recipe, built
from mlpkit.components.schema.signature import ParameterSchema, schema_of
from mlpkit.components.schema.types import IntegerType, NumberType
from mlpkit.errors import MlpkitError, PluginError
from mlpkit.testing.suite.check import CheckFailure, checks_component, checks_examples, described, failing_with, require
from mlpkit.testing.suite.plugin_under_test import ComponentUnderTest, Example


@checks_component(*KINDS)
def says_what_it_is(subject: ComponentUnderTest) -> None:
    """Does the class have its own docstring, whose first sentence describes the component?

    ``mlpkit show`` and editors show it.
    """
    require(
        vars(subject.component).get("__doc__") and subject.entry.schema.docstring.summary,
        f"the class {subject.component.__name__} has no docstring",
        expected="one sentence" + (", then the mathematics" if subject.kind in IN_SPECS else ""),
        remedy='begin the class with """..."""',
    )


@checks_component(*KINDS)
def says_what_its_parameters_mean(subject: ComponentUnderTest) -> None:
    """Does the section ``Args:`` of the docstring explain every parameter, and no others?

    ``mlpkit show`` and ``mlpkit explain`` print it.
    """
    schema = subject.entry.schema
    silent = [name for name in schema.types if not schema.docstring.parameters.get(name)]
    unknown = [name for name in schema.docstring.parameters if name not in schema.types]
    happened = f"the docstring doesn't explain {', '.join(silent)}"
    require(not silent, happened, expected="a line for each parameter below Args:")
    happened = f"the docstring describes {', '.join(unknown)}, which the constructor doesn't take"
    require(not unknown, happened, expected=", ".join(schema.types) or "no Args:")


@checks_component(*KINDS)
def can_be_loaded(subject: ComponentUnderTest) -> None:
    """Can the class be imported, does it have the declared kind, and do its methods and its constructor fit a spec?

    Every parameter of the constructor needs an annotation with the type of its values in specs. A method that overrides
    one of its kind has the same parameters: mlpkit passes no others.
    """
    try:
        check_interface(subject.component, with_weights=True)
    except PluginError as error:
        who = f"{subject.kind} {subject.name} of {subject.entry.plugin.label}: "
        happened, _, expected = str(error).removeprefix(who).partition("; expected ")
        subclass = f"a subclass of mlpkit.{KINDS[subject.kind].base} with its methods, whose parameters all have types"
        raise CheckFailure(happened, expected=expected or subclass) from error


@checks_component(*KINDS)
def has_examples(subject: ComponentUnderTest) -> None:
    """Are there parameters to check the component with: its examples, or its defaults?

    Without them nothing can be checked, and ``mlpkit show`` has nothing to show.
    """
    require(subject.examples, "examples() returned nothing to check", expected="at least one example")


@checks_examples(*KINDS)
def examples_can_be_built(example: Example) -> None:
    """Can the component be built from each example, as from a spec?

    Users copy examples first.
    """
    happened = f"{example.name} can't be built with {example.title()}:"
    with failing_with(happened, expected="valid examples", remedy="correct examples()"):
        example.make()


@checks_component(*KINDS)
def defaults_are_what_a_spec_could_say(subject: ComponentUnderTest) -> None:
    """Does the annotation of each parameter admit its default?

    The resolved spec contains every default, and must be readable again.
    """
    for field in subject.entry.schema.fields:
        context = CheckContext(subject.registry.resolve)
        if not field.required:
            field.type.check(field.default, (field.name,), context)
        for fault in context.faults:
            raise CheckFailure(
                f"the default of {field.name} is {field.default!r}: {fault.message}",
                expected=fault.expected or field.type.describe(),
                remedy="correct the default, or its annotation",
            )


@checks_examples(*KINDS)
def a_spec_keeps_the_parameters(example: Example) -> None:
    """Are the parameters of an example the same after writing them into a spec and reading it again?

    A model file contains the spec from which the network is rebuilt.
    """
    written = _recipe(example, example.parameters()).reference()
    with failing_with(
        f"the parameters {written[example.name]} can't be written into a spec:",
        expected="Booleans, numbers, text, lists, mappings and components by name",
        remedy="use names in examples(), not objects, and defaults that a spec could contain",
    ):
        again = json.loads(json.dumps(written))
    read = _recipe(example, again[example.name]).reference()
    is_same = json.dumps(read) == json.dumps(written)
    require(is_same, f"{written} became {read} when it was written and read", expected="the same parameters")


@checks_examples(*KINDS)
def odd_parameters_are_refused_with_our_errors(example: Example) -> None:
    """At the limits of the annotations, does the constructor either work or raise ``ParameterError``?

    Users then see the line of the spec, not a traceback. Ranges are best declared in annotations, as in
    ``Annotated[int, Ge(1)]``.
    """
    recipe = _recipe(example, example.parameters())
    for field in schema_of(recipe.component).fields:
        for value in _edges(field):
            arguments = {key: built(argument) for key, argument in recipe.arguments.items()}
            try:
                example.component(**arguments | {field.name: value})
            except MlpkitError:
                continue
            except Exception as error:
                raise CheckFailure(
                    f"{field.name}: {value!r} passes its annotation, but the constructor raised {described(error)}",
                    expected="an annotation that refuses it, or ParameterError",
                    remedy=f"annotate {field.name} with its range, or raise ParameterError('{field.name}', ...)",
                ) from error


def _recipe(example: Example, parameters: dict[str, Any]) -> Recipe[Any]:
    """Return parameters as read from a spec."""
    context = CheckContext(example.registry.resolve)
    recipe = example.registry.resolve((example.entry.kind,), {example.name: parameters}, (), context)
    if recipe is None:
        fault = context.faults[0]
        raise CheckFailure(
            f"{example.title()}: {fault.message}", expected=fault.expected or "parameters that a spec could contain"
        )
    return recipe


def _edges(field: ParameterSchema) -> list[Any]:
    """Return numbers at the bounds of a parameter, and slightly inside."""
    if isinstance(field.type, IntegerType):
        candidates: list[Any] = [-1, 0, 1, *(bound.limit + d for bound in field.type.bounds for d in (-1, 0, 1))]
    elif isinstance(field.type, NumberType):
        candidates = [-1.0, 0.0, 1.0, *(bound.limit + d for bound in field.type.bounds for d in (-1e-9, 0.0, 1e-9))]
    else:
        return []
    return [each for each in dict.fromkeys(candidates) if field.type.check(each, (), CheckContext()) is not INVALID]
