"""Artificial rows for testing an exported file: every category, missing values, and numbers outside the test rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from mlpkit.array import Array
from mlpkit.components.exporter import ModelGraph
from mlpkit.components.graph import Feed
from mlpkit.graph.evaluator import evaluate

LEAST_ROWS: Final = 64
UNKNOWN: Final = "a text that no training row has"
MISSING_EVERY: Final = 7
"""One number in seven is missing."""


def probe_rows(model: ModelGraph, known: Mapping[str, Array] | None) -> dict[str, Array]:
    """Draw random rows that the encoder turns into finite numbers, always the same rows for the same model.

    Args:
        model: the model.
        known: real rows, from which numbers are drawn; None if there are no real rows.
    """
    texts = {name: _texts(model, feed) for name, feed in model.graph.feeds.items() if feed.dtype == "str"}
    count = max(LEAST_ROWS, *map(len, texts.values()), 0)
    rng = np.random.default_rng(0)
    feeds: dict[str, Array] = {}
    for name, feed in model.graph.feeds.items():
        if name in texts:
            feeds[name] = np.resize(np.array(texts[name], object), count)
        else:
            feeds[name] = _numbers(feed, None if known is None else known.get(name), count, rng)
            for row, number in enumerate(_compared_with(model, feed)):
                feeds[name][row] = number
    finite = np.isfinite(evaluate(model.graph, feeds)[model.encoded.name]).reshape(count, -1).all(axis=1)
    return {name: array[finite] for name, array in feeds.items()}


def _texts(model: ModelGraph, feed: Feed) -> list[str]:
    """Return all texts that operators distinguish in a raw input, an empty text and an unknown one."""
    keys = [
        text
        for node in model.graph.nodes
        if feed.name in node.inputs
        for text in node.attributes.get("keys_strings", ())
    ]
    return [*dict.fromkeys([*feed.choices, *keys, "", UNKNOWN])]


def _compared_with(model: ModelGraph, feed: Feed) -> list[Any]:
    """Return all numbers that operators compare a raw input with."""
    equals = [node for node in model.graph.nodes if node.operator == "Equal" and feed.name in node.inputs]
    constants = [model.graph.constants.get(name) for node in equals for name in node.inputs]
    return [each.item() for each in constants if each is not None and each.size == 1]


def _numbers(feed: Feed, known: Array | None, count: int, rng: np.random.Generator) -> Array:
    dtype, shape = np.dtype(feed.dtype), (count, *feed.shape)
    if dtype.kind in "iub":
        least, greatest = (0, 256) if dtype == np.uint8 else (0, 2)
        return rng.integers(least, greatest, shape).astype(dtype)
    real = np.zeros(0) if known is None else known[np.isfinite(known)]
    if not real.size:
        mean, std = feed.typical or (0.0, 1.0)
        numbers = rng.normal(mean, std, shape)
    elif feed.shape:
        numbers = rng.uniform(real.min(), real.max(), shape)
    else:
        numbers = rng.choice(real, count) + rng.integers(0, 2, count) * rng.normal(0, real.std(), count)
    if not feed.shape:
        numbers[rng.integers(MISSING_EVERY) :: MISSING_EVERY] = np.nan
    return numbers.astype(dtype)
