"""The type of a part of a spec that has keys of its own: the top level, and ``training``."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlpkit.components.schema.signature import Signature, signature_of
from mlpkit.components.schema.value_type import INVALID, Checking, ValueType, show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit.components.schema.fault import Path
    from mlpkit.components.schema.value_type import SchemaReferences


@dataclass(frozen=True)
class SectionType(ValueType):
    """A mapping with fixed keys: the fields of a dataclass.

    Args:
        title: what to call it in messages.
        owner: the dataclass.
        reserved: keys of the format that this version can't act on, and what they are for.
    """

    title: str
    owner: type
    reserved: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def signature(self) -> Signature:
        """The section's keys."""
        return signature_of(self.owner)

    def describe(self) -> str:
        """Say what is expected."""
        return f"a mapping with the keys of {self.title}"

    def check(self, value: object, path: Path, checking: Checking) -> object:
        """Return the section's values by key, defaults filled in."""
        if not isinstance(value, dict):
            return checking.report(path, f"{show(value)} is not a mapping", expected=self.describe())
        given = dict(value)
        for key in [key for key in value if key in self.reserved]:
            del given[key]
            checking.report(
                (*path, key),
                f"the key '{key}' ({self.reserved[key]}) is part of the format, but this version can't act on it",
                remedy="leave it out, or upgrade mlpkit",
                at_key=True,
            )
        checked = self.signature.check(given, path, checking, subject=self.title, noun="key")
        return INVALID if checked is None else checked

    def realize(self, checked: Any) -> Any:
        """Build the section; its components stay recipes."""
        types = self.signature.types
        return self.owner(**{key: types[key].realize(value) for key, value in checked.items()})

    def plain(self, checked: Any) -> Any:
        """Write every value that is not None."""
        types = self.signature.types
        written = {key: types[key].plain(value) for key, value in checked.items()}
        return {key: value for key, value in written.items() if value is not None}

    def json_schema(self, references: SchemaReferences) -> dict[str, Any]:
        """Return the type as JSON Schema."""
        return self.signature.json_schema(references)


class OptionalSectionType(SectionType):
    """A section that may be left out, and is None then."""

    def check(self, value: object, path: Path, checking: Checking) -> object:
        """Return the section's values by key, defaults filled in, or None if there is no such section."""
        if value is None:
            return None
        if not isinstance(value, dict):
            keys = f"its keys: {', '.join(self.signature.types)}"
            return checking.report(path, f"{show(value)} is not a mapping", expected=self.describe(), remedy=keys)
        return super().check(value, path, checking)

    def realize(self, checked: Any) -> Any:
        """Build the section, if there is one."""
        return None if checked is None else super().realize(checked)

    def plain(self, checked: Any) -> Any:
        """Write every value that is not None."""
        return None if checked is None else super().plain(checked)

    def json_schema(self, references: SchemaReferences) -> dict[str, Any]:
        """Return the type as JSON Schema."""
        return {"anyOf": [super().json_schema(references), {"type": "null"}]}
