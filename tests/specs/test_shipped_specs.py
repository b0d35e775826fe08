"""Every shipped spec is right, and trains."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

import mlpkit
import mlpkit_plugins
from mlpkit.components.kinds import KINDS
from mlpkit.jobs.check import check
from mlpkit.jobs.doctor import diagnose
from mlpkit.jobs.init import shipped_specs
from mlpkit.specfile.sections import Training
from mlpkit.specfile.spec import read_spec

ROOT = Path(__file__).parents[2]


def test_the_package_ships_what_the_folder_specs_holds():
    assert set(shipped_specs()) == {
        path.stem for folder in ("specs", "specs/tables") for path in (ROOT / folder).glob("*.yaml")
    }


IN_WAVES = {"realmlp_td"}
"""The learning rate goes up and down four times, which is too much for three steps."""


@pytest.mark.parametrize("name", sorted(shipped_specs()))
def test_a_shipped_spec_is_right_and_trains(name, tmp_path):
    path = shipped_specs()[name]
    assert check(read_spec(path)).spec.name == name
    length = {"epochs": None, "iterations": 3, "evaluate_every": 3}
    spec = mlpkit.load_spec(path, overrides={f"training.{key}": value for key, value in length.items()})
    run = mlpkit.run(spec, tmp_path / "run")
    assert set(run.metrics) == {"train", "validation", "test"}
    assert (tmp_path / "run" / "model.safetensors").is_file()
    allowed = {"rate_too_high"} if name in IN_WAVES else set()
    assert {symptom.name for symptom in diagnose(tmp_path / "run").symptoms} <= allowed


LARGE = {name for name in shipped_specs() if name.startswith("mnist")} | {"tabm"}
SMALL = sorted(shipped_specs().keys() - LARGE)


def expect_healthy(name, folder):
    mlpkit.run(mlpkit.load_spec(shipped_specs()[name]), folder)
    assert not diagnose(folder).symptoms
    assert len(diagnose(folder).looks) > 1


@pytest.mark.parametrize("name", SMALL)
def test_a_small_shipped_spec_is_healthy_to_its_end(name, tmp_path):
    expect_healthy(name, tmp_path / "run")


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(LARGE))
def test_a_large_shipped_spec_is_healthy_to_its_end(name, tmp_path):
    expect_healthy(name, tmp_path / "run")


@pytest.fixture(scope="module")
def specs():
    return [mlpkit.load_spec(path) for path in shipped_specs().values()]


def test_every_kind_of_target_is_there(specs):
    targets = {type(spec.data().describe().target) for spec in specs}
    assert targets == {mlpkit.Classes, mlpkit.Labels, mlpkit.Values}


def test_every_part_of_training_is_shown_in_a_spec_or_on_its_page(specs):
    shown = {key for spec in specs for key, value in spec.resolved()["training"].items() if value not in (None, [], {})}
    shown |= set(re.findall(r"^  (\w+):", (ROOT / "docs/training.md").read_text("utf-8"), re.MULTILINE))
    known = {field.name for field in dataclasses.fields(Training)}
    assert known - shown <= {"epochs", "seconds", "slices", "threads"}  # one length will do, and the plan is chosen


def test_every_kind_of_component_is_used(specs):
    words = set(re.findall(r"\w+", " ".join(str(spec.resolved()) for spec in specs)))
    for kind in KINDS:
        names = {declared.name for declared in mlpkit_plugins.mlpkit_components() if declared.kind == kind}
        assert names & words, kind
