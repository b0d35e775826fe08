"""Every shipped spec is right, and trains."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from idx_files import write_idx
from requirements import require_components_of, require_package

import mlpkit
import mlpkit_plugins
from mlpkit.components.kinds import IN_SPECS
from mlpkit.jobs.check import check
from mlpkit.specfile.document import parse_document
from mlpkit.specfile.sections import Training
from mlpkit.specfile.shipped_specs import QUICK, shipped_specs
from mlpkit.specfile.spec import read_spec
from mlpkit.verbs.doctor.doctor import doctor

ROOT = Path(__file__).parents[2]
RESULTS = (ROOT / "docs/results.md").read_text("utf-8")


def test_the_package_ships_what_the_folder_specs_holds():
    assert set(shipped_specs()) == {
        path.stem for folder in ("specs", "specs/papers", "specs/tables") for path in (ROOT / folder).glob("*.yaml")
    }


@pytest.mark.parametrize("page", ["spec", "command-line"])
def test_the_first_example_of_a_page_is_the_quick_spec(page):
    block = re.search(r"^```yaml\n(.*?)^```", (ROOT / f"docs/{page}.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert parse_document(block[1]).values == parse_document(shipped_specs()["quick"].read_text("utf-8")).values


IN_WAVES = {"realmlp_td"}
"""The learning rate goes up and down four times, which is too much for three steps."""


def expect_to_train(name, folder, changes):
    require_components_of(shipped_specs()[name].read_text("utf-8"))
    length = {"epochs": None, "iterations": 3, "evaluate_every": 3}
    changes = changes | {f"training.{key}": value for key, value in length.items()}
    run = mlpkit.run(mlpkit.load_spec(shipped_specs()[name], overrides=changes), folder)
    assert set(run.metrics) == {"train", "validation", "test"}
    assert (folder / "model.safetensors").is_file()
    allowed = {"rate_too_high"} if name in IN_WAVES else set()
    assert {symptom.name for symptom in doctor(folder).symptoms} <= allowed


@pytest.mark.parametrize("name", shipped_specs())
def test_a_shipped_spec_is_right(name):
    require_components_of(shipped_specs()[name].read_text("utf-8"))
    assert check(read_spec(shipped_specs()[name])).spec.name == name


@pytest.mark.parametrize("name", shipped_specs(QUICK))
def test_a_shipped_spec_trains(name, tmp_path):
    expect_to_train(name, tmp_path / "run", {})


LARGE = {name for name in shipped_specs(QUICK) if name.startswith("mnist")} | {"tabm"}
SMALL = sorted(shipped_specs(QUICK).keys() - LARGE)


def expect_healthy(name, folder):
    require_components_of(shipped_specs()[name].read_text("utf-8"))
    mlpkit.run(mlpkit.load_spec(shipped_specs()[name]), folder)
    assert not doctor(folder).symptoms
    assert len(doctor(folder).probes) > 1


@pytest.mark.parametrize("name", SMALL)
def test_a_small_shipped_spec_is_healthy_to_its_end(name, tmp_path):
    expect_healthy(name, tmp_path / "run")


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(LARGE))
def test_a_large_shipped_spec_is_healthy_to_its_end(name, tmp_path):
    expect_healthy(name, tmp_path / "run")


PAPERS = shipped_specs(["papers"])


@pytest.fixture(scope="module")
def few_digits(tmp_path_factory):
    """A folder with the first images of MNIST, which a large network trains on and is evaluated on at once."""
    folder = tmp_path_factory.mktemp("digits")
    spec = mlpkit.load_spec(shipped_specs()["mnist_3layer"])
    for split, file, rows in (("train", "train", 250), ("test", "t10k", 50)):
        images, labels = mlpkit.load_data(spec, split, rows)
        write_idx(folder / f"{file}-images-idx3-ubyte", (255 * images).round().reshape(-1, 28, 28))
        write_idx(folder / f"{file}-labels-idx1-ubyte", labels)
    return folder


@pytest.mark.parametrize("name", PAPERS)
def test_a_network_of_a_paper_trains(name, few_digits, tmp_path):
    changes = {"data.mnist.directory": str(few_digits), "data.mnist.validation": 50}
    expect_to_train(name, tmp_path / "run", changes)


@pytest.mark.long
@pytest.mark.parametrize("name", PAPERS)
def test_a_network_of_a_paper_learns_in_an_epoch(name, tmp_path):
    run = mlpkit.run(mlpkit.load_spec(PAPERS[name], overrides={"training.epochs": 1}), tmp_path / "run")
    assert run.metrics["test"]["accuracy"] > 0.9
    assert not doctor(tmp_path / "run").symptoms


@pytest.mark.parametrize("name", PAPERS)
def test_the_page_of_results_has_what_a_paper_published(name):
    comment, *_ = PAPERS[name].read_text("utf-8").splitlines()
    (published,) = re.findall(r"published ([\d.]+ %) test error", comment)
    (row,) = re.findall(rf"^\|.*`{name}`.*$", RESULTS, re.MULTILINE)
    assert f"| {published} |" in row


@pytest.fixture(scope="module")
def specs():
    require_package("pyarrow")
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
    for kind in IN_SPECS:
        names = {declared.name for declared in mlpkit_plugins.mlpkit_components() if declared.kind == kind}
        assert names & words, kind
