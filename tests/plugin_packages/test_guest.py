"""A package outside the repository, in ``guest``: what it adds works, and its removal is a clear message."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import mlpkit

GUEST = Path(__file__).with_name("guest")

SPEC = """\
mlpkit: 1
data: {npz: {file: points.npz, test: 0.25}}
layers: [{Affine: {units: 2}}, SoftmaxWithLoss]
training: {optimizer: sgd, epochs: 1}
sweep: {search: {seed: {low: 0, high: 9}}, trials: 2}
"""


@pytest.fixture(scope="module")
def environment(new_environment, tmp_path_factory):
    """Return an environment in which the package is installed."""
    made = new_environment()
    folder = shutil.copytree(GUEST, tmp_path_factory.mktemp("guest") / "package")  # building it leaves files there
    made("pip install --quiet .", cwd=folder)
    return made


@pytest.fixture(scope="module")
def work(environment, tmp_path_factory):
    """Return a folder with a run."""
    folder = tmp_path_factory.mktemp("work")
    rng = np.random.default_rng(0)
    np.savez(folder / "points.npz", x=rng.normal(size=(80, 3)), t=rng.integers(0, 2, 80))
    (folder / "points.yaml").write_text(SPEC, encoding="utf-8")
    environment("mlpkit run points.yaml --quiet --no-report", cwd=folder)
    return folder


def test_it_conforms(environment, work):
    printed = environment("mlpkit check-plugin acme", cwd=work)
    assert "acme.weights (exporter): passed" in printed
    assert "acme.queue (engine): passed" in printed


def test_it_is_listed_and_shown(environment, work):
    assert "acme.weights" in environment("mlpkit plugins", cwd=work)
    assert "mlpkit export RUN --to FILE --format acme.weights" in environment("mlpkit show acme.weights", cwd=work)
    assert "acme.weights" not in environment("mlpkit schema", cwd=work)  # no spec can name it


@pytest.mark.parametrize("arguments", ["--to digits.weights", "--to digits.txt --format acme.weights"])
def test_it_exports(environment, work, arguments):
    printed = environment(f"mlpkit export runs/points {arguments}", cwd=work)
    assert "not proved to compute what the model does: acme.weights has no method compute" in printed
    lines = (work / arguments.split()[1]).read_text("utf-8").splitlines()
    written = {name: numbers.split() for name, _, numbers in (line.split(" ", 2) for line in lines[1:])}
    values = mlpkit.load_model(work / "runs/points/model.safetensors").parameters["Affine1.W"]
    np.testing.assert_array_equal(np.array(written["Affine1.W"], np.float32), values.ravel())
    assert "runs/points" in environment(f"mlpkit provenance {arguments.split()[1]}", cwd=work)


def test_its_engine_trains_trials(environment, work):
    printed = environment("mlpkit sweep points.yaml --on acme.queue --out runs/swept --no-report", cwd=work)
    assert "2 finished" in printed or "trial 1" in printed
    assert sorted((work / "runs/swept/queue.txt").read_text("utf-8").split()) == ["trial-0", "trial-1"]


def test_without_the_package_the_message_says_what_is_missing(environment, work):
    environment("pip uninstall --quiet --yes acme-guest", cwd=work)
    printed = environment("mlpkit export runs/points --to digits.weights", cwd=work, exit_code=2)
    assert "doesn't say what to export as; expected a name that ends in .c, .html, .js, .onnx, such as" in printed
    printed = environment("mlpkit export runs/points --to a.txt --format acme.weights", cwd=work, exit_code=2)
    assert "install the package that provides acme.* components" in printed
    printed = environment("mlpkit sweep points.yaml --on acme.queue --out runs/again", cwd=work, exit_code=2)
    assert "install the package that provides acme.* components" in printed
    assert not (work / "runs/again").exists()
