"""Markdown tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mlpkit.components.schema.recipe import written
from mlpkit.components.schema.signature import REQUIRED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlpkit.components.schema.signature import ParameterSchema


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table, one line per row."""
    lines = (head, ["---"] * len(head), *rows)
    return "".join(f"| {' | '.join(_cell(text) for text in line)} |\n" for line in lines)


def default_of(field: ParameterSchema) -> str:
    """Return a parameter's default as a spec would say it."""
    return "required" if field.default is REQUIRED else f"`{written_default(field.default)}`"


def written_default(default: object) -> str:
    """Return a default as a spec would say it."""
    plain = written(default)
    return plain if isinstance(plain, str) else json.dumps(plain)


def _cell(docstring: str) -> str:
    return docstring.replace("``", "`").replace("|", r"\|").removesuffix(".")
