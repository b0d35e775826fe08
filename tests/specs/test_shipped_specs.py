"""Every shipped spec is right, and trains."""

from __future__ import annotations

from pathlib import Path

import pytest

import mlpkit
from mlpkit.jobs.check import check
from mlpkit.jobs.init import shipped_specs

ROOT = Path(__file__).parents[2]


def test_the_package_ships_what_the_folder_specs_holds():
    assert set(shipped_specs()) == {path.stem for path in (ROOT / "specs").glob("*.yaml")}


@pytest.mark.parametrize("name", sorted(shipped_specs()))
def test_a_shipped_spec_is_right_and_trains(name, tmp_path):
    path = shipped_specs()[name]
    assert check(path).spec.name == name
    length = {"iterations": 3, "evaluate_every": 3}
    spec = mlpkit.load_spec(path, overrides={f"training.{key}": value for key, value in length.items()})
    run = mlpkit.run(spec, tmp_path / "run")
    assert set(run.metrics) == {"train", "validation", "test"}
    assert (tmp_path / "run" / "model.safetensors").is_file()
