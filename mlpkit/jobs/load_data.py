"""The examples of a spec's data, as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.components.schema.wording import did_you_mean
from mlpkit.errors import UsageError
from mlpkit.jobs.spec_data import describe_data, open_data
from mlpkit.specfile.spec import expect_spec
from mlpkit.training.minibatches import BatchReader

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.specfile.spec import Spec


def load_data(spec: Spec, split: str = "train", rows: int | None = None) -> tuple[NDArray[Any], ...]:
    """Return inputs and targets of a split of a spec's data, encoded as in training; and weights, if there are any.

    Args:
        spec: the spec.
        split: ``train``, ``validation`` or ``test``.
        rows: how many examples, beginning with the first; by default all.

    Raises:
        UsageError: what is given is no spec, or there is no such split, or there are fewer rows.
        DataError: a data file is not what it should be.
    """
    expect_spec(spec, "load_data")
    dataset = spec.new_dataset()
    description = describe_data(spec, dataset)
    if split not in description.sizes:
        remedy = did_you_mean(split, description.sizes) or f"it has {', '.join(description.sizes)}"
        raise UsageError(f"the data of {spec.name} has no split {split!r}; {remedy}")
    most = description.sizes[split]
    count = most if rows is None else rows
    if not 1 <= count <= most:
        raise UsageError(f"there are no {count:,} rows to load from {split}; expected 1 to {most:,}")
    examples = open_data(spec, dataset)[split]
    x, t, weights = BatchReader(examples, description, np.dtype(spec.dtype), count).take(np.arange(count))
    return (x, t) if weights is None else (x, t, weights)
