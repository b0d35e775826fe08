"""Layers: their table, and how numbers spread in them."""

import pytest

import mlpkit
from mlpkit.layers import Affine, BatchNorm, Relu, SoftmaxWithLoss
from mlpkit.verbs.report.report import layers_section, spread_section


@pytest.fixture
def network():
    stack = [Affine(5), BatchNorm(), Relu(), Affine(3), SoftmaxWithLoss()]
    return mlpkit.Sequential(stack, input_shape=(4,), target=mlpkit.Classes(3), seed=0)


def test_the_table_of_layers(network):
    part = layers_section(network, None)

    assert "53 parameters" in part
    for cell in ("Affine1", "(5,)", "25", "BatchNorm1", "10", "SoftmaxWithLoss1"):
        assert f">{cell}</td>" in part
    assert f">{network.layers[0].flops((4,)):,}</td>" in part


def look(iteration, **layers):
    found = [
        {"layer": name, "outputs": {"quantiles": quantiles}, "gradients": None} for name, quantiles in layers.items()
    ]
    return {"iteration": iteration, "layers": found}


def test_distributions_over_time():
    looks = [look(i, Affine1=[-i, 0, 1, 2, i]) for i in (10, 20)]

    part = spread_section(looks)

    assert part.count("<figure>") == 1
    assert "Affine1: activations" in part
    assert '{"iteration":20,"q05":-20,"q25":0,"q50":1,"q75":2,"q95":20}' in part


def test_of_many_layers_some_are_drawn_the_first_and_the_last_among_them():
    names = [f"Affine{i}" for i in range(20)]

    part = spread_section([look(1, **dict.fromkeys(names, [0] * 5))])

    assert part.count("<figure>") == 8
    assert "Affine0: activations" in part
    assert "Affine19: activations" in part


def test_nothing_looked_at_is_nothing_shown():
    assert spread_section([]) == ""
