"""Every hostile plugin installed at once: no result changes, and each is named with the reason."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hostile_plugins import HOSTILE

import mlpkit

SPEC = Path(__file__).parents[2] / "specs/mnist_3layer.yaml"
SHORT = ("--set", "training.iterations=3", "--set", "training.evaluate_every=3")


def expected(plugin):
    return plugin.why.replace("VERSION", mlpkit.__version__)


def marks(site):
    return sorted(path.name for path in site.glob("*.imported"))


def test_there_are_enough_of_them():
    assert len(HOSTILE) >= 25
    assert len({plugin.name for plugin in HOSTILE}) == len(HOSTILE)


def test_a_run_gives_the_same_bits_as_without_them(program, site, tmp_path):
    bits = []
    for name, path in (("without", None), ("with", site)):
        done = program("run", SPEC, *SHORT, "--out", tmp_path / name, path=path)
        assert (done.code, done.err) == (0, "")
        bits.append(hashlib.sha256((tmp_path / name / "model.safetensors").read_bytes()).hexdigest())
    assert bits[0] == bits[1]
    assert marks(site) == []  # none was imported


@pytest.fixture(scope="module")
def listed(program, site):
    done = program("plugins", "--json", path=site)
    assert (done.code, done.err) == (0, "")
    return [json.loads(line) for line in done.out.splitlines()]


@pytest.mark.parametrize("plugin", HOSTILE, ids=lambda plugin: plugin.name)
def test_each_is_named_with_its_distribution_its_version_and_the_reason(plugin, listed):
    found = [report for report in listed if (report["source"], report["version"]) == (plugin.name, plugin.version)]
    assert found
    for report in found:
        assert report["status"] == plugin.status
        faults = list(report["faults"].values())
        assert (faults if plugin.status == "loaded" else [report["reason"]]) == [expected(plugin)]


def test_the_built_ins_are_loaded_among_them(listed):
    assert (listed[0]["namespace"], listed[0]["version"]) == ("mlpkit", mlpkit.__version__)
    assert (listed[0]["status"], listed[0]["faults"]) == ("loaded", {})


@pytest.mark.parametrize("misspelt", ["Affin", "Swish", "of_the_futur.Same"])
def test_a_misspelt_name_is_answered_with_all_of_them_installed(program, site, tmp_path, misspelt):
    spec = tmp_path / "spec.yaml"
    spec.write_text(SPEC.read_text("utf-8").replace("- Relu", f"- {misspelt}", 1), encoding="utf-8")
    done = program("check", spec, path=site)
    assert done.code == 2
    assert done.err.startswith(f"{spec}:{SPEC.read_text('utf-8').split('- Relu')[0].count(chr(10)) + 1}:")
    assert misspelt in done.err.splitlines()[0]


@pytest.mark.parametrize(
    ("verb", "misspelt", "remedy"),
    [
        ("check-plugin", "hooklss", "did you mean 'hookless'?"),
        ("check-plugin", "Affin", "did you mean 'Affine'?"),
        ("check-plugin", "xyzzy", "known: "),
        ("show", "xyzzy", "installed: "),
        ("show", "wrong_target", "'wrong_target' is a plugin, which provides wrong_target.Lost"),
    ],
)
def test_other_misspelt_names_are_answered_too(program, site, verb, misspelt, remedy):
    done = program(verb, misspelt, path=site)
    assert (done.code, done.out) == (2, "")
    assert f"; {remedy}" in done.err


def test_the_schema_can_be_had_with_all_of_them_installed(program, site):
    done = program("schema", path=site)
    assert (done.code, done.err) == (0, "")
    assert done.out == program("schema").out
