"""The types of values that single keys of a spec have: its format, what it requires, and names of what it has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Final

from mlpkit.components.metric import Metric
from mlpkit.components.schema.context import INVALID, CheckContext, ValueType, correction, show
from mlpkit.components.schema.recipe import KeyPath, Recipe
from mlpkit.components.schema.types import TextType
from mlpkit.components.schema.wording import did_you_mean
from mlpkit.registry.distributions import version_of
from mlpkit.version import VERSION

FORMAT_KEY: Final = "mlpkit"
FORMAT: Final = 1


class FormatType(ValueType):
    """The number of a spec's format."""

    def describe(self) -> str:
        """Describe the expected value."""
        return str(FORMAT)

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the number."""
        if type(value) is not int or value < 1:
            return self.refuse(value, "is not the number of a format", path, context, code="wrong-version")
        if value > FORMAT:
            message = f"format {value} is newer than this version of mlpkit, {VERSION}, can read"
            return context.report(path, message, expected=str(FORMAT), remedy="upgrade mlpkit", code="wrong-version")
        return value


LONGEST_NAME: Final = 100
LONGEST_RANGE: Final = 200
"""Characters; a number of thousands of digits is more than Python reads."""
DISTRIBUTION: Final = r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
RANGE_FORM: Final = 'a version range, such as ">=1.2,<2"'


class RequirementsType(ValueType):
    """A mapping from distributions to the versions that will do, each a range as pip takes it."""

    def describe(self) -> str:
        """Describe the expected value."""
        return f"a mapping from packages, each to {RANGE_FORM}"

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the mapping, after a look at what is installed."""
        if value is None:
            return None
        if not isinstance(value, dict):
            return self.refuse(value, "is not a mapping", path, context)
        before = len(context.faults)
        for name, wanted in value.items():
            if len(name) > LONGEST_NAME or not re.fullmatch(DISTRIBUTION, name):
                message = f"{show(name)} can't be the name of a distribution"
                context.report((*path, name), message, expected="a name as pip takes it", at_key=True)
            else:
                _check_installed(name, wanted, (*path, name), context)
        return INVALID if len(context.faults) > before else dict(value)


def _check_installed(name: str, wanted: object, path: KeyPath, context: CheckContext) -> None:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - few specs require anything
    from packaging.version import InvalidVersion  # noqa: PLC0415

    report = partial(context.report, path, code="wrong-version")
    written = str(wanted or "").strip()
    may_be_range = isinstance(wanted, str) and 0 < len(written) <= LONGEST_RANGE
    try:
        acceptable = SpecifierSet(written if may_be_range else "?")
    except InvalidSpecifier:
        is_version = written[:1].isdigit()
        remedy = f'write ">={written}" for this version and later ones' if is_version else 'write ">=0" for any version'
        report(f"{show(wanted)} is not a version range", expected=RANGE_FORM, remedy=remedy)
        return
    found = version_of(name)
    install = f'install it with: pip install "{name}{written}"'
    if found is None:
        report(f"this spec requires {name}, which is not installed", remedy=install, at_key=True)
        return
    try:
        fits = acceptable.contains(found, prereleases=True)
    except InvalidVersion:
        fits = False
    if not fits:
        message = f"this spec requires another version of {name}: {found or 'an unknown one'} is installed"
        report(message, expected=written, remedy=install)


class LayerPatternType(TextType):
    """The name of a layer in the network, such as ``Affine1``, or a pattern that names several, such as ``Affine*``."""

    expected = "a layer's name, or a pattern with '*'"


LayerPattern = Annotated[str, LayerPatternType()]


class MonitorNameType(TextType):
    """The name of what is compared between evaluations: ``loss``, or one of the run's metrics."""

    expected = "loss, or one of training.metrics"


MonitorName = Annotated[str, MonitorNameType()]


def check_monitored(name: str, metrics: Sequence[Recipe[Metric]], path: KeyPath, context: CheckContext) -> None:
    """Check that a value is the loss or one of the run's metrics."""
    numbers = [metric.name for metric in metrics if metric.component.table is None]
    known = ("loss", *numbers)
    if name in known:
        return
    none = "no metric there is a number" if metrics else "it is empty"
    expected = f"loss, or one of training.metrics: {', '.join(numbers) or none}"
    attempt = context.attempt()
    found = context.resolve(("metric",), name, (), attempt) if context.resolve is not None else None
    if found is not None and found.component.table is not None:
        context.report(path, f"{name} is a table, and none is better than another", expected=expected)
        return
    remedy = attempt.faults[0].remedy if attempt.faults else "add it to training.metrics"
    remedy, fix = did_you_mean(name, known) or remedy, correction(name, known)
    context.report(path, f"the run has no metric '{name}'", expected=expected, remedy=remedy, fix=fix)
