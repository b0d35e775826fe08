"""Parts of a table: every row once, in order, and little memory at a time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlpkit_plugins.tables.table import parts


@given(st.integers(0, 100_000), st.integers(0, 100_000))
def test_every_row_comes_once_and_scratch_memory_is_bounded(rows, columns):
    found = list(parts(rows, columns))
    assert [index for part in found for index in (part.start, min(part.stop, rows))][1:-1] == [
        index for part in found[1:] for index in (part.start, part.start)
    ]
    assert (found[0].start, found[-1].stop >= rows) == (0, True) if rows else not found
    assert all((part.stop - part.start) * columns <= max(2**18, 256 * columns) for part in found)
