"""Random mutants of specs: each is accepted, or refused in our own words, soon and in little memory."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fuzzing.right_specs import ALL as TEXTS
from fuzzing.right_specs import RICH
from fuzzing.spec_mutants import spec_mutants
from fuzzing.watch import campaign, counts
from requirements import require_components_of

from mlpkit.errors import SpecError
from mlpkit.jobs.prove import prove
from mlpkit.registry.registry import Registry
from mlpkit.specfile.document import read_document
from mlpkit.specfile.spec import check_document

if TYPE_CHECKING:
    from collections.abc import Sequence


@cache
def registry() -> Registry:
    """Return what is installed, found once: looking for plugins takes longer than checking a spec."""
    return Registry.discover()


def expect_fit_to_show(error: SpecError) -> None:
    assert 1 <= len(error.faults) <= 100
    for fault in error.faults:
        assert fault.line >= 1
        assert fault.column >= 1
        assert "this is not YAML" not in fault.message
        assert "can't be built" not in fault.message
    assert len(str(error)) < 1_000_000


def checked(path: Path, overrides: Sequence[str] = ()) -> Any:
    """Check a spec as ``mlpkit check`` does, and see that every fault is one that a user can be shown."""
    try:
        return prove(check_document(read_document(path, overrides), registry()))
    except SpecError as error:
        expect_fit_to_show(error)
        raise


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_mutated_is_right(tmp_path: Path, text: str) -> None:
    require_components_of(text)
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    checked(path)


@counts(350, 14_000)
def test_mutants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: Path, count: int) -> None:
    monkeypatch.chdir(tmp_path)
    print("seed 4")  # noqa: T201 - to repeat a failure
    mutants = spec_mutants(TEXTS, random.Random(4), count)
    report = campaign(
        checked, mutants, tmp_path / "mutant.yaml", may_accept=bool, keep=keep / "specs", names_file=False
    )
    assert report.refused > count / 2


@counts(50, 1_500)
def test_mutants_of_an_extended_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: Path, count: int) -> None:
    monkeypatch.chdir(tmp_path)
    child = "extends: mutant.yaml\nvars: {hidden: 3}\nlayers: [{Affine: {units: 10}}, SoftmaxWithLoss]\n"
    Path("child.yaml").write_text(child)
    print("seed 6")  # noqa: T201 - to repeat a failure
    campaign(
        lambda path: checked(path.with_name("child.yaml")),
        spec_mutants(TEXTS, random.Random(6), count),
        tmp_path / "mutant.yaml",
        may_accept=bool,
        keep=keep / "specs",
        names_file=False,
    )


@counts(50, 1_500)
def test_mutants_of_overrides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: Path, count: int) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rich.yaml").write_text(RICH)
    overrides = (
        "training.batch_size=3\nlayers.first.units=$hidden\ntraining.optimizer={sgd: {learning_rate: 1e-2}}\n"
        "vars.rate=0.5\nlayers.Affine2.weights={normal: {std: 1}}\ndata.validation=100\ntraining.metrics=[accuracy]"
    )

    def check_with(path: Path) -> Any:
        return checked(Path("rich.yaml"), path.read_text("utf-8", "replace").split("\n")[:8])

    print("seed 7")  # noqa: T201 - to repeat a failure
    mutants = spec_mutants([overrides], random.Random(7), count)
    campaign(check_with, mutants, tmp_path / "set.txt", may_accept=bool, keep=keep / "overrides", names_file=False)
