"""Arrays as they stand in their files, before anything is scaled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit import RawArray
from mlpkit_plugins.arrays.finite_rows import in_parts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlpkit_plugins.formats.rows_on_disk import Rows


def raw_array(name: str, role: str, arrays: Iterable[Rows]) -> RawArray:
    """Describe an array, which may be in several files.

    Args:
        name: its name.
        role: ``input`` or ``target``.
        arrays: what is in each file; all have the same shape but for their rows.
    """
    arrays = list(arrays)
    bounds = [(float(part.min()), float(part.max())) for array in arrays for _, part in in_parts(array)]
    dtypes = dict.fromkeys(str(array.dtype) for array in arrays)
    least, greatest = min(low for low, _ in bounds), max(high for _, high in bounds)
    return RawArray(name, role, ", ".join(dtypes), arrays[0].shape[1:], least, greatest)
