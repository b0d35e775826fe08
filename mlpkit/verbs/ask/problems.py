"""What a command that fails prints with ``--json``: its JSON Schema, and what the codes of problems mean."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final, get_args

import mlpkit
from mlpkit.errors import Code

CODES: Final[tuple[str, ...]] = get_args(Code)
PAGE: Final = Path(mlpkit.__file__).parent / "shipped_docs" / "problems.md"

TEXT: Final = {"type": ["string", "null"]}
COUNT: Final = {"type": ["integer", "null"], "minimum": 1}
LIST_OF_PROBLEMS: Final = {"type": "array", "items": {"$ref": "#/$defs/problem"}}


def explain_code(code: str) -> str:
    """Return cause and cure of the problems with a code, in one paragraph."""
    found = re.search(rf"^### {code}\n\n(.+?)\n*(?=^#|\Z)", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None
    return " ".join(re.sub(r"\[(.+?)\]\(.+?\)", r"\1", found[1]).split())


def problem_schema() -> dict[str, Any]:
    """Return the schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What ended a command of mlpkit",
        "$defs": {
            "problem": _object(
                code={"enum": list(CODES)},
                message={"type": "string"},
                file=TEXT,
                line=COUNT,
                column=COUNT,
                end_line=COUNT,
                end_column=COUNT,
                path=TEXT,
                expected=TEXT,
                help=TEXT,
                notes={"type": "array", "items": {"type": "string"}},
                fix={"anyOf": [{"type": "null"}, _object(path=TEXT, old={"type": "string"}, new={"type": "string"})]},
                docs={"type": "string"},
            )
        },
        **_object(ok={"const": False}, problems=LIST_OF_PROBLEMS | {"minItems": 1}, warnings=LIST_OF_PROBLEMS),
        "additionalProperties": True,
    }


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
