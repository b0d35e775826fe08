"""A network with each layer takes the same 100 steps of gradient descent as PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.average_pool2d import AveragePool2d
from mlpkit_plugins.layers.batch_norm import BatchNorm
from mlpkit_plugins.layers.column_affine import ColumnAffine
from mlpkit_plugins.layers.conv2d import Conv2d
from mlpkit_plugins.layers.drop_connect import DropConnect
from mlpkit_plugins.layers.dropout import Dropout
from mlpkit_plugins.layers.elu import Elu
from mlpkit_plugins.layers.flatten import Flatten
from mlpkit_plugins.layers.gelu import Gelu
from mlpkit_plugins.layers.layer_norm import LayerNorm
from mlpkit_plugins.layers.leaky_relu import LeakyRelu
from mlpkit_plugins.layers.max_pool2d import MaxPool2d
from mlpkit_plugins.layers.maxout import Maxout
from mlpkit_plugins.layers.mish import Mish
from mlpkit_plugins.layers.parallel import Parallel
from mlpkit_plugins.layers.parametric import Parametric
from mlpkit_plugins.layers.prelu import Prelu
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.layers.repeat import Repeat
from mlpkit_plugins.layers.reshape import Reshape
from mlpkit_plugins.layers.residual import Residual
from mlpkit_plugins.layers.scale import Scale
from mlpkit_plugins.layers.selu import Selu
from mlpkit_plugins.layers.sequence import Sequence
from mlpkit_plugins.layers.sigmoid import Sigmoid
from mlpkit_plugins.layers.silu import Silu
from mlpkit_plugins.layers.softplus import Softplus
from mlpkit_plugins.layers.tanh import Tanh
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

UNITS = 36


def in_residual(nn, *inside):
    """Return a module that adds its inputs to what others make of them."""

    class Added(nn.Sequential):
        def forward(self, x):
            return x + super().forward(x)

    return Added(*inside)


def side_by_side(nn, join, *branches):
    """Return a module that joins what others make of the same inputs."""

    class Joined(nn.ModuleList):
        def forward(self, x):
            return join([branch(x) for branch in self])

    return Joined(branches)


def concatenated(outputs):
    """Return features one after another."""
    import torch

    return torch.cat(outputs, dim=1)


def parametric(nn, activation, alpha):
    """Return a module as in the RealMLP paper, x + alpha (f(x) - x)."""

    class Parametric(nn.Module):
        def __init__(self):
            super().__init__()
            self.alpha = nn.Parameter(nn.BatchNorm1d(UNITS).weight.detach() * alpha)

        def forward(self, x):
            return x + self.alpha * (activation(x) - x)

    return Parametric()


CASES = {
    "Affine": (lambda: [Affine(UNITS, bias=False)], lambda nn: [nn.Linear(UNITS, UNITS, bias=False)]),
    "Relu": (lambda: [Relu()], lambda nn: [nn.ReLU()]),
    "Sigmoid": (lambda: [Sigmoid()], lambda nn: [nn.Sigmoid()]),
    "Tanh": (lambda: [Tanh()], lambda nn: [nn.Tanh()]),
    "LeakyRelu": (lambda: [LeakyRelu(0.2)], lambda nn: [nn.LeakyReLU(0.2)]),
    "Elu": (lambda: [Elu(1.5)], lambda nn: [nn.ELU(1.5)]),
    "Gelu": (lambda: [Gelu()], lambda nn: [nn.GELU()]),
    "Silu": (lambda: [Silu()], lambda nn: [nn.SiLU()]),
    "Selu": (lambda: [Selu()], lambda nn: [nn.SELU()]),
    "Mish": (lambda: [Mish()], lambda nn: [nn.Mish()]),
    "Prelu": (lambda: [Prelu(0.3)], lambda nn: [nn.PReLU(UNITS, 0.3)]),
    "Parametric": (lambda: [Parametric(Mish(), 0.8)], lambda nn: [parametric(nn, nn.Mish(), 0.8)]),
    "Softplus": (lambda: [Softplus()], lambda nn: [nn.Softplus(threshold=50)]),
    "LayerNorm": (lambda: [LayerNorm()], lambda nn: [nn.LayerNorm(UNITS)]),
    "BatchNorm": (lambda: [BatchNorm()], lambda nn: [nn.BatchNorm1d(UNITS)]),
    "BatchNorm of channels": (
        lambda: [Reshape([2, 18]), BatchNorm(0.8, 1e-3), Flatten()],
        lambda nn: [nn.Unflatten(1, (2, 18)), nn.BatchNorm1d(2, momentum=0.2, eps=1e-3), nn.Flatten()],
    ),
    "Flatten, Reshape": (
        lambda: [Reshape([3, 12]), Tanh(), Reshape([2, 3, 6]), Flatten()],
        lambda nn: [nn.Unflatten(1, (3, 12)), nn.Tanh(), nn.Flatten(), nn.Unflatten(1, (2, 3, 6)), nn.Flatten()],
    ),
    "Conv2d": (
        lambda: [Reshape([1, 6, 6]), Conv2d(4, 3), Tanh(), Conv2d(9, 2, stride=2, padding=2), Flatten(), Affine(UNITS)],
        lambda nn: [
            nn.Unflatten(1, (1, 6, 6)),
            nn.Conv2d(1, 4, 3),
            nn.Tanh(),
            nn.Conv2d(4, 9, 2, stride=2, padding=2),
            nn.Flatten(),
            nn.Linear(9 * 16, UNITS),
        ],
    ),
    "MaxPool2d": (
        lambda: [Reshape([1, 6, 6]), MaxPool2d(3, stride=1), MaxPool2d(), Flatten(), Affine(UNITS)],
        lambda nn: [
            nn.Unflatten(1, (1, 6, 6)),
            nn.MaxPool2d(3, stride=1),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(4, UNITS),
        ],
    ),
    "AveragePool2d": (
        lambda: [Reshape([1, 6, 6]), AveragePool2d(3, stride=1), AveragePool2d(), Flatten(), Affine(UNITS)],
        lambda nn: [
            nn.Unflatten(1, (1, 6, 6)),
            nn.AvgPool2d(3, stride=1),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Linear(4, UNITS),
        ],
    ),
    "Sequence": (
        lambda: [Sequence([Affine(7), Tanh(), Affine(UNITS)])],
        lambda nn: [nn.Sequential(nn.Linear(UNITS, 7), nn.Tanh(), nn.Linear(7, UNITS))],
    ),
    "Residual": (
        lambda: [Residual([Tanh(), Affine(UNITS)])],
        lambda nn: [in_residual(nn, nn.Tanh(), nn.Linear(UNITS, UNITS))],
    ),
    "Parallel": (
        lambda: [
            Parallel([[Affine(7), Tanh()], [Affine(5)]]),
            Parallel([[Affine(UNITS)], [Tanh(), Affine(UNITS)]], join="sum"),
        ],
        lambda nn: [
            side_by_side(nn, concatenated, nn.Sequential(nn.Linear(UNITS, 7), nn.Tanh()), nn.Linear(UNITS, 5)),
            side_by_side(nn, sum, nn.Linear(12, UNITS), nn.Sequential(nn.Tanh(), nn.Linear(12, UNITS))),
        ],
    ),
    "Repeat": (
        lambda: [Repeat(3, lambda: Sequence([Affine(UNITS), Tanh()]))],
        lambda nn: [nn.Sequential(*[nn.Sequential(nn.Linear(UNITS, UNITS), nn.Tanh()) for _ in range(3)])],
    ),
}
APART = {
    "BatchEnsembleAffine",
    "ColumnAffine",
    "Columns",
    "DropConnect",
    "Dropout",
    "Embedding",
    "EnsembleAffine",
    "EnsembleView",
    "Maxout",
    "Periodic",
    "Scale",
}


def test_every_built_in_layer_is_compared(built_ins):
    compared = {name for case in CASES for name in case.partition(" of ")[0].split(", ")}
    assert compared | APART == built_ins("layer")


@pytest.mark.parametrize("case", CASES)
def test_layers(case, torch, pair):
    ours, theirs = CASES[case]
    both = pair(ours(), SoftmaxWithLoss(), theirs(torch.nn))
    both.train(torch.nn.CrossEntropyLoss())
    both.expect_agreement()


def test_column_affine(torch, pair):
    class OfColumns(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(UNITS, 5))
            self.bias = torch.nn.Parameter(torch.zeros(4, 5))

        def forward(self, x):
            columns = x.reshape(len(x), 4, 9)
            return (torch.einsum("rkd,kdu->rku", columns, self.weight.reshape(4, 9, 5)) + self.bias).flatten(1)

    both = pair([ColumnAffine(5, widths=[9] * 4), Tanh()], SoftmaxWithLoss(), [OfColumns(), torch.nn.Tanh()], width=20)
    both.train(torch.nn.CrossEntropyLoss())
    both.expect_agreement()


def test_batch_norm_normalizes_each_slice_for_itself_and_keeps_the_figures_of_the_first(torch, pair):
    class OfHalves(torch.nn.BatchNorm1d):
        def forward(self, x):
            if not self.training:
                return super().forward(x)
            first, second = x.chunk(2)
            y = super().forward(first)
            kept = self.running_mean, self.running_var
            self.running_mean, self.running_var = (figure.clone() for figure in kept)
            y = torch.cat([y, super().forward(second)])
            self.running_mean, self.running_var = kept
            return y

    with pytest.warns(UserWarning, match="each of the 2 slices alone"):
        both = pair([BatchNorm()], SoftmaxWithLoss(), [OfHalves(UNITS)], slices=2)
    both.train(torch.nn.CrossEntropyLoss())
    both.expect_agreement()


def test_dropout_drops_and_scales_as_theirs_would_with_the_same_mask(torch, pair):
    ours = Dropout(0.3)

    class Dropped(torch.nn.Module):
        """Theirs draws random numbers of its own; its mask is ours, and its derivative PyTorch's."""

        def forward(self, x):
            if not self.training:
                return torch.nn.functional.dropout(x, 0.3, training=False)
            return x * torch.from_numpy(mask()) / (1 - 0.3)

    def mask():
        return kept(both.network.replicas[0].layers[1].chance, 0.3)

    both = pair([ours], SoftmaxWithLoss(), [Dropped()])
    both.train(torch.nn.CrossEntropyLoss())
    both.expect_agreement()
    assert 0.6 < mask().mean() < 0.8


def kept(chances, rate):
    """Return 1 for what random numbers of 16 bits keep, and 0 for what they drop."""
    return (chances >= round(rate * 2**16)).astype(np.float64)


def test_scale(torch, pair):
    class Scaled(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(UNITS))

        def forward(self, x):
            return self.weight * x

    both = pair([Scale()], SoftmaxWithLoss(), [Scaled()])
    both.train(torch.nn.CrossEntropyLoss())
    both.expect_agreement()


def test_affine_with_ntk_parametrization(torch, pair):
    class Ntk(torch.nn.Linear):
        def forward(self, x):
            return torch.nn.functional.linear(x, self.weight / UNITS**0.5, self.bias)

    both = pair([Affine(UNITS, ntk=True)], SoftmaxWithLoss(), [Ntk(UNITS, UNITS)])
    both.train(torch.nn.CrossEntropyLoss())
    both.expect_agreement()


def test_maxout(torch, pair):
    class Largest(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.empty(UNITS, 3 * UNITS))
            self.bias = torch.nn.Parameter(torch.empty(3 * UNITS))

        def forward(self, x):
            return (x @ self.weight + self.bias).unflatten(1, (3, UNITS)).amax(dim=1)

    both = pair([Maxout(UNITS, pieces=3)], SoftmaxWithLoss(), [Largest()])
    both.train(torch.nn.CrossEntropyLoss())
    both.expect_agreement()


def test_drop_connect_drops_and_scales_as_theirs_would_with_the_same_mask(torch, pair):
    class Dropped(torch.nn.Linear):
        def forward(self, x):
            layer = both.network.replicas[0].layers[1]
            if not self.training:
                return super().forward(x)
            of_weight, of_bias = (torch.from_numpy(kept(each, 0.3) / (1 - 0.3)) for each in layer.chances)
            return torch.nn.functional.linear(x, self.weight * of_weight.T, self.bias * of_bias)

    both = pair([DropConnect(UNITS, rate=0.3)], SoftmaxWithLoss(), [Dropped(UNITS, UNITS)])
    both.train(torch.nn.CrossEntropyLoss())
    both.expect_agreement()
