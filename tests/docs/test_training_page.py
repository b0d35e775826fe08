"""What the page on training says of the built-in layers is so."""

from __future__ import annotations

import re

from mlpkit.registry.discovery import installed_plugins
from mlpkit.registry.registry import Registry
from mlpkit.testing import standalone


def declared() -> dict[str, set[str]]:
    """Return the parameters of each built-in layer that don't decay, as its examples declare them."""
    registry = Registry([plugin for plugin in installed_plugins() if plugin.built_in])
    found: dict[str, set[str]] = {}
    for component in registry.components(("layer",)):
        for parameters, input_shape in component.component.examples():
            layer = registry.create("layer", {component.name: parameters})
            for operation in standalone(layer, input_shape, resolver=registry.create).operations():
                kept = {name for name, parameter in operation._parameters.items() if not parameter.decay}
                found.setdefault(operation.registered_name, set()).update(kept)
    return {name: parameters for name, parameters in found.items() if parameters}


def test_the_parameters_that_do_not_decay_are_those_of_the_table(docs):
    section = (docs / "training.md").read_text("utf-8").split("## Weight decay\n")[1].split("\n## ")[0]
    shown = {
        layer: set(re.findall(r"`(\w+)`", parameters))
        for layers, parameters in re.findall(r"^\| (`.+?) \| (.+?) \|$", section, re.MULTILINE)
        for layer in re.findall(r"`(\w+)`", layers)
    }
    assert shown == declared()
