"""What counts as a record that mlpkit wrote."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from mlpkit.runs.json_files import LATER_FIGURES, is_health

SPREAD = {"mean": 0.1, "std": 1, "min": -1.0, "max": None, "quantiles": [-1, -0.5, 0, 0.5, 1]}
LAYER = {
    "layer": "Affine1",
    "type": "Affine",
    "units": 4,
    "outputs": SPREAD,
    "gradients": None,
    "unvarying": 0.0,
    "identical": False,
    "dead": None,
    "saturated": None,
    "norm": 2.7,
    "gradient_norm": 0.2,
    "update_ratio": None,
}
SYMPTOM = {"name": "dead_units", "layer": "Relu1", "finding": "half", "advice": ["--set x=1"], "iteration": 3}
HEALTH_RECORD: dict[str, Any] = {
    "iteration": 3,
    "epoch": 0.5,
    "learning_rate": 0.1,
    "rows": 192,
    "loss": None,
    "prediction_loss": 0.7,
    "chance": 1,
    "validation_chance": None,
    "level_loss": 1.1,
    "least_loss": 0.1,
    "bounded_loss": None,
    "outwards": -0.2,
    "spread": 0.3,
    "inputs": SPREAD | {"largest": 1.0, "all_equal": False},
    "layers": [LAYER],
    "missed": [2],
    "symptoms": [SYMPTOM],
}


def places(data: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [place for key, value in items for place in [(*path, key), *places(value, (*path, key))]]


@pytest.mark.parametrize("place", places(HEALTH_RECORD), ids=lambda place: ".".join(map(str, place)))
def test_a_look_has_all_that_a_probe_writes_and_nothing_else_in_its_place(place: tuple[Any, ...]) -> None:
    assert is_health(HEALTH_RECORD)
    changed = copy.deepcopy(HEALTH_RECORD)
    inner: Any = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = {"x": 0}
    assert not is_health(changed)
    if isinstance(place[-1], str):
        del inner[place[-1]]
        assert is_health(changed) == (place[-1] in LATER_FIGURES)
