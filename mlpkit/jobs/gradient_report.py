"""Whether the gradients of a layer or loss are right, on the examples that it shows itself by."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mlpkit.registry.reason import one_line
from mlpkit.testing.suite.all_checks import checks_for
from mlpkit.testing.suite.nonconformity import Nonconformity
from mlpkit.testing.suite.subject import Subject
from mlpkit.testing.suite.verdict import TO_BUILD, ask

if TYPE_CHECKING:
    from mlpkit.registry.registry import RegisteredComponent, Registry

DERIVATIVES: Final = ("input_gradient_is_the_derivative", "parameter_gradients_are_the_derivatives")
"""The checks of the conformance suite that compare ``backward`` with differences of ``forward``."""


@dataclass(frozen=True)
class GradientReport:
    """What a comparison of ``backward`` with differences of ``forward`` says.

    Args:
        status: ``checked``; ``failed`` if a gradient is wrong, or can't be had; ``unchecked`` if there is no example.
        examples: how many examples were compared.
        detail: what is wrong, or missing.
    """

    status: str
    examples: int = 0
    detail: str = ""


def gradient_report(entry: RegisteredComponent, registry: Registry) -> GradientReport:
    """Compare the gradients of a layer or loss with differences, on each of its examples.

    Args:
        entry: the layer or loss.
        registry: builds components that an example names.
    """
    subject = Subject(entry, registry, None)
    checks = {check.name: check for check in checks_for(entry.kind)}
    for name in (*TO_BUILD, *DERIVATIVES):
        try:
            with redirect_stdout(sys.stderr):  # standard output is for results, which others may read as JSON
                ask(checks[name], subject, TO_BUILD)
        except Nonconformity as found:
            return GradientReport("failed" if name in DERIVATIVES else "unchecked", detail=one_line(str(found)))
    return GradientReport("checked", len(subject.examples))
