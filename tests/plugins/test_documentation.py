"""What ``mlpkit show`` has to show of built-in components: a sentence, the mathematics, the source."""

from __future__ import annotations

import pytest
from requirements import require_component

from mlpkit.components.kinds import KINDS
from mlpkit.registry.discovery import installed_plugins
from mlpkit.registry.registry import Registry

REGISTRY = Registry([plugin for plugin in installed_plugins() if plugin.built_in])
COMPONENTS = [
    pytest.param(component, id=f"{kind} {component.name}")
    for kind in KINDS
    for component in REGISTRY.components((kind,))
]


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_has_a_sentence_the_mathematics_and_a_source(component):
    require_component(component)
    docstring = component.schema.docstring
    assert docstring.summary.endswith(".")
    assert docstring.body
    assert docstring.sections.get("Source", "").endswith(".")
