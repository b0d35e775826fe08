"""Plugins that are files: ``MLPKIT_PLUGINS`` names them for a session, and a run folder remembers them."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys

import numpy as np
import pytest

LAYERS = "layers=[acme.Slow: {seconds: 0}, Affine: {units: 10}, SoftmaxWithLoss]"


@pytest.fixture
def session(cwd, monkeypatch):
    """Name the plugin in the environment."""
    monkeypatch.setenv("MLPKIT_PLUGINS", str(cwd / "acme.py"))


@pytest.fixture
def trained(invoke):
    """Return the folder of a run that used the plugin, which only that command was given."""
    assert invoke("run", "tiny.yaml", "--quiet", "--plugin", "acme.py", "--set", LAYERS).code == 0
    return "runs/tiny"


def test_every_command_of_a_session_finds_them(session, invoke, cwd):
    np.save("rows.npy", np.zeros((2, 4, 4), np.uint8))
    (cwd / "acme.yaml").write_text((cwd / "tiny.yaml").read_text().replace("- Relu", "- acme.Slow: {seconds: 0}"))
    commands = [
        "check acme.yaml",
        "run acme.yaml --quiet --out runs/acme --seeds 2",
        "evaluate runs/acme/seed-0",
        "predict runs/acme/seed-0 rows.npy",
        "resume runs/acme/seed-0 --iterations 6 --quiet",
        "repro runs/acme/seed-1",
        "show acme.Slow",
    ]
    for command in commands:
        done = invoke(*shlex.split(command))
        assert (done.code, "unknown" in done.err) == (0, False), done.err


def test_they_come_in_addition_to_those_of_a_command(session, invoke, cwd):
    (cwd / "other.py").write_text((cwd / "acme.py").read_text())
    layers = LAYERS.replace("{units: 10}", "{units: 10}, other.Slow: {seconds: 0}")
    assert invoke("check", "tiny.yaml", "--plugin", "other.py", "--set", layers).code == 0
    assert invoke("check", "tiny.yaml", "--plugin", "./acme.py", "--set", LAYERS).code == 0  # the same file
    both = {"MLPKIT_PLUGINS": "acme.py::other.py"}
    assert invoke("check", "tiny.yaml", "--set", layers, env=both).code == 0


def test_a_file_that_does_not_exist_is_named_with_the_variable(invoke):
    done = invoke("check", "tiny.yaml", env={"MLPKIT_PLUGINS": "acme.py:nowhere.py"})
    assert (done.code, done.out) == (2, "")
    assert "MLPKIT_PLUGINS names nowhere.py, which doesn't exist; expected Python files" in done.err


def test_a_verb_of_such_a_plugin_is_found(cwd, invoke):
    code = "from mlpkit import Verb, component, hookimpl\n\n\nclass Hello(Verb):\n    def __call__(self):\n"
    code += "        print(*self.plugins)\n\n\n@hookimpl\ndef mlpkit_components():\n"
    (cwd / "verbs.py").write_text(f"{code}    return [component('verb', 'hello', Hello)]\n")
    done = invoke("verbs.hello", env={"MLPKIT_PLUGINS": "verbs.py"})
    assert (done.code, done.out) == (0, "verbs.py\n")


def test_python_ignores_the_variable(session, cwd, environment):
    code = f"import mlpkit; mlpkit.load_spec('tiny.yaml', overrides=['{LAYERS}'])"
    variable = {"MLPKIT_PLUGINS": str(cwd / "acme.py")}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment | variable, capture_output=True, text=True, check=False)
    assert "no plugin 'acme' is installed" in done.stderr


@pytest.mark.parametrize("command", ["evaluate", "predict", "resume", "repro", "trace"])
def test_a_missing_file_is_named_and_the_advice_works(command, trained, invoke, cwd, monkeypatch):
    np.save(cwd / "rows.npy", np.zeros((2, 4, 4), np.uint8))
    more = {"predict": [cwd / "rows.npy"], "trace": ["--step", "1"]}.get(command, [])
    (cwd / "elsewhere").mkdir()
    monkeypatch.chdir(cwd / "elsewhere")
    done = invoke(command, f"../{trained}", *more)
    assert done.code == 2
    advice = f"help: the run used the plugin {cwd}/acme.py; add --plugin {cwd}/acme.py, or name it in MLPKIT_PLUGINS"
    assert advice in done.err
    for options in ({"env": {"MLPKIT_PLUGINS": str(cwd / "acme.py")}}, {}):
        again = invoke(command, f"../{trained}", *more, *([] if options else ["--plugin", cwd / "acme.py"]), **options)
        assert "unknown" not in again.err
        assert again.code == 0, again.err


@pytest.mark.parametrize(
    ("several", "command"),
    [
        (("run", "--seeds", "2"), "evaluate"),
        (("run", "--set", "ensemble.members=2"), "evaluate"),
        (("sweep", "--set", "sweep={search: {seed: [1, 2]}, trials: 2}"), "resume"),
    ],
)
def test_folders_of_several_runs_name_it_too(several, command, invoke, cwd):
    verb, *options = several
    done = invoke(verb, "tiny.yaml", "--quiet", "--plugin", "acme.py", "--set", LAYERS, *options, "--out", "runs/all")
    assert done.code == 0, done.err
    assert f"help: the run used the plugin {cwd}/acme.py" in invoke(command, "runs/all").err


def test_the_advice_is_a_note_of_the_problem(trained, invoke, cwd):
    (problem,) = json.loads(invoke("evaluate", trained, "--json").out)["problems"]
    assert problem["code"] == "unknown-component"
    assert str(cwd / "acme.py") in problem["notes"][0]


def test_a_plugin_that_is_installed_is_not_asked_for(trained, invoke, cwd):
    (cwd / "acme.py").write_text((cwd / "acme.py").read_text().replace('"Slow"', '"Fast"'))
    done = invoke("evaluate", trained, "--plugin", "acme.py")
    assert done.code == 2
    assert "the run used" not in done.err


def test_a_changed_file_is_noticed(trained, invoke, cwd):
    plugin = cwd / "acme.py"
    text = plugin.read_text()
    plugin.write_text(text.replace("return x\n", "return x * 2\n", 1))
    done = invoke("evaluate", trained, "--plugin", "acme.py")
    assert done.code == 0
    assert (
        f"warning: {trained}: the network was trained with another version of a plugin: plugins.acme: sha256 "
        in done.err
    )
    plugin.write_text(text)
    assert invoke("evaluate", trained, "--plugin", "acme.py").err == ""


def test_where_a_file_is_changes_nothing(trained, invoke, cwd):
    before = json.loads((cwd / trained / "lock.json").read_text())
    assert before["plugin_files"] == {"acme": str(cwd / "acme.py")}
    (cwd / "plugins").mkdir()
    moved = (cwd / "acme.py").rename(cwd / "plugins/acme.py")
    done = invoke("repro", trained, "--plugin", moved)
    assert (done.code, "may differ" in done.err) == (0, False)
    assert invoke("run", "tiny.yaml", "--quiet", "--plugin", moved, "--set", LAYERS).code == 0
    assert "plugin_files" not in invoke("compare", trained, "runs/tiny-2").out
    assert str(moved) in (cwd / "runs/tiny-2/lock.json").read_text()
