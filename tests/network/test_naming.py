"""Default names of layers."""

from __future__ import annotations

from mlpkit.network.shape_proof import default_names


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
