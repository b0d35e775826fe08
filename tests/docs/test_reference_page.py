"""The reference has all that a plugin is written with."""

from __future__ import annotations

import re

import pytest
from documentation_pages import text_of

import mlpkit
import mlpkit.engines
import mlpkit.graph
import mlpkit.testing
from mlpkit.testing.check_plugin import all_checks

NOT_FOR_PLUGINS = {
    "ComponentFailure",
    "Diagnosis",
    "Explanation",
    "DivergenceError",
    "EnsembleError",
    "EnsembleRun",
    "Export",
    "Interval",
    "MlpkitError",
    "Model",
    "ModelFileError",
    "OutOfFold",
    "PluginError",
    "RateTest",
    "Rounding",
    "Run",
    "RunFolderError",
    "SeedRuns",
    "Sequential",
    "Spec",
    "SpecError",
    "StorageError",
    "Sweep",
    "SweepStatus",
    "Symptom",
    "Trace",
    "TracedExample",
    "TracedLayer",
    "Trial",
    "UnknownComponentError",
    "UsageError",
    "WorkersLostError",
    "__version__",
    "build",
    "doctor",
    "export",
    "fit",
    "load",
    "load_data",
    "load_model",
    "load_spec",
    "report",
    "resume",
    "resume_seeds",
    "resume_sweep",
    "run",
    "stop_sweep",
    "sweep",
    "sweep_status",
    "trace",
    "tune_rate",
}
"""Public names for those who train networks."""

DESCRIBED_ELSEWHERE = {
    "Array",
    "CategoryEncodingLike",
    "ClassWeights",
    "ColumnName",
    "EncodingLike",
    "FilePath",
    "InitializerLike",
    "Rate",
    "Units",
}
"""Annotations, which the pages on plugins and kinds explain."""


@pytest.fixture
def sections(docs):
    """Return the text below each heading."""
    interface = text_of(docs / "reference.md").split("## Conformance checks")[0]
    parts = re.split(r"^##+ (.+)$", interface, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_public_name_is_there(sections):
    names = set(mlpkit.__all__) - NOT_FOR_PLUGINS - DESCRIBED_ELSEWHERE
    modules = (mlpkit.engines, mlpkit.graph, mlpkit.testing)
    expected = {f"mlpkit.{name}" for name in names} | {f"{m.__name__}.{name}" for m in modules for name in m.__all__}
    described = [title for title in sections if title.startswith("mlpkit.")]
    assert sorted(described) == sorted(expected)


def test_every_name_for_those_who_train_is_on_the_page_of_python(docs):
    titles = re.findall(r"^### mlpkit\.(\w+)$", text_of(docs / "python-reference.md"), re.M)
    assert sorted(titles) == sorted(NOT_FOR_PLUGINS - {"__version__"})


def test_every_conformance_check_is_listed_once(docs):
    listed = text_of(docs / "reference.md").split("## Conformance checks")[1]
    assert sorted(re.findall(r"^- `(\w+)`$", listed, re.M)) == sorted(check.name for check in all_checks())


def test_the_commonest_failures_are_checks(docs):
    table = (docs / "conformance.md").read_text("utf-8").split("## The commonest failures")[1]
    named = [name for cell in re.findall(r"^\| (`.+?) \|", table, re.M) for name in re.findall(r"`(\w+)`", cell)]
    assert len(named) > 10
    assert set(named) <= {check.name for check in all_checks()}
