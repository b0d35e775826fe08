"""Defaults of components: a change of one changes many trainings, and must be no accident."""

from __future__ import annotations

import inspect
from pathlib import Path

from mlpkit.registry.plugin import load_component
from mlpkit.registry.registry import installed

FLAGS = {
    "layer": ("couples_examples", "takes_indices"),
    "loss": ("compares_values", "takes_negative_values", "takes_weights", "unit"),
    "metric": ("higher_is_better", "is_share_of_rows", "takes_weights", "unit"),
    "optimizer": ("slots", "slots_version", "sees", "evaluates"),
    "schedule": (),
    "initializer": (),
    "encoding": (),
    "category_encoding": (),
    "calibration": (),
    "augmentation": (),
}
"""Attributes of a class, by kind of component."""


def line_of(kind, name, made):
    """Return the defaults of a class, and its attributes that differ from its base class."""
    parameters = inspect.signature(made).parameters.values()
    defaults = [each.name if each.default is each.empty else f"{each.name}={each.default!r}" for each in parameters]
    base = next(each for each in made.__mro__ if each.__module__.startswith("mlpkit.components"))
    values = {flag: (getattr(made, flag, None), getattr(base, flag, None)) for flag in FLAGS[kind]}
    flags = [
        f"{flag}={value!r}"
        for flag, (value, usual) in values.items()
        if value != usual and not isinstance(value, property)
    ]
    return f"{kind} {name}({', '.join(defaults)}) {' '.join(flags)}".rstrip()


def test_defaults_are_what_they_were(golden):
    found = installed().components(tuple(FLAGS), built_in=True)
    lines = [
        line_of(each.declaration.kind, each.declaration.name, load_component(each.plugin, each.declaration))
        for each in found
    ]
    golden(Path(__file__).parent / "defaults.golden.txt", "\n".join(sorted(lines)) + "\n")
