"""The conformance suite as tests that pytest collects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpkit.errors import UsageError
from mlpkit.testing.suite.all_checks import checks_for
from mlpkit.testing.suite.expected_failures import ReasonsToFail
from mlpkit.testing.suite.nonconformity import Nonconformity, NotApplicable
from mlpkit.testing.suite.plugin_under_test import subjects_of
from mlpkit.testing.suite.verdict import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import ModuleType

    from mlpkit.components.component import Component
    from mlpkit.testing.suite.check import Check
    from mlpkit.testing.suite.subject import Subject


def conformance(
    plugin: str | Path | ModuleType | type[Component],
    *,
    expected_failures: Mapping[str, Mapping[str, str]] | None = None,
) -> Callable[..., None]:
    """Return a test that asks every check of every component of a plugin, each as an item of its own.

    In a file of tests::

        from mlpkit.testing import conformance

        test_acme = conformance("acme")

    Args:
        plugin: the namespace of an installed plugin, the name of one of its components, the path of a plugin's file,
            a module with the hook, or a component's class.
        expected_failures: by a component's name, and then by a check's, why that check is expected to fail. It is a
            failure if it passes.

    Raises:
        UsageError: there is no such plugin, component or check, or pytest is not installed.
        PluginError: the plugin is broken.
    """
    try:
        import pytest  # noqa: PLC0415 - mlpkit does without it
    except ModuleNotFoundError as error:
        raise UsageError("conformance() needs pytest: pip install pytest, or use mlpkit check-plugin") from error

    subjects = subjects_of(plugin)
    reason = ReasonsToFail(expected_failures or {}, subjects)
    items = []
    for subject in subjects:
        for check in checks_for(subject.kind):
            why = reason(check, subject)
            marks = [pytest.mark.xfail(strict=True, reason=why)] if why else []
            items.append(pytest.param(subject, check, id=f"{subject.name}-{check.name}", marks=marks))

    def test_conformance(subject: Subject, check: Check) -> None:
        __tracebackhide__ = True
        try:
            ask(check, subject)
        except NotApplicable as inapplicable:
            pytest.skip(str(inapplicable))
        except Nonconformity as found:
            if found.__cause__ is None:  # there is no place in the author's code to show
                pytest.fail(str(found), pytrace=False)
            raise

    decorated: Any = pytest.mark.parametrize(("subject", "check"), items)(test_conformance)
    return decorated  # type: ignore[no-any-return]
