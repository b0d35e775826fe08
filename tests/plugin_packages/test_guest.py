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
training: {optimizer: sgd, epochs: 1, metrics: [accuracy]}
sweep: {search: {seed: {low: 0, high: 9}}, trials: 3}
"""

INSTALL = "install the package that provides acme.* components, or add --plugin acme.py if a file does\n"


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
    lines = environment("mlpkit check-plugin acme", cwd=work).splitlines()
    verdicts = [line.partition(",")[0] for line in lines]
    assert verdicts == ["acme.prune (verb): passed", "acme.text (exporter): passed", "acme.threads (engine): passed"]


def test_it_is_listed_and_shown(environment, work):
    listed = environment("mlpkit plugins", cwd=work)
    for name, command in {
        "acme.prune": "mlpkit acme.prune --help",
        "acme.text": "mlpkit export RUN --to FILE --format acme.text",
        "acme.threads": "mlpkit sweep SPEC --on acme.threads",
    }.items():
        assert name in listed
        assert command in environment(f"mlpkit show {name}", cwd=work)
    assert "acme" not in environment("mlpkit schema", cwd=work)  # no spec can name them


def test_its_verb_prunes_a_network(environment, work):
    lines = environment("mlpkit acme.prune runs/points --share 0.5 --to pruned.safetensors", cwd=work).splitlines()
    assert lines[0] == "Affine1.W: 3 of 6 weights are zero"
    assert [line.partition(":")[0] for line in lines[1:3]] == ["test loss", "test accuracy"]
    before = mlpkit.load_model(work / "runs/points/model.safetensors").parameters["Affine1.W"]
    after = mlpkit.load_model(work / "pruned.safetensors").parameters["Affine1.W"]
    np.testing.assert_array_equal(after, np.where(np.abs(before) > np.median(np.abs(before)), before, 0))


@pytest.mark.parametrize("arguments", ["--to points.acme", "--to points.txt --format acme.text"])
def test_it_exports_a_file_that_is_proved(environment, work, arguments):
    printed = environment(f"mlpkit export runs/points {arguments}", cwd=work)
    assert "its predictions for 20 rows of the test split match mlpkit predict" in printed
    assert "runs/points" in environment(f"mlpkit provenance {arguments.split()[1]}", cwd=work)


def test_its_engine_trains_the_same_trials(environment, work):
    for engine in ("acme.threads", "local"):
        environment(f"mlpkit sweep points.yaml --on {engine} --out {engine} --no-report", cwd=work)
    for trial in ("trial-0", "trial-1", "trial-2"):
        model = f"{trial}/model.safetensors"
        assert (work / "acme.threads" / model).read_bytes() == (work / "local" / model).read_bytes()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("acme.prune runs/points --share lots", "--share: 'lots' is not a number; expected a number, greater than 0"),
        ("acme.prune runs/none", "there is no run or model file 'runs/none'"),
        ("acme.pruen runs/points", "unknown verb 'acme.pruen'; did you mean 'acme.prune'?\n"),
        ("acme.text runs/points", "'acme.text' is an exporter, not a verb; installed: acme.prune\n"),
        ("sweep points.yaml --on acme", "unknown engine 'acme'; 'acme' is a plugin, which provides acme.threads\n"),
        ("export runs/points --to a.b --format acme", "unknown exporter 'acme'; 'acme' is a plugin, which provides"),
    ],
)
def test_mistakes_of_its_users_are_named(environment, work, command, message):
    assert environment(f"mlpkit {command}", cwd=work, exit_code=2).startswith(f"error: {message}")


def test_a_shell_completes_its_options(environment, work):
    def completed(words):
        asked = f'COMP_WORDS="{words}" COMP_CWORD={words.count(" ")} _MLPKIT_COMPLETE=bash_complete mlpkit'
        return environment(asked, cwd=work).splitlines()

    assert completed("mlpkit acme.prune --sh") == ["plain,--share"]


def test_without_the_package_the_message_says_what_is_missing(environment, work):
    environment("pip uninstall --quiet --yes mlpkit-acme", cwd=work)
    for command, message in {
        "acme.prune runs/points": f"verb 'acme.prune' is missing: no plugin 'acme' is installed; {INSTALL}",
        "export runs/points --to a.txt --format acme.text": (
            f"exporter 'acme.text' is missing: no plugin 'acme' is installed; {INSTALL}"
        ),
        "export runs/points --to a.acme": (
            "the format of 'a.acme' is unknown; expected a name that ends in .c, .html, .js, .onnx, such as "
            "model.onnx; to write .acme files, install a plugin that has an exporter for them\n"
        ),
        "sweep points.yaml --on acme.threads --out again": (
            f"engine 'acme.threads' is missing: no plugin 'acme' is installed; {INSTALL}"
        ),
    }.items():
        assert environment(f"mlpkit {command}", cwd=work, exit_code=2) == f"error: {message}"
    assert not (work / "again").exists()
