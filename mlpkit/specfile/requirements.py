"""The type of ``requires``: the distributions that a spec needs, with their versions."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from mlpkit.components.schema.context import INVALID, CheckContext, ValueType, show
from mlpkit.components.schema.wording import nearest
from mlpkit.registry.distributions import installed_distributions, version_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from packaging.specifiers import SpecifierSet

    from mlpkit.components.recipe import KeyPath
    from mlpkit.components.schema.context import SchemaReferences


DISTRIBUTION: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
RANGE: Final = r"^\s*(~=|===?|!=|<=?|>=?)\s*[^\s,]+\s*(,\s*(~=|===?|!=|<=?|>=?)\s*[^\s,]+\s*)*$"
"""What a version range looks like, for JSON Schema."""

LONGEST_NAME: Final = 100
LONGEST_RANGE: Final = 200
"""Characters; what is longer is neither, and a number of thousands of digits is more than Python reads."""

FORM: Final = 'a version range, such as ">=1.2,<2"'


class RequirementsType(ValueType):
    """A mapping from distributions to the versions that will do, each a range as pip takes it."""

    def describe(self) -> str:
        """Say what is expected."""
        return f"a mapping from packages, each to {FORM}"

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the mapping, after a look at what is installed."""
        if value is None:
            return None
        if not isinstance(value, dict):
            return context.report(path, f"{show(value)} is not a mapping", expected=self.describe())
        before = len(context.faults)
        distributions = cache(lambda: [distribution.name for distribution in installed_distributions()])
        for name, wanted in value.items():
            if len(name) > LONGEST_NAME or not DISTRIBUTION.fullmatch(name):
                message = f"{show(name)} can't be the name of a distribution"
                context.report((*path, name), message, expected="a name as pip takes it", at_key=True)
            else:
                _check(name, wanted, (*path, name), context, distributions)
        return INVALID if len(context.faults) > before else dict(value)

    def json_schema(self, references: SchemaReferences) -> dict[str, Any]:
        """Return the type as JSON Schema."""
        return {
            "type": ["object", "null"],
            "propertyNames": {"pattern": f"^{DISTRIBUTION.pattern}$"},
            "additionalProperties": {"type": "string", "pattern": RANGE, "examples": [">=1.2,<2"]},
        }


def _check(
    name: str, wanted: object, path: KeyPath, context: CheckContext, distributions: Callable[[], list[str]]
) -> None:
    acceptable = _range(wanted, path, context)
    if acceptable is None:
        return
    found = version_of(name)
    written = str(wanted).strip()
    install = f'install it with: pip install "{name}{written}"'
    if found is None:
        close = nearest(name, distributions())
        remedy = f"did you mean '{close}'? Otherwise {install}" if close else install
        context.report(path, f"this spec requires {name}, which is not installed", remedy=remedy, at_key=True)
    elif not found:
        context.report(path, f"the version of {name} that is installed is not known", expected=written)
    elif not _lies_in(found, acceptable):
        message = f"this spec requires another version of {name}: {found} is installed"
        context.report(path, message, expected=written, remedy=install)


def _range(wanted: object, path: KeyPath, context: CheckContext) -> SpecifierSet | None:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - few specs require anything

    text = wanted.strip() if isinstance(wanted, str) else ""
    if text and len(text) <= LONGEST_RANGE:
        try:
            return SpecifierSet(text)
        except InvalidSpecifier:
            pass
    is_version = isinstance(wanted, int | float | str) and not isinstance(wanted, bool) and _is_version(str(wanted))
    remedy = f'write ">={wanted}" for this version and later ones, or "=={wanted}"' if is_version else ""
    if wanted is None or wanted == "":
        remedy = 'write ">=0" if any version will do'
    context.report(path, f"{show(wanted)} is not a version range", expected=FORM, remedy=remedy)
    return None


def _is_version(text: str) -> bool:
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - as above

    if len(text) > LONGEST_RANGE:
        return False
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def _lies_in(version: str, acceptable: SpecifierSet) -> bool:
    return _is_version(version) and acceptable.contains(version, prereleases=True)
