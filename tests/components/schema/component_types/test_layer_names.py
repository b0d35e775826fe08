"""What layers are called."""

from __future__ import annotations

import pytest

from mlpkit.components.schema.component_types import default_names, layer_names


@pytest.mark.parametrize(
    ("items", "names"),
    [
        ([], []),
        (["Relu", {"Affine": {"units": 1}}, "Relu", {"Affine": None}], ["Relu1", "Affine1", "Relu2", "Affine2"]),
        ([{"acme.Conv2d": {}}, "Conv2d", "acme.lab.Conv2d"], ["Conv2d1", "Conv2d2", "Conv2d3"]),
        (["Affine", {"Affine": {"name": "middle"}}, "Affine"], ["Affine1", "middle", "Affine3"]),
        ([{"Affine": {"name": 3}}, {"Affine": {"name": ""}}], ["Affine1", "Affine2"]),
        ([3, None, [], {}, {"a": 1, "b": 2}, "Relu"], ["", "", "", "", "", "Relu1"]),
    ],
)
def test_names_of_items(items, names):
    assert layer_names(items) == names


def test_names_are_type_and_ordinal():
    assert default_names(["Affine", "Relu", "Affine", "Relu", "Affine", "Loss"]) == [
        "Affine1",
        "Relu1",
        "Affine2",
        "Relu2",
        "Affine3",
        "Loss1",
    ]
    assert default_names([]) == []
