"""``requires``: the distributions that a spec needs."""

from __future__ import annotations

import json

import numpy as np
import pytest
from packaging.version import InvalidVersion

import mlpkit
from mlpkit import SpecError
from mlpkit.verbs.ask.explain import explain

SPEC = """\
mlpkit: 1
data: mnist
requires: {requires}
layers:
  - Affine: {{units: 10}}
  - SoftmaxWithLoss
training: {{optimizer: sgd, iterations: 1, evaluate_every: 1}}
"""


@pytest.fixture
def load(tmp_path):
    """Return a function that loads a spec which requires something."""

    def load_requiring(requires, **options):
        path = tmp_path / "spec.yaml"
        path.write_text(SPEC.format(requires=requires))
        return mlpkit.load_spec(path, **options)

    return load_requiring


@pytest.mark.parametrize(
    "requires",
    [
        "null",
        "{}",
        f'{{mlpkit: "=={mlpkit.__version__}"}}',
        '{mlpkit: " >=0.0.1 , <99 "}',
        f'{{numpy: "=={np.__version__}", NumPy: ">=0", PyYAML: ">=6,<99", safetensors: "!=0.0.1"}}',
    ],
)
def test_what_is_installed_will_do(load, requires):
    assert isinstance(load(requires).requires, dict)


def test_a_range_is_as_pip_takes_it(load):
    wrong = ['"<0.0.1"', '"!=VERSION"', '"~=99.1"', '"===0"', '">=0,<0.0.1"']
    for text in (each.replace("VERSION", mlpkit.__version__) for each in wrong):
        with pytest.raises(SpecError, match="this spec requires another version of mlpkit"):
            load(f"{{mlpkit: {text}}}")


def test_what_a_spec_requires_is_kept_with_the_run(load, tmp_path):
    spec = load('{mlpkit: ">=0.0.1", numpy: ">=1"}')
    run = mlpkit.run(spec, tmp_path / "run")
    assert "requires: {mlpkit: '>=0.0.1', numpy: '>=1'}\n" in (run.folder / "resolved.yaml").read_text()
    lock = json.loads((run.folder / "lock.json").read_text())
    assert lock["requires"] == {"mlpkit": mlpkit.__version__, "numpy": np.__version__}
    assert mlpkit.load_spec(run.folder / "resolved.yaml").requires == spec.requires


def test_a_spec_that_requires_nothing_says_nothing_of_it(load):
    assert "requires" not in load("null").resolved()


def test_it_merges_distribution_by_distribution(load, tmp_path):
    load('{mlpkit: ">=0", numpy: ">=0"}')
    child = tmp_path / "child.yaml"
    child.write_text("extends: spec.yaml\nrequires: {numpy: '>=1'}\n")
    assert mlpkit.load_spec(child).requires == {"mlpkit": ">=0", "numpy": ">=1"}


def test_it_is_explained(load):
    spec = load('{mlpkit: ">=0"}')
    assert explain(spec, "requires").value == {"mlpkit": ">=0"}
    explained = explain(spec, "requires.mlpkit")
    assert (explained.value, explained.meaning) == (">=0", "the accepted versions of mlpkit.")
    with pytest.raises(mlpkit.UsageError, match=r"unknown key 'numpy' in 'requires'"):
        explain(spec, "requires.numpy")


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ("of yesterday", "this spec requires another version of numpy: of yesterday is installed"),
        ("", "this spec requires another version of numpy: an unknown one is installed"),
        (None, "this spec requires numpy, which is not installed"),
    ],
)
def test_an_installed_version_may_be_unknown(load, monkeypatch, found, message):
    monkeypatch.setattr("mlpkit.specfile.key_types.version_of", lambda name: found)
    with pytest.raises(SpecError) as caught:
        load('{numpy: " >=1.2 "}')
    (fault,) = caught.value.faults
    assert (fault.message, fault.remedy) == (message, 'install it with: pip install "numpy>=1.2"')
    assert (fault.code, fault.expected) == ("wrong-version", "" if found is None else ">=1.2")


def test_a_release_candidate_will_do(load, monkeypatch):
    monkeypatch.setattr("mlpkit.specfile.key_types.version_of", lambda name: "2.0rc1")
    assert load('{numpy: ">=1.2"}').requires == {"numpy": ">=1.2"}


def test_a_version_that_can_not_be_compared_will_not_do(load, monkeypatch):
    """Some releases of packaging raise an exception about it."""

    def contains(specifiers, version, prereleases):
        raise InvalidVersion(version)

    monkeypatch.setattr("packaging.specifiers.SpecifierSet.contains", contains)
    with pytest.raises(SpecError, match="this spec requires another version of numpy: "):
        load('{numpy: ">=1.2"}')
