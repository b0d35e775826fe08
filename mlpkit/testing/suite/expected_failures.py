"""Failures that an author knows of, and why they are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.components.schema.suggestion import did_you_mean
from mlpkit.errors import UsageError
from mlpkit.testing.suite.all_checks import checks_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlpkit.testing.suite.check import Check
    from mlpkit.testing.suite.subject import Subject


class ReasonsToFail:
    """Why checks of components are expected to fail.

    Args:
        declared: by a component's name, with or without its namespace, and then by a check's, the reason.
        subjects: the components that are checked.

    Raises:
        UsageError: a component or a check is none of those that are made, or a reason is missing.
    """

    def __init__(self, declared: Mapping[str, Mapping[str, str]], subjects: Sequence[Subject]) -> None:
        self._reasons: dict[tuple[str, str], str] = {}
        names = {subject.entry.declaration.name: subject for subject in subjects}
        names |= {subject.name: subject for subject in subjects}
        for name, reasons in declared.items():
            if name not in names:
                remedy = did_you_mean(name, names) or f"checked are {', '.join(subject.name for subject in subjects)}"
                raise UsageError(f"expected_failures: no component '{name}' is checked; {remedy}")
            subject = names[name]
            checks = {check.name for check in checks_for(subject.kind)}
            for check, reason in reasons.items():
                if check not in checks:
                    remedy = did_you_mean(check, checks) or "docs/conformance.md lists them"
                    raise UsageError(f"expected_failures: there is no check '{check}' for {name}; {remedy}")
                if not isinstance(reason, str) or not reason.strip():
                    raise UsageError(f"expected_failures: {name} fails {check} for no reason; expected a sentence")
                self._reasons[subject.name, check] = reason

    def __call__(self, check: Check, subject: Subject) -> str:
        """Return why a check is expected to fail; empty if it is not."""
        return self._reasons.get((subject.name, check.name), "")
