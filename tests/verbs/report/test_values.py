"""Predicted values beside the true ones."""

import json
import re

import numpy as np

from mlpkit.components.target import Values
from mlpkit.verbs.report.predictions import ScoredPredictions, values_section

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
