"""Documentation: what ``mlpkit show``, the errors and the editor's completion are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.components.kinds import KINDS
from mlpkit.testing.suite.check import checks_component
from mlpkit.testing.suite.nonconformity import Nonconformity

if TYPE_CHECKING:
    from mlpkit.testing.suite.subject import Subject


@checks_component(*KINDS)
def says_what_it_is(subject: Subject) -> None:
    """Does the class have a docstring of its own, whose first sentence says what the component is?

    ``mlpkit show`` and completion in editors print it.
    """
    docstring = vars(subject.component).get("__doc__")
    if not docstring or not subject.entry.signature.docstring.summary:
        raise Nonconformity(
            f"the class {subject.component.__name__} has no docstring",
            expected="one sentence, then the mathematics",
            remedy='begin the class with """..."""',
        )


@checks_component(*KINDS)
def says_what_its_parameters_mean(subject: Subject) -> None:
    """Does the section ``Args:`` of the docstring give the meaning of every parameter, and of no others?

    ``mlpkit show`` and ``mlpkit explain`` print it.
    """
    signature = subject.entry.signature
    silent = [name for name in signature.types if not signature.docstring.parameters.get(name)]
    strangers = [name for name in signature.docstring.parameters if name not in signature.types]
    if silent:
        raise Nonconformity(
            f"the docstring doesn't say what {', '.join(silent)} means",
            expected="a line for each parameter below Args:",
            remedy=f"add '{silent[0]}: ...' there",
        )
    if strangers:
        raise Nonconformity(
            f"the docstring describes {', '.join(strangers)}, which the constructor doesn't take",
            expected=", ".join(signature.types) or "no Args:",
        )
