"""The layer MonotoneAffine."""

import numpy as np
import pytest
from survival_mlpkit.monotone_affine import MonotoneAffine

from mlpkit import InputColumn, InputShape, ParameterError
from mlpkit.testing import standalone

TABLE = InputShape((3,), [InputColumn(name, "numbers") for name in ("age", "dose", "year")])


def test_outputs_increase_and_decrease_as_told():
    layer = standalone(MonotoneAffine(5, increasing=["dose"], decreasing=["age"]), TABLE, seed=3)
    slopes = layer.forward(np.eye(3)) - layer.forward(np.zeros((3, 3)))
    assert (slopes[0] < 0).all()
    assert (slopes[1] > 0).all()
    assert slopes[2].min() < 0 < slopes[2].max()
    np.testing.assert_array_equal(abs(slopes), abs(layer.V.value))


def test_unknown_columns_are_an_error():
    with pytest.raises(ParameterError, match="no column 'sex'"):
        MonotoneAffine(1, increasing=["sex"]).build(TABLE)
    with pytest.raises(ParameterError, match="no column 'age'"):
        MonotoneAffine(1, decreasing=["age"]).build(InputShape((3,)))
