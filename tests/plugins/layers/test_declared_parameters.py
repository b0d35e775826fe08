"""What layers with weights declare: shapes, fans, and which parameters decay, and how far each moves in a step."""

from __future__ import annotations

import pytest

from mlpkit import Fans
from mlpkit.network.shape_proof import StackError
from mlpkit.testing import standalone
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.average_pool2d import AveragePool2d
from mlpkit_plugins.layers.batch_ensemble_affine import BatchEnsembleAffine
from mlpkit_plugins.layers.column_affine import ColumnAffine
from mlpkit_plugins.layers.conv2d import Conv2d
from mlpkit_plugins.layers.drop_connect import DropConnect
from mlpkit_plugins.layers.embedding import Embedding
from mlpkit_plugins.layers.ensemble_affine import EnsembleAffine
from mlpkit_plugins.layers.max_pool2d import MaxPool2d
from mlpkit_plugins.layers.maxout import Maxout
from mlpkit_plugins.layers.parametric import Parametric
from mlpkit_plugins.layers.periodic import Periodic
from mlpkit_plugins.layers.relu import Relu


def periodic(form):
    return Periodic(form, size=5, frequencies=3)


@pytest.mark.parametrize(
    ("layer", "inputs", "declared"),
    [
        (Affine(3), (4,), [("W", (4, 3), (4, 3), 1, 1), ("b", (3,), (4, 3), 0, 1)]),
        (Affine(3, ntk=True), (4,), [("W", (4, 3), (1, 3), 1, 1), ("b", (3,), (4, 3), 0, 1)]),
        (DropConnect(3), (4,), [("W", (4, 3), (4, 3), 1, 1), ("b", (3,), (4, 3), 0, 1)]),
        (Maxout(3, pieces=5), (4,), [("W", (4, 15), (4, 3), 1, 1), ("b", (15,), (4, 3), 0, 1)]),
        (
            Conv2d(5, 3, stride=2, padding=1),
            (2, 7, 9),
            [("W", (5, 18), (18, 45), 1, 1), ("b", (5,), (18, 45), 0, 1)],
        ),
        (
            ColumnAffine(3, widths=(4, 1, 2)),
            (7,),
            [("W", (7, 3), (4, 3), 1, 1), ("b", (3, 3), (4, 3), 0, 1)],
        ),
        (EnsembleAffine(3), (2, 4), [("W", (2, 4, 3), (4, 3), 1, 1), ("b", (2, 3), (4, 3), 0, 1)]),
        (
            BatchEnsembleAffine(3, shared_bias=True),
            (2, 4),
            [
                ("W", (4, 3), (4, 3), 1, 1),
                ("r", (2, 4), (4, 3), 1, 1),
                ("s", (2, 3), (4, 3), 1, 1),
                ("b", (3,), (4, 3), 0, 1),
            ],
        ),
        (Embedding(values=(3, 20)), (2,), [("E", (189,), (1, 189), 1, 1)]),
        (Parametric(Relu()), (4, 2), [("alpha", (4,), (1, 4), 1, 0.1)]),
        (
            periodic("plr"),
            (2,),
            [("w", (2, 3), (2, 3), 1, 1), ("W2", (2, 6, 5), (6, 5), 1, 1), ("b2", (2, 5), (6, 5), 1, 1)],
        ),
        (
            periodic("plr_lite"),
            (2,),
            [("w", (2, 3), (2, 3), 1, 1), ("W2", (6, 5), (6, 5), 1, 1), ("b2", (5,), (6, 5), 1, 1)],
        ),
        (
            periodic("pbld"),
            (2,),
            [
                ("w", (2, 3), (2, 3), 1, 0.1),
                ("b", (2, 3), (2, 3), 1, 0.1),
                ("W2", (2, 3, 4), (3, 4), 1, 0.1),
                ("b2", (2, 4), (3, 4), 1, 0.1),
            ],
        ),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "build") else "",
)
def test_shapes_fans_decay_and_rates(layer, inputs, declared):
    made = standalone(layer, inputs)
    found = [(p.name, p.shape, p.fans, p.decay, p.rate) for p in made.declared_parameters()]
    assert found == [(name, shape, Fans(*fans), *factors) for name, shape, fans, *factors in declared]


FLATTEN, IMAGES = "put Flatten before it", "put Reshape: {shape: [channels, height, width]} before it"
MEMBERS = "; for members of an ensemble, use EnsembleAffine or BatchEnsembleAffine"
VIEW = "put EnsembleView before it"


@pytest.mark.parametrize(
    ("layer", "shape", "remedy"),
    [
        (Affine(3), (), FLATTEN),
        (Affine(3), (2, 4), FLATTEN + MEMBERS),
        (Affine(3), (1, 2, 4), FLATTEN),
        (DropConnect(3), (2, 4), FLATTEN),
        (Maxout(3), (2, 4), FLATTEN),
        (ColumnAffine(3, widths=(4,)), (2, 4), FLATTEN),
        (periodic("plr"), (2, 4), FLATTEN),
        (EnsembleAffine(3), (4,), VIEW),
        (BatchEnsembleAffine(3), (2, 4, 5), VIEW),
        (Conv2d(2, 3), (8, 8), IMAGES),
        (MaxPool2d(), (8, 8), IMAGES),
        (AveragePool2d(), (1, 1, 8, 8), IMAGES),
        (Embedding(values=(3,)), (1, 1), ""),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "build") else "",
)
def test_inputs_of_another_rank_come_with_a_remedy(layer, shape, remedy):
    with pytest.raises(StackError) as caught:
        standalone(layer, shape)
    assert caught.value.cause.remedy == remedy


@pytest.mark.parametrize(("layer", "shape", "axis"), [(Affine(3), (4,), -1), (Conv2d(2, 3), (1, 4, 4), 0)])
def test_the_axis_of_the_units(layer, shape, axis):
    assert standalone(layer, shape).W.unit_axis == axis
