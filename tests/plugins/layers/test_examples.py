"""The examples that layers show themselves by."""

from __future__ import annotations

import pytest

from mlpkit.registry.registry import Registry
from mlpkit.testing import check_gradients

REGISTRY = Registry.discover()
LAYERS = {entry.name: entry.component for entry in REGISTRY.components(("layer",)) if entry.plugin.built_in}


@pytest.mark.parametrize("name", LAYERS)
def test_every_example_works(name):
    examples = LAYERS[name].examples()
    assert len(examples) >= 2
    for parameters, input_shape in examples:
        check_gradients(REGISTRY.create("layer", {name: parameters}), input_shape)
