"""Parameters: what a spec says arrives, and what can't be is refused with an error of ours."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlpkit.components.kinds import KINDS
from mlpkit.components.recipe import built
from mlpkit.components.schema.scalars import IntegerType, NumberType
from mlpkit.components.schema.signature import signature_of
from mlpkit.components.schema.value_type import Checking
from mlpkit.errors import MlpkitError
from mlpkit.testing.suite.check import checks_component, checks_examples
from mlpkit.testing.suite.nonconformity import Nonconformity

if TYPE_CHECKING:
    from mlpkit.components.recipe import Recipe
    from mlpkit.components.schema.signature import Field
    from mlpkit.testing.suite.examples.example import Example
    from mlpkit.testing.suite.subject import Subject


@checks_component(*KINDS)
def defaults_are_what_a_spec_could_say(subject: Subject) -> None:
    """Is every default a value that the parameter's own annotation admits?

    The resolved spec writes every default out, and must be readable again.
    """
    for field in subject.entry.signature.fields:
        checking = Checking(subject.registry.resolve)
        if not field.required:
            field.type.check(field.default, (field.name,), checking)
        for fault in checking.faults:
            raise Nonconformity(
                f"the default of {field.name} is {field.default!r}: {fault.message}",
                expected=fault.expected or field.type.describe(),
                remedy="correct the default, or its annotation",
            )


@checks_examples(*KINDS)
def a_spec_keeps_the_parameters(example: Example) -> None:
    """Are the parameters of an example the same after they were written into a spec and read again?

    A model file holds the spec that builds the network anew.
    """
    written = _recipe(example, example.parameters()).reference()
    try:
        again = json.loads(json.dumps(written))
    except TypeError as error:
        raise Nonconformity(
            f"the parameters {written[example.name]} can't be written into a spec: {error}",
            expected="truth values, numbers, text, lists, mappings and components by name",
            remedy="give names in examples(), and no objects; choose defaults that a spec could say",
        ) from error
    read = _recipe(example, again[example.name]).reference()
    if json.dumps(read) != json.dumps(written):
        raise Nonconformity(f"{written} became {read} when it was written and read", expected="the same parameters")


@checks_examples(*KINDS)
def odd_parameters_are_refused_with_our_errors(example: Example) -> None:
    """At the edges of what the annotations admit, does the constructor either work or raise ``ParameterError``?

    Users see the line of the spec, and not a traceback. Ranges are best said by annotations, as in
    ``Annotated[int, Ge(1)]``.
    """
    recipe = _recipe(example, example.parameters())
    for field in signature_of(recipe.component).fields:
        for value in _edges(field):
            arguments = {key: built(given) for key, given in recipe.arguments.items()}
            try:
                example.component(**arguments | {field.name: value})
            except MlpkitError:
                continue
            except Exception as error:
                raise Nonconformity(
                    f"{field.name}: {value!r} passes its annotation, but the constructor raised "
                    f"{type(error).__name__}: {error}",
                    expected="an annotation that refuses it, or ParameterError",
                    remedy=f"annotate {field.name} with its range, or raise ParameterError('{field.name}', ...)",
                ) from error


def _recipe(example: Example, parameters: dict[str, Any]) -> Recipe[Any]:
    """Return what a spec makes of parameters."""
    checking = Checking(example.registry.resolve)
    recipe = example.registry.resolve((example.entry.kind,), {example.name: parameters}, (), checking)
    if recipe is None:
        fault = checking.faults[0]
        raise Nonconformity(
            f"{example.title()}: {fault.message}", expected=fault.expected or "parameters that a spec could say"
        )
    return recipe


def _edges(field: Field) -> list[Any]:
    """Return numbers at, and a little within, the bounds of a parameter."""
    if isinstance(field.type, IntegerType):
        candidates: list[Any] = [-1, 0, 1, *(bound.limit + d for bound in field.type.bounds for d in (-1, 0, 1))]
    elif isinstance(field.type, NumberType):
        candidates = [-1.0, 0.0, 1.0, *(bound.limit + d for bound in field.type.bounds for d in (-1e-9, 0.0, 1e-9))]
    else:
        return []
    accepted = []
    for candidate in dict.fromkeys(candidates):
        checking = Checking()
        field.type.check(candidate, (), checking)
        if not checking.faults:
            accepted.append(candidate)
    return accepted
