"""What failing commands print with ``--json``, checked against its published schema."""

from __future__ import annotations

from functools import cache
from typing import Any

from mlpkit.verbs.ask.schema import problem_schema


def valid_problems(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the problems of a document after checking it against the schema."""
    _validator().validate(document)
    problems: list[dict[str, Any]] = document["problems"]
    return problems


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(problem_schema())
