"""Classes with few rows: left out, or merged into one."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping

import numpy as np

from mlpkit import DataError, ParameterError
from mlpkit_plugins.formats.shown_text import shown_texts
from mlpkit_plugins.tables.categories import MISSING, OTHER
from mlpkit_plugins.tables.table import Table


def without_rare_classes(table: Table, rare_classes: Mapping[str, int], known: Collection[str] | None = None) -> None:
    """Leave out the rows of rare classes, or give them the class ``other``, in place; ``known`` ones aren't rare.

    Raises:
        ParameterError: all classes are rare.
        DataError: no row has one of the known classes.
    """
    ((way, fewest),) = rare_classes.items()
    texts, codes = table.texts[-1], table.codes[:, -1]
    counts = np.bincount(codes, minlength=len(texts))
    kept = [text for code, text in enumerate(texts) if (counts[code] >= fewest if known is None else text in known)]
    if len(kept) == len(texts) or (way == "merge" and known is not None and OTHER not in known):
        return
    if not kept and known is None:
        message = f"every class of '{table.columns.target_class}' has fewer than {fewest:,} rows"
        raise ParameterError("rare_classes", message, remedy="set a smaller number, or name another column in target")
    rare = [text for text in texts if text not in kept]
    if way == "merge":
        kept = [*(text for text in kept if text != OTHER), OTHER]
    positions = {text: position for position, text in enumerate(kept)}
    rest = positions[OTHER] if way == "merge" else MISSING
    codes[...] = np.array([positions.get(text, rest) for text in texts], np.int32)[codes]
    table.texts[-1] = kept
    if way == "merge":
        return
    if not kept:
        raise DataError(table.name, f"no row has a class that the model knows; they have {shown_texts(rare)}")
    rows = codes != MISSING
    if table.columns.trained:
        message = f"{table.name}: {(~rows).sum():,} of {len(rows):,} rows are left out, with classes that were rare in"
        warnings.warn(f"{message} training, or not there: {shown_texts(rare)}", stacklevel=2)
    table.keep(rows)
