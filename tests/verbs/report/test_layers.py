"""Layers: their table, and how numbers spread in them."""

import json
import re

import numpy as np
import pytest

import mlpkit
from mlpkit.layers import Affine, BatchNorm, Relu, Residual, SoftmaxWithLoss
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


def cells(part):
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", part)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def test_a_layer_has_the_figures_of_those_inside_it_and_first_weights_are_pictures():
    stack = [Affine(300), Residual(layers=[Relu(), Affine(300)]), Affine(3), SoftmaxWithLoss()]
    found = mlpkit.Sequential(stack, input_shape=(4,), target=mlpkit.Classes(3), seed=0)
    part = layers_section(found, (2, 2))
    parameters, inside = 5 * 300 + 301 * 300 + 301 * 3, 301 * 300
    sentence = f"{parameters:,} parameters; {found.flops:,} floating-point operations for an example, forward and"
    assert f"<p>{sentence} backward. Figures of a layer include the layers inside it.</p>" in part
    headings, first, residual, relu, affine, *_ = cells(part)
    assert headings == ["name", "layer", "outputs", "parameters", "FLOPs"]
    assert first[0] == "Affine1"
    assert residual[:4] == ["Residual1", "Residual", "(300,)", f"{inside:,}"]
    assert (relu[0], affine[0], affine[3]) == ("Residual1.Relu1", "Residual1.Affine1", f"{inside:,}")
    assert "<p>Affine1.W, an image for each unit: blue above zero, orange below it.</p>" in part
    assert re.findall("<figcaption>(.*?)</figcaption>", part) == [f"unit {i}" for i in range(48)]
    assert "<figcaption>" not in layers_section(found, None)


@pytest.mark.parametrize(("layers", "caption"), [(199, ""), (200, "<caption>The first 200 of 201</caption>")])
def test_of_more_than_two_hundred_layers_the_first_are_listed(layers, caption):
    stack = [*(Relu() for _ in range(layers)), SoftmaxWithLoss()]
    part = layers_section(mlpkit.Sequential(stack, input_shape=(3,), target=mlpkit.Classes(3), seed=0), None)
    assert len(cells(part)) == 1 + 200
    assert re.findall("<caption>.*?</caption>", part) == [caption] * bool(caption)


def test_gradients_are_drawn_beside_activations_at_two_hundred_times():
    probes = [look(i, Affine1=[-i, 0, 1, 2, i]) for i in range(1000)]
    for probe in probes[500:]:
        probe["layers"][0]["gradients"] = {"quantiles": [-2, -1, 0, 1, 2]}
    part = spread_section(probes)
    captions = re.findall("<figcaption>(.*?)</figcaption>", part)
    assert captions == ["Affine1: activations", "Affine1: gradients"]
    charts = [json.loads(text) for text in re.findall(r'<script type="application/json">(.*?)</script>', part)]
    times = np.linspace(0, 999, 200).astype(int)
    for chart, drawn, what in zip(charts, (times, times[times >= 500]), ("activations", "gradients"), strict=True):
        assert [point["iteration"] for point in chart["data"]["values"]] == drawn.tolist()
        assert chart["height"] == 120
        encoding = chart["layer"][2]["encoding"]
        assert (encoding["x"]["title"], encoding["y"]["title"]) == ("iteration", what)
    assert charts[1]["data"]["values"][0] == {"iteration": 502, "q05": -2, "q25": -1, "q50": 0, "q75": 1, "q95": 2}
