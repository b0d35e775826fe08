"""Numbers of rows, kept as runs."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlpkit_plugins.tables.table import RowNumbers


@given(st.sets(st.integers(1, 60)), st.lists(st.integers(0, 60), max_size=4))
def test_every_row_has_its_number(numbers, cuts):
    ordered = np.array(sorted(numbers), np.int64)
    kept = RowNumbers()
    for part in np.split(ordered, sorted(cut for cut in cuts if cut <= len(ordered))):
        kept.append(part)
    assert [kept[i] for i in range(len(ordered))] == ordered.tolist()
