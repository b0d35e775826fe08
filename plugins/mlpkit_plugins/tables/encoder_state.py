"""Converts a table's encoder to the plain data of a model file, and back."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
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
    try:
        return _with_encodings(_without_encodings(state, options), state, options)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        message = f"the encoder of the table is {reprlib.repr(state)}, which no data set of this kind writes"
        raise ModelFileError(message) from error


def _without_encodings(state: Mapping[str, Any], options: ColumnOptions) -> TableEncoder:
    numbers, categories, classes = state["numbers"], dict(state["categories"]), state["classes"]
    indicators, with_other, constant = (state.get(key, []) for key in ("indicators", "with_other", "constant"))
    others, all_names = [name for name, names in categories.items() if OTHER in names], [*numbers, *categories]
    named_among = ((numbers, numbers), (indicators, numbers), (with_other, others), (constant, all_names))
    columns = _columns_from(categories, state, options)
    count = len(numbers) + len(features_of(columns.numbers))
    if not (
        are_names(all_names)
        and len(categories) == len(state["categories"])
        and (classes is None or (are_names(classes) and len(classes) > 1))
        and all(are_names(names) and set(names) <= set(known) for names, known in named_among)
        and all(are_numbers(state[key], count, positive=key == "stds") for key in ("means", "stds", "fills"))
        and len(state["extents"]) == count
        and all(are_numbers(pair, 2) for pair in state["extents"])
    ):
        raise ValueError(state)
    means, stds, fills, extents = (np.array(state[key], np.float64) for key in ("means", "stds", "fills", "extents"))
    return TableEncoder(
        tuple(numbers),
        means,
        stds,
        fills,
        columns,
        None if classes is None else tuple(classes),
        tuple(indicators),
        tuple(with_other),
        extents.reshape(-1, 2),
        constant=tuple(name for name in numbers if name in constant),
    )


def _columns_from(categories: Mapping[str, Any], state: Mapping[str, Any], options: ColumnOptions) -> CategoryColumns:
    """Return the columns of categories with the encodings of the spec, restored from a state."""
    learned = state.get("learned", {})
    for name, names in categories.items():
        if not are_names(names) or len(name) * len(names) > LONGEST_FEATURE_NAMES:
            raise ValueError(name)
    encodings = tuple(
        FittedCategoryEncoding.from_state(
            options.category_encoding_of(name, len(names)), name, names, learned.get(name, {})
        )
        for name, names in categories.items()
    )
    if state.get("held", []) != [each.encoding.holds for each in encodings]:
        raise ModelFileError(OTHER_ENCODINGS)
    return CategoryColumns(encodings, tuple(name for name in categories if name in state.get("constant", ())))


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
