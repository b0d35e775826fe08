"""The number of a spec's format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mlpkit.components.schema.context import ValueType, show
from mlpkit.version import VERSION

if TYPE_CHECKING:
    from mlpkit.components.recipe import KeyPath
    from mlpkit.components.schema.context import CheckContext, SchemaReferences

FORMAT_KEY: Final = "mlpkit"
FORMAT: Final = 1


class FormatType(ValueType):
    """The number of a spec's format."""

    def describe(self) -> str:
        """Say what is expected."""
        return str(FORMAT)

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the number."""
        if type(value) is not int or value < 1:
            return context.report(path, f"{show(value)} is not the number of a format", expected=self.describe())
        if value > FORMAT:
            message = f"format {value} is newer than this version of mlpkit, {VERSION}, can read"
            return context.report(path, message, expected=self.describe(), remedy="upgrade mlpkit")
        return value

    def json_schema(self, references: SchemaReferences) -> dict[str, Any]:
        """Return the type as JSON Schema."""
        return {"enum": [FORMAT]}
