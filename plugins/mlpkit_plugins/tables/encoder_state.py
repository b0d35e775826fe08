"""Converts a table's encoder to the plain data of a model file, and back."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from mlpkit import FittedCategoryEncoding, FittedEncoding, ModelFileError
from mlpkit_plugins.formats.encoder_state import are_names, are_numbers
from mlpkit_plugins.tables.categories import OTHER, CategoryColumns, features_of
from mlpkit_plugins.tables.encoder import TableEncoder, grouped
from mlpkit_plugins.tables.options import ColumnOptions

OTHER_ENCODINGS: Final = "the encodings of the table's encoder don't match the spec inside"

LONGEST_FEATURE_NAMES: Final = 1 << 26
"""The most characters of a column's name, counted once per category."""


def state_of(encoder: TableEncoder) -> dict[str, Any]:
    """Return an encoder as plain data."""
    encodings = encoder.columns_of_categories.encodings
    held = [each.encoding.holds for each in encodings]
    learned = {each.column: each.state() for each in encodings if each.learned}
    constant = [*encoder.constant, *encoder.columns_of_categories.constant]
    return {
        "numbers": list(encoder.numbers),
        "means": encoder.means.tolist(),
        "stds": encoder.stds.tolist(),
        "fills": encoder.fills.tolist(),
        "categories": [[name, list(names)] for name, names in encoder.categories.items()],
        "classes": None if encoder.classes is None else list(encoder.classes),
        **({"indicators": list(encoder.indicators)} if encoder.indicators else {}),
        **({"with_other": list(encoder.with_other)} if encoder.with_other else {}),
        "extents": encoder.extents.tolist(),
        **({"encodings": [each.state() for each in encoder.encodings]} if encoder.encodings else {}),
        **({"held": held} if held else {}),
        **({"learned": learned} if learned else {}),
        **({"of_categories": encoder.of_categories.state()} if encoder.of_categories else {}),
        **({"constant": constant} if constant else {}),
    }


def encoder_from(state: Mapping[str, Any], options: ColumnOptions) -> TableEncoder:
    """Restore an encoder from its state.

    Raises:
        ModelFileError: ``state_of`` can't have returned this state, or it doesn't match the spec.
    """
    match dict(state):
        case {
            "numbers": [*numbers],
            "means": means,
            "stds": stds,
            "fills": fills,
            "categories": [*categories],
            "classes": classes,
            "extents": extents,
        } if (
            all(map(_is_column, categories))
            and are_names(numbers + [name for name, _ in categories])
            and (classes is None or (are_names(classes) and len(classes) > 1))
            and _are_among(state.get("indicators", []), numbers)
            and _are_among(state.get("with_other", []), [name for name, names in categories if OTHER in names])
            and _are_among(state.get("constant", []), [*numbers, *(name for name, _ in categories)])
        ):
            columns = _columns_from(categories, state, options)
            count = len(numbers) + len(features_of(columns.numbers))
            if (
                are_numbers(means, count)
                and are_numbers(stds, count, positive=True)
                and are_numbers(fills, count)
                and _are_extents(extents, count)
            ):
                encoder = TableEncoder(
                    tuple(numbers),
                    np.array(means, np.float64),
                    np.array(stds, np.float64),
                    np.array(fills, np.float64),
                    columns,
                    None if classes is None else tuple(classes),
                    tuple(state.get("indicators", ())),
                    tuple(state.get("with_other", ())),
                    np.array(extents, np.float64).reshape(-1, 2),
                    constant=tuple(name for name in numbers if name in state.get("constant", ())),
                )
                return _with_encodings(encoder, state, options)
    raise ModelFileError(f"the encoder of the table is {reprlib.repr(state)}, which no data set of this kind writes")


def _columns_from(categories: Sequence[Any], state: Mapping[str, Any], options: ColumnOptions) -> CategoryColumns:
    """Return the columns of categories with the encodings of the spec, restored from a state."""
    learned = state.get("learned", {})
    if not isinstance(learned, dict):
        raise ModelFileError(OTHER_ENCODINGS)
    encodings = tuple(
        FittedCategoryEncoding.from_state(
            options.category_encoding_of(name, len(names)), name, names, learned.get(name, {})
        )
        for name, names in categories
    )
    held = [each.encoding.holds for each in encodings]
    if state.get("held", []) != held:
        raise ModelFileError(OTHER_ENCODINGS)
    constant = state.get("constant", ())
    return CategoryColumns(encodings, tuple(name for name, _ in categories if name in constant))


def _with_encodings(encoder: TableEncoder, state: Mapping[str, Any], options: ColumnOptions) -> TableEncoder:
    """Return the encoder with the encodings of the spec, restored from a state."""
    groups, states = grouped(encoder.varying, options.encoding_of), state.get("encodings", [])
    for_categories = options.for_categories
    encoded = isinstance(states, list) and len(states) == len(groups)
    if not encoded or (for_categories is None and "of_categories" in state):
        raise ModelFileError(OTHER_ENCODINGS)
    encodings = [FittedEncoding.from_state(each, state) for (each, _), state in zip(groups, states, strict=True)]
    if [each.columns for each in encodings] != [names for _, names in groups]:
        raise ModelFileError("the encoded columns of the table's encoder don't match the spec inside")
    encoder = replace(encoder, encodings=tuple(encodings))
    if for_categories is None or "of_categories" not in state:
        return encoder
    of_categories = FittedEncoding.from_state(for_categories, state["of_categories"])
    if of_categories.columns != features_of(encoder.columns_of_categories.one_hot):
        raise ModelFileError("the encoder of the table encodes categories that it doesn't have")
    return replace(encoder, of_categories=of_categories)


def _are_among(names: object, known: Sequence[str]) -> bool:
    """Whether a value is a list of distinct known names."""
    return are_names(names) and isinstance(names, list) and set(names) <= set(known)


def _are_extents(values: object, count: int) -> bool:
    """Whether a value is a list of ``count`` pairs of numbers."""
    return isinstance(values, list) and len(values) == count and all(are_numbers(pair, 2) for pair in values)


def _is_column(column: object) -> bool:
    """Whether a value is a pair of a column's name and its categories, whose feature names aren't too long."""
    match column:
        case [str(name), [*categories]]:
            return are_names([name]) and are_names(categories) and len(name) * len(categories) <= LONGEST_FEATURE_NAMES
    return False
