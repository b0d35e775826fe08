"""Predicted values beside the true ones."""

import json
import re

import numpy as np
import pytest

from mlpkit.components.target import Values
from mlpkit.verbs.report.predictions import ScoredPredictions, values_section
from mlpkit.verbs.report.report import _judgement

TRUE = np.array([[10.0], [20.0], [30.0]])


def scored(predicted, true=TRUE, names=("price",)):
    return ScoredPredictions("test", len(true), Values(true.shape[1:]), predicted, true, names)


def test_residuals_in_numbers():
    part = values_section(scored(TRUE + np.array([[1.0], [1.0], [-5.0]])))

    cells = re.findall(r"<td[^>]*>(.*?)</td>", part)
    assert cells == ["price", "-1.0000", "2.8284", "2.3333", "-5.0000"]


def test_points_are_those_predicted():
    part = values_section(scored(TRUE + 1))

    chart = json.loads(re.findall(r'<script type="application/json">(.*?)</script>', part)[0])
    assert chart["data"]["values"] == [{"true": v, "predicted": v + 1} for v in (10.0, 20.0, 30.0)]


def test_several_values_have_charts_of_their_own():
    true = np.column_stack([TRUE, 2 * TRUE])

    part = values_section(scored(true, true, ("width", "height")))

    assert part.count("<figure>") == 4
    assert "height: residuals" in part


def charts_of(part):
    return [json.loads(text) for text in re.findall(r'<script type="application/json">(.*?)</script>', part)]


def test_residuals_are_counted_in_24_ranges_between_their_ends_in_five_digits():
    true = np.arange(48.0)[:, None]
    points, residuals = charts_of(values_section(scored(true + np.arange(48)[:, None] / 7, true)))
    bars = residuals["data"]["values"]
    assert [bar["count"] for bar in bars] == [2] * 24
    assert [bars[0]["from"], bars[0]["to"], bars[-1]["to"]] == [0.0, 0.27976, 6.7143]
    assert residuals["encoding"]["x"]["title"] == "residual of price"
    assert residuals["encoding"]["y"]["title"] == "rows"
    axes = points["layer"][1]["encoding"]
    assert (axes["x"]["title"], axes["y"]["title"]) == ("true price", "predicted price")
    assert points["data"]["values"][1] == {"true": 1.0, "predicted": 1.1429}


@pytest.mark.parametrize(("values", "drawn", "points"), [(1, 1, 400), (2, 2, 200), (4, 4, 100), (5, 4, 100)])
def test_up_to_four_values_are_drawn_with_four_hundred_points_in_all(values, drawn, points):
    true = np.arange(500.0 * values).reshape(500, values)
    part = values_section(scored(true + 1, true, tuple("abcde"[:values])))
    charts = charts_of(part)
    assert len(charts) == 2 * drawn
    assert [len(chart["data"]["values"]) for chart in charts[::2]] == [points] * drawn
    assert re.findall(r"<th [^>]*>(.*?)</th>", part) == [
        "",
        "mean residual",
        "standard deviation",
        "mean absolute",
        "largest",
    ]
    assert "<p>From 500 rows of test. A residual is the predicted value minus the true one.</p>" in part


def test_predictions_of_another_shape_than_the_target_are_not_judged():
    assert _judgement(scored(np.ones((3, 2)))) == []
    assert len(_judgement(scored(np.ones((3, 1))))) == 1
