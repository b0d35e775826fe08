"""A network in words."""

from __future__ import annotations

from mlpkit import Sequential
from mlpkit.layers import Affine, Relu, Residual, SoftmaxWithLoss
from mlpkit.network.summary import row_of

TABLE = """\
name              layer                                        outputs  parameters
Residual1         Residual(layers=[Affine(units=40), Relu()])  (40,)         1,640
Affine1           Affine(units=300)                            (300,)       12,300
Affine2           Affine(units=3, bias=False)                  (3,)            900
SoftmaxWithLoss1  SoftmaxWithLoss()                                              0
14,840 parameters; takes inputs of shape (40,)"""


def test_a_network_in_a_table_and_on_a_line():
    stack = [Residual([Affine(40), Relu()]), Affine(300), Affine(3, bias=False), SoftmaxWithLoss()]
    network = Sequential(stack, (40,))
    assert network.summary() == TABLE
    members = "Residual1, Affine1, Affine2, SoftmaxWithLoss1"
    assert repr(network) == f"<Sequential of {members}: 14,840 parameters, takes inputs of shape (40,)>"
    assert [row_of(member).flops for member in (*network.layers, network.loss_layer)] == [9_840, 73_800, 5_400, 0]
    network.encoder = object()
    assert network.summary().endswith("; takes encoded inputs of shape (40,)")
