"""The reference has all that a plugin is written with. That it says what the code says is seen with the other pages."""

from __future__ import annotations

import inspect
import re

import pytest

import mlpkit
import mlpkit.testing
from mlpkit.components.kinds import KINDS
from mlpkit.testing.suite.all_checks import all_checks

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

DESCRIBED_ELSEWHERE = {"InitializerLike", "Rate", "Target"}
"""Annotations, which the pages on plugins and kinds explain."""

EXPLAINED_FOR_ALL_KINDS = {"examples"}
"""Methods that the page on conformance explains."""

SHARED = "Layers and losses"
"""The section with what these two kinds share."""

FIELDS = {
    "kind",
    "computed_by",
    "computed_by_reason",
    "compute_context",
    "slots",
    "couples_examples",
    "elementwise",
    "uses_decay",
    "slots_version",
    "higher_is_better",
    "table",
}
"""What a class says of itself, which its docstring explains."""


@pytest.fixture
def sections(docs):
    """Return the text below each heading."""
    interface = (docs / "reference.md").read_text("utf-8").split("## Conformance checks")[0]
    parts = re.split(r"^##+ (.+)$", interface, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_public_name_is_there(sections):
    names = set(mlpkit.__all__) - NOT_FOR_PLUGINS - DESCRIBED_ELSEWHERE
    expected = {f"mlpkit.{name}" for name in names} | {f"mlpkit.testing.{name}" for name in mlpkit.testing.__all__}
    assert {title for title in sections if title.startswith("mlpkit.")} == expected


def methods_in(section: str) -> set[str]:
    return set(re.findall(r"^- \*\*`(\w+)[(`]", section, re.M))


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_method_of_a_kind_is_there(kind, sections):
    base = kind.base_class()
    section = sections[f"mlpkit.{kind.base}"]
    shared = methods_in(sections["mlpkit.Component"])
    shared |= methods_in(sections[SHARED]) if kind.base in {"Layer", "Loss"} else set()
    methods = {name for name in dir(base) if not name.startswith("_")} - FIELDS - EXPLAINED_FOR_ALL_KINDS
    assert methods_in(section) - {"__call__"} == methods - shared
    assert shared <= methods
    must = set(re.findall(r"^- \*\*`(\w+)\([^`]*\)`\*\* \(abstract\)", section, re.M))
    assert must == set(base.__abstractmethods__)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_argument_of_a_method_is_there(kind, sections):
    base = kind.base_class()
    for name, arguments in re.findall(r"^- \*\*`(\w+)\(([^`]*)\)`", sections[f"mlpkit.{kind.base}"], re.M):
        expected = [argument for argument in inspect.signature(getattr(base, name)).parameters if argument != "self"]
        listed = [argument.partition("=")[0] for argument in arguments.split(", ") if argument not in {"", "*"}]
        assert listed == expected, name


def test_attributes_and_declarations_are_there(sections):
    assert "- `needs_input_gradient`: whether " in sections[SHARED]
    declaration = (
        "- **`parameter(name, shape, initializer, *, fans=None, decay=True)`**: Declare an array to be trained"
    )
    assert declaration in sections[SHARED]


def test_every_conformance_check_is_listed_once(docs):
    listed = (docs / "reference.md").read_text("utf-8").split("## Conformance checks")[1]
    assert sorted(re.findall(r"^- `(\w+)`$", listed, re.M)) == sorted(check.name for check in all_checks())


def test_the_commonest_failures_are_checks(docs):
    table = (docs / "conformance.md").read_text("utf-8").split("## The commonest failures")[1]
    named = [name for cell in re.findall(r"^\| (`.+?) \|", table, re.M) for name in re.findall(r"`(\w+)`", cell)]
    assert len(named) > 10
    assert set(named) <= {check.name for check in all_checks()}
