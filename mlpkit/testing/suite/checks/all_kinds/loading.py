"""Loading: the class can be imported, is what its declaration says, and has examples that can be built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.components.kinds import KINDS
from mlpkit.errors import MlpkitError, PluginError
from mlpkit.testing.suite.check import checks_component, checks_examples
from mlpkit.testing.suite.nonconformity import Nonconformity

if TYPE_CHECKING:
    from mlpkit.testing.suite.examples.example import Example
    from mlpkit.testing.suite.subject import Subject


@checks_component(*KINDS)
def can_be_loaded(subject: Subject) -> None:
    """Can the class be imported, is it of the kind that was declared, and can a spec give its parameters?

    Every parameter of the constructor has an annotation that says what a spec may say.
    """
    try:
        subject.component  # noqa: B018 - imports it
    except PluginError as error:
        raise Nonconformity(
            str(error), expected=f"a subclass of mlpkit.{KINDS[subject.kind].base} whose parameters all have types"
        ) from error


@checks_component(*KINDS)
def has_examples(subject: Subject) -> None:
    """Are there parameters to check the component with: its examples, or its defaults?

    Without them nothing can be checked, and ``mlpkit show`` has nothing to show.
    """
    if not subject.examples:
        raise Nonconformity("examples() returned nothing to check", expected="at least one example")


@checks_examples(*KINDS)
def examples_can_be_built(example: Example) -> None:
    """Can the component be built from each example, as a spec would build it?

    An example is what users copy first.
    """
    try:
        example.make()
    except MlpkitError as error:
        raise Nonconformity(
            f"{example.name} can't be built with {example.title()}: {error}",
            expected="examples that are right",
            remedy="correct examples()",
        ) from error
