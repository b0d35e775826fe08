"""Checks the gradients of a layer or loss on its examples."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mlpkit.registry.error_summary import one_line
from mlpkit.testing.suite.all_checks import TO_BUILD, checks_for, run_check
from mlpkit.testing.suite.check import CheckFailure
from mlpkit.testing.suite.plugin_under_test import ComponentUnderTest

if TYPE_CHECKING:
    from mlpkit.registry.registry import RegisteredComponent, Registry


DIFFERENTIATED: Final = ("layer", "loss")
"""The kinds that have gradients."""

DERIVATIVES: Final = ("input_gradient_is_the_derivative", "parameter_gradients_are_the_derivatives")
"""The checks of the conformance suite that compare ``backward`` with differences of ``forward``."""


@dataclass(frozen=True)
class GradientReport:
    """What a comparison of ``backward`` with differences of ``forward`` says.

    Args:
        status: ``checked``; ``failed`` if a gradient is wrong, or can't be computed; ``unchecked`` if there is no
            example.
        examples: how many examples were compared.
        detail: what is wrong or missing.
    """

    status: str
    examples: int = 0
    detail: str = ""


def gradient_report(entry: RegisteredComponent, registry: Registry) -> GradientReport | None:
    """Compare the gradients of a component with differences, on each of its examples; None if it has no gradients.

    Args:
        entry: the component.
        registry: builds components that an example names.
    """
    if entry.kind not in DIFFERENTIATED:
        return None
    subject = ComponentUnderTest(entry, registry, None)
    checks = {check.name: check for check in checks_for(entry.kind)}
    for name in (*TO_BUILD, *DERIVATIVES):
        try:
            with redirect_stdout(sys.stderr):  # standard output is for results, which may be JSON
                run_check(checks[name], subject, TO_BUILD)
        except CheckFailure as found:
            return GradientReport("failed" if name in DERIVATIVES else "unchecked", detail=one_line(str(found)))
    return GradientReport("checked", len(subject.examples))
