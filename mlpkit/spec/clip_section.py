"""The keys of ``training.clip``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from annotated_types import Gt

from mlpkit.spec.section import OptionalSectionType

if TYPE_CHECKING:
    from mlpkit.components.schema.fault import Path
    from mlpkit.components.schema.value_type import Checking, SchemaReferences

LIMITS: Final = ("norm", "value")
"""What is limited; just one of them is given."""


@dataclass(frozen=True)
class Clip:
    """How large the gradient of a step may be.

    Args:
        norm: largest length of the whole gradient; a longer one is scaled to it, and keeps its direction.
        value: largest absolute value of each element of the gradient; a larger one is set to it, and keeps its sign.
    """

    norm: Annotated[float | None, Gt(0)] = None
    value: Annotated[float | None, Gt(0)] = None


class ClipType(OptionalSectionType):
    """The section ``clip``: its keys, of which just one is given."""

    def __init__(self) -> None:
        super().__init__("training.clip", Clip)

    def check(self, value: object, path: Path, checking: Checking) -> object:
        """Return the section's values by key, defaults filled in, or None if there is no such section."""
        if isinstance(value, dict) and set(value) <= set(LIMITS):  # a misspelt key is told by itself
            given = [key for key in LIMITS if value.get(key) is not None]
            expected = "norm: LENGTH or value: LIMIT"
            if not given:
                checking.report(path, "nothing says how large a gradient may be", expected=expected, at_key=True)
            elif len(given) == 2:
                message = "both norm and value are given"
                checking.report((*path, "value"), message, expected=f"either {expected}", at_key=True)
        return super().check(value, path, checking)

    def json_schema(self, references: SchemaReferences) -> dict[str, Any]:
        """Return the type as JSON Schema."""
        schema = super().json_schema(references)
        schema["anyOf"][0]["oneOf"] = [
            {"required": [key], "properties": {key: {"not": {"type": "null"}}}} for key in LIMITS
        ]
        return schema
