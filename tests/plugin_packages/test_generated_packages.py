"""What ``mlpkit new-plugin`` writes, for every kind: it installs, its tests pass, and its spec trains."""

from __future__ import annotations

import json
import re

import pytest

from mlpkit.components.kinds import KINDS
from mlpkit.verbs.author.new_plugin import new_plugin

SOME = ("callback", "engine", "layer")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a package for each kind."""
    place = tmp_path_factory.mktemp("packages")
    for kind in KINDS:
        new_plugin(f"my_{kind}", kind, place / kind)
    return place


@pytest.fixture(scope="module")
def environment(new_environment, folder):
    """Return an environment in which all of them are installed."""
    made = new_environment()
    made(f"pip install --quiet {' '.join(f'./{kind}' for kind in KINDS)}", cwd=folder)
    return made


def test_all_are_sound_plugins(environment, folder):
    lines = environment("mlpkit plugins --json", cwd=folder).splitlines()
    found = {plugin["namespace"]: plugin for plugin in map(json.loads, lines)}
    for kind in KINDS:
        plugin = found[f"my_{kind}"]
        package = f"my-{kind.replace('_', '-')}-mlpkit"
        assert (plugin["status"], plugin["source"]) == ("loaded", package), plugin["reason"]
        assert list(plugin["components"]) == [kind]


@pytest.mark.parametrize("kinds", [SOME, pytest.param(tuple(KINDS), marks=pytest.mark.long)], ids=["some", "all"])
def test_their_tests_pass(kinds, environment, folder):
    printed = environment(f"pytest -q -rs --import-mode=importlib -p no:cacheprovider {' '.join(kinds)}", cwd=folder)
    assert " passed" in printed
    assert "skipped" not in printed


@pytest.mark.parametrize("kind", KINDS)
def test_its_spec_trains(kind, environment, folder):
    shorter = "" if kind == "callback" else "--set training.epochs=null --set training.iterations=20"
    environment(f"mlpkit run example.yaml --quiet {shorter}", cwd=folder / kind)
    metrics = json.loads((folder / kind / "runs" / f"my_{kind}" / "metrics.json").read_text("utf-8"))
    assert metrics["train"]["loss"] > 0


@pytest.mark.parametrize(
    "kind", [kind if kind in SOME else pytest.param(kind, marks=pytest.mark.long) for kind in KINDS]
)
def test_the_commands_for_agents_pass(kind, environment, folder):
    guide = (folder / kind / "AGENTS.md").read_text("utf-8")
    commands = re.findall(r"^mlpkit .+ --json$", guide, re.M)
    assert [command.split()[1] for command in commands] == ["check-plugin", "check", "show"]
    for command in commands:
        for line in environment(f"{command} 2> messages.txt", cwd=folder / kind).splitlines():
            json.loads(line)
