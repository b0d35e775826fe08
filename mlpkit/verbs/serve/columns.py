"""The columns that a model takes, as a request writes them in JSON."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from mlpkit.components.input_columns import columns_of
from mlpkit.errors import MlpkitError
from mlpkit.jobs.load_model import TrainedModel

LARGEST: Final = 1e15
"""Larger numbers are refused in JSON: the arithmetic of a network might overflow."""
ANY_TEXT: Final = "\ufffd"
"""A text that is no category of any column."""
TRUTHS: Final = {"true": True, "false": False}


@dataclass(frozen=True)
class Column:
    """A column that a model takes.

    Args:
        name: its name.
        is_number: whether it holds numbers and truth values; otherwise texts.
        optional: whether a value may be missing.
        categories: the only values that it may have, as JSON has them: texts, and the numbers and truth values that
            they stand for; empty if it takes any.
    """

    name: str
    is_number: bool
    optional: bool
    categories: tuple[str | float | bool, ...]

    @cached_property
    def types(self) -> frozenset[type]:
        """The Python types of its values in JSON."""
        found: set[type] = {int, float, bool} if self.is_number else {str, int, float, *map(type, self.categories)}
        return frozenset(found | {type(None)} if self.optional else found)

    @property
    def expected(self) -> str:
        """What it takes, in words."""
        what = "a number, or true or false" if self.is_number else "a text"
        return f"{what}, or null for a missing value" if self.optional else what

    @property
    def schema(self) -> dict[str, Any]:
        """Its JSON Schema."""
        number = {"type": "number", "minimum": -LARGEST, "maximum": LARGEST}
        if self.is_number:
            kinds: list[dict[str, Any]] = [number, {"type": "boolean"}]
        elif self.categories:
            kinds = [{"enum": [*self.categories]}]
        else:
            kinds = [{"type": "string", "pattern": r"\S"}, number]
        return {"anyOf": [*kinds, {"type": "null"}]} if self.optional else {"anyOf": kinds}

    @property
    def schema_in_tensor(self) -> dict[str, Any]:
        """Its JSON Schema where only numbers, or only texts, can be written."""
        if self.is_number:
            return {"type": "number", "minimum": -LARGEST, "maximum": LARGEST}
        texts = [category for category in self.categories if isinstance(category, str)]
        return {"enum": texts} if texts else {"type": "string", "pattern": r"\S"}

    @property
    def example(self) -> str | float | bool:
        """A value that it takes."""
        if self.is_number:
            return 1
        return self.categories[0] if self.categories else "text"


def columns_taken(model: TrainedModel) -> tuple[Column, ...] | None:
    """Return the columns that a model takes, found by trying values; None if it takes arrays."""
    names = model.dataset.column_names()
    if names is None:
        return None
    holds = {column.name: column.holds for column in columns_of(model.network.input_shape)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        required = _required(model, names)
        return tuple(_column(model, names, name, holds.get(name, ""), name not in required) for name in names)


def _column(model: TrainedModel, names: tuple[str, ...], name: str, holds: str, optional: bool) -> Column:
    if holds == "numbers" and _takes(model, names, name, 1.0):
        return Column(name, is_number=True, optional=optional, categories=())
    if _takes(model, names, name, ANY_TEXT):
        return Column(name, is_number=False, optional=optional, categories=())
    features = model.dataset.feature_names() or () if holds == "one_hot" else ()
    texts = [feature.removeprefix(f"{name}=") for feature in features if feature.startswith(f"{name}=")]
    return Column(name, is_number=False, optional=optional, categories=(*texts, *_values(texts)))


def _values(texts: Iterable[str]) -> list[float | bool]:
    """Return the numbers and truth values that texts stand for, as JSON has them."""
    found: list[float | bool] = []
    for text in texts:
        if text.lower() in TRUTHS:
            found.append(TRUTHS[text.lower()])
        elif text.removeprefix("-").isdecimal() and str(int(text)) == text:
            found.append(int(text))
    return found


def _takes(model: TrainedModel, names: tuple[str, ...], name: str, value: object) -> bool:
    try:
        model.dataset.from_columns({each: [value if each == name else None] for each in names})
    except MlpkitError:
        return False
    return True


def _required(model: TrainedModel, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns that may have no missing value."""
    try:
        return (*model.dataset.lacking(model.dataset.from_columns({name: [None] for name in names})).get(0, ()),)
    except MlpkitError:
        return names
