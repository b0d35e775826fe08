"""The reference has all that a plugin is written with. That it says what the code says is seen with the other pages."""

from __future__ import annotations

import re

import pytest

import mlpkit
import mlpkit.testing
from mlpkit.components.kinds import KINDS

NOT_FOR_PLUGINS = {
    "ComponentFailure",
    "DivergenceError",
    "MlpkitError",
    "ModelFileError",
    "PluginError",
    "Run",
    "RunFolderError",
    "Sequential",
    "Spec",
    "SpecError",
    "StorageError",
    "UnknownComponentError",
    "UsageError",
    "__version__",
    "build",
    "load_model",
    "load_spec",
    "resume",
    "run",
}
"""Public names for those who train networks."""

DESCRIBED_ELSEWHERE = {"Component", "InitializerLike", "Rate", "Target"}
"""Bases and annotations, which the pages on plugins and kinds explain."""

FIELDS = {
    "kind",
    "computed_by",
    "computed_by_reason",
    "compute_context",
    "slots",
    "couples_examples",
    "elementwise",
    "uses_decay",
    "higher_is_better",
    "table",
}
"""What a class says of itself, which its docstring explains."""


@pytest.fixture
def sections(docs):
    """Return the text below each heading."""
    parts = re.split(r"^### (\S+)$", (docs / "reference.md").read_text("utf-8"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_public_name_is_there(sections):
    names = set(mlpkit.__all__) - NOT_FOR_PLUGINS - DESCRIBED_ELSEWHERE
    expected = {f"mlpkit.{name}" for name in names} | {f"mlpkit.testing.{name}" for name in mlpkit.testing.__all__}
    assert set(sections) == expected


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_method_of_a_kind_is_there(kind, sections):
    base = kind.base_class()
    section = sections[f"mlpkit.{kind.base}"]
    methods = {name for name in dir(base) if not name.startswith("_")} - FIELDS
    assert set(re.findall(r"^\*\*`(\w+)`\*\*", section, re.M)) - {"__call__"} == methods
    must = set(re.findall(r"^\*\*`(\w+)`\*\* \(to be written\)", section, re.M))
    assert must == set(base.__abstractmethods__)


def test_what_a_layer_is_told_is_there(sections):
    assert "- `needs_input_gradient`: whether anybody will use what `backward` returns." in sections["mlpkit.Layer"]
    assert "- `x`: inputs, shape (rows, *input_shape)" in sections["mlpkit.Layer"]
