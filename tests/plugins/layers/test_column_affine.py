"""An affine map of each column by itself."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import InputColumn, InputShape
from mlpkit.network.shape_proof import StackError
from mlpkit.testing import standalone
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.column_affine import ColumnAffine

WIDTHS, SIZE = (4, 1, 2), 3


def test_each_column_has_an_affine_layer_of_its_own():
    layer = standalone(ColumnAffine(SIZE, widths=WIDTHS), (7,))
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(5, 7)), rng.normal(size=(5, 9))
    y, dx = layer.forward(x).copy(), layer.backward(dy.copy())
    for k, (begin, width) in enumerate(zip((0, 4, 5), WIDTHS, strict=True)):
        column, mapped = slice(begin, begin + width), slice(k * SIZE, (k + 1) * SIZE)
        affine = standalone(Affine(SIZE), (width,))
        affine.W.value[...], affine.b.value[...] = layer.W.value[column], layer.b.value[k]
        np.testing.assert_allclose(y[:, mapped], affine.forward(x[:, column].copy()), rtol=1e-12)
        np.testing.assert_allclose(dx[:, column], affine.backward(dy[:, mapped].copy()), rtol=1e-12)
        np.testing.assert_allclose(layer.W.grad[column], affine.W.grad, rtol=1e-12)
        np.testing.assert_allclose(layer.b.grad[k], affine.b.grad, rtol=1e-12)


def test_the_widths_are_those_of_the_datas_columns():
    columns = [InputColumn("age", "numbers", 4), InputColumn("income", "numbers", 2)]
    layer = standalone(ColumnAffine(SIZE), InputShape((6,), columns))
    assert layer.forward(np.ones((2, 6))).shape == (2, 2 * SIZE)
    assert np.abs(layer.W.value).max() <= 4**-0.5


@pytest.mark.parametrize(
    ("widths", "message"),
    [
        (
            None,
            "ColumnAffine1 can't know which of its inputs belong to a column; expected to be at the network's input, "
            "or in Columns there, and a data set of named columns; write Columns: {numbers: [ColumnAffine]} as the "
            "first of the layers, and take the data from a table, such as csv; or give widths",
        ),
        (
            (4, 1),
            "ColumnAffine1 has widths of 5 elements in all, and its inputs have 7; expected a width for each column "
            "of the inputs",
        ),
    ],
)
@pytest.mark.parametrize("shape", [(7,), InputShape((7,), [])])
def test_inputs_of_no_columns_are_refused(widths, message, shape):
    with pytest.raises(StackError) as caught:
        standalone(ColumnAffine(SIZE, widths=widths), shape)
    assert str(caught.value.cause) == message
