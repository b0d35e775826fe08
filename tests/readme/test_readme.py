"""What the README says is so."""

from __future__ import annotations

import re
from contextlib import chdir
from pathlib import Path

import pytest
from click.testing import CliRunner

import mlpkit
from mlpkit.cli.verbs import program

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"<!-- (spec|python|plugin: \S+) -->\n```\w+\n(.*?)```", re.DOTALL)
BLOCKS = BLOCK.findall(README)
PYTHON = [text for kind, text in BLOCKS if kind == "python"]
((PLUGIN_FILE, PLUGIN_TEXT),) = [(kind.removeprefix("plugin: "), text) for kind, text in BLOCKS if kind[1] == "l"]


def test_the_spec_shown_is_the_spec_shipped():
    (shown,) = [text for kind, text in BLOCKS if kind == "spec"]
    assert shown == (ROOT / "specs/mnist_3layer.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", PYTHON)
def test_the_python_shown_runs(code, monkeypatch):
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec(code.replace('"training.iterations": 100', '"training.iterations": 2'), names)
    assert names["network"].parameters["Affine1.W"].shape == (784, 50)


def test_the_layer_shown_has_at_most_ten_lines_of_code_and_trains(tmp_path):
    body = PLUGIN_TEXT.split("class ")[1].split("@hookimpl")[0]
    assert len([line for line in body.splitlines() if line.strip()]) <= 10
    plugin = tmp_path / PLUGIN_FILE
    plugin.write_text(PLUGIN_TEXT, encoding="utf-8")
    spec_file = tmp_path / "swish.yaml"
    shown = (ROOT / "specs/mnist_3layer.yaml").read_text(encoding="utf-8")
    spec_file.write_text(shown.replace("- Relu", f"- {plugin.stem}.Swish"), encoding="utf-8")
    overrides = {"training.iterations": 3, "training.evaluate_every": 3}
    spec = mlpkit.load_spec(spec_file, overrides=overrides, plugins=[plugin])
    assert "Swish1" in [member.name for member in spec.layers]
    run = mlpkit.run(spec, tmp_path / "run")
    assert run.history[-1]["iteration"] == 3
    mlpkit.export(run, tmp_path / "swish.c", plugins=[plugin])
    assert (tmp_path / "swish.c").is_file()


def test_the_mistake_shown_gives_the_message_shown(tmp_path):
    shown = (ROOT / "specs/mnist_3layer.yaml").read_text(encoding="utf-8")
    (tmp_path / "my.yaml").write_text(shown.replace("units", "unit", 1), encoding="utf-8")
    with chdir(tmp_path):
        done = CliRunner().invoke(program, ["check", "my.yaml"])
    assert done.exit_code == 2
    assert f"$ mlpkit check my.yaml\n{done.output}```" in README


def test_the_test_command_shown_is_what_ci_does():
    command = '.venv/bin/pip install ".[test]" && .venv/bin/pytest -n auto'
    assert command in README
    script = (ROOT / ".ci/jobs/default").read_text(encoding="utf-8")
    assert 'pip" install --quiet ".[test]"' in script
    assert "-n auto" in script
