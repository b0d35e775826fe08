"""Commands on run folders in which something was changed: a result, or an error of ours, and never an internal one."""

from __future__ import annotations

import json
import os
import random
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from fuzzing.damage import mutant

import mlpkit
from mlpkit.cli.exit_codes import error_report
from mlpkit.cli.verbs import program
from mlpkit.errors import MlpkitError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = (f"{i % 7 - i % 3},{'rgb'[i % 3]},{'no' if i % 5 < 2 else 'yes'}" for i in range(60))
TABLE = "\n".join(["size,colour,kind", *ROWS, ""])
SPEC = """\
mlpkit: 1
name: mutated
data: {csv: {file: table.csv, target: kind, categorical: [colour], validation: 0.2, test: 0.2}}
layers: [Affine: {units: 4}, Relu, Affine: {units: 2}, SoftmaxWithLoss]
training:
  optimizer: {adam: {learning_rate: 0.01}}
  epochs: 2
  batch_size: 12
  metrics: [accuracy, confusion_matrix]
  best_weights: loss
  checkpoint: {every: 4}
"""
JSON = ("metrics.json", "run.json", "lock.json", "failure.json")
LINES = ("history.jsonl", "health.jsonl", "timing.jsonl")
TEXTS = ("resolved.yaml", "spec.yaml")
WORDS = ("0\n", "-1\n", "", "null\n", "[]\n", "{}\n", "x:", "1e9\n", "true\n")
VALUES = (0, 1, -1, 2**63, 1e308, 0.5, "", "text", True, None, [], [0], {}, {"loss": 1}, [[]], "-1", "nan")
COMMANDS = {
    "export": ("export", "run", "--to", "out.js"),
    "report": ("report", "run"),
    "compare": ("compare", "run", "other"),
    "evaluate": ("evaluate", "run"),
    "predict": ("predict", "run", "table.csv"),
    "trace": ("trace", "run", "--step", "5"),
    "runs": ("runs", "."),
    "doctor": ("doctor", "run"),
    "resume": ("resume", "run", "--no-report"),
    "longer": ("resume", "run", "--epochs", "5", "--out", "longer", "--no-report"),
    "repro": ("repro", "run"),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table, a finished run, one that was stopped, and another to compare with."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("table.csv").write_text(TABLE)
        Path("spec.yaml").write_text(SPEC)
        mlpkit.run(mlpkit.load_spec("spec.yaml"), "finished")
        mlpkit.run(mlpkit.load_spec("spec.yaml", overrides={"seed": 1}), "other")
        shutil.copytree("finished", "stopped")
        for name in ("metrics.json", "model.safetensors"):
            Path("stopped", name).unlink()
        Path("stopped/failure.json").write_text('{"state": "failed", "steps": 4, "message": "the disk is full"}')
    return folder


def changed_value(data: Any, draw: random.Random) -> Any:
    """Return plain data with another value in one place, or without it."""
    if not isinstance(data, dict | list) or not data or draw.random() < 0.15:
        return draw.choice(VALUES)
    keys = list(data) if isinstance(data, dict) else list(range(len(data)))
    key = draw.choice(keys)
    changed = data.copy()
    if draw.random() < 0.15:
        del changed[key]
    else:
        changed[key] = changed_value(data[key], draw)
    return changed


def change(run: Path, draw: random.Random) -> str:
    """Change one file of a run folder, and say which."""
    files = sorted(path for path in run.rglob("*") if path.is_file() and not path.name.startswith("."))
    path = draw.choice(files)
    content, kind = path.read_bytes(), draw.random()
    if kind < 0.08:
        path.unlink()
    elif kind < 0.12:
        path.write_bytes(draw.choice(files).read_bytes() if draw.random() < 0.5 else b"")
    elif path.name in JSON and kind < 0.9:
        path.write_text(json.dumps(changed_value(json.loads(content), draw)))
    elif path.name in LINES and kind < 0.9:
        lines = content.splitlines()
        number = draw.randrange(len(lines))
        lines[number] = json.dumps(changed_value(json.loads(lines[number]), draw)).encode()
        path.write_bytes(b"\n".join(lines) + b"\n")
    elif path.name in TEXTS and kind < 0.9:
        words = content.decode().split(" ")
        words[draw.randrange(len(words))] = draw.choice(
            ["0\n", "-1\n", "", "null\n", "[]\n", "{}\n", "x:", "1e9\n", "true\n"]
        )
        path.write_text(" ".join(words))
    else:
        path.write_bytes(mutant(content, draw))
    return str(path)


def outcome(command: str) -> str:
    """Return what a command prints about an error that is not one of ours; empty without such an error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if command == "load":
                mlpkit.load("run").predict([{"size": 1, "colour": "r"}])
                return ""
            said = CliRunner().invoke(program, COMMANDS[command]).stderr
    except MlpkitError:
        return ""
    except Exception as error:
        return error_report(error).text
    return "\n".join(line for line in said.splitlines() if "internal error" in line or "Traceback" in line)


def faults(trained: Path, folder: Path, seed: int) -> Iterator[str]:
    """Change a run, and go through the commands that failed on it in a way that they should not."""
    draw = random.Random(seed)
    source = trained / draw.choice(["finished", "stopped"])
    for command in (*COMMANDS, "load"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        os.chdir(folder)
        shutil.copytree(source, "run")
        shutil.copytree(trained / "other", "other")
        shutil.copy(trained / "table.csv", "table.csv")
        again = random.Random(seed)
        path = change(Path("run"), again)
        found = outcome(command)
        if found:
            yield f"seed {seed}, {source.name}, {path}: {command}: {found}"


def survey(trained: Path, folder: Path, seeds: range) -> list[str]:
    """Return everything that went wrong with a number of changed runs."""
    here = Path.cwd()
    try:
        return [fault for seed in seeds for fault in faults(trained, folder, seed)]
    finally:
        os.chdir(here)


def test_some_changed_runs(trained, tmp_path):
    assert survey(trained, tmp_path / "work", range(3)) == []


@pytest.mark.fuzz
@pytest.mark.parametrize("part", range(25))
def test_five_hundred_changed_runs(trained, tmp_path, part):
    assert survey(trained, tmp_path / "work", range(20 * part, 20 * part + 20)) == []


def test_each_command_succeeds_on_a_run_that_was_not_changed(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, source in (("run", "finished"), ("other", "other"), ("table.csv", "table.csv")):
        shutil.copytree(trained / source, name) if "." not in name else shutil.copy(trained / source, name)
    codes = {command: CliRunner().invoke(program, arguments).exit_code for command, arguments in COMMANDS.items()}
    assert {command: code for command, code in codes.items() if code} == {}
    assert outcome("load") == ""


def test_an_error_that_is_not_ours_is_noticed(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(trained / "finished", "run")
    monkeypatch.setattr("mlpkit.verbs.doctor.doctor.doctor", lambda *_, **__: 1 / 0)
    assert outcome("doctor").startswith("internal error: ZeroDivisionError")
