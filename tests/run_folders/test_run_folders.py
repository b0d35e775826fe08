"""Run folders that an earlier version wrote, read by every verb; ``README.md`` describes them."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from requirements import require_package

import mlpkit
from mlpkit.cli.verbs import program
from mlpkit.runs.environment import environment
from mlpkit.training.events import Observer, StopRequest
from mlpkit_plugins.kernels import COMPILED

FOLDERS = Path(__file__).parent / "folders"
ANSWERS = json.loads((FOLDERS / "answers.json").read_text())
ELSEWHERE = {"began", "changed", "changes"}
"""What differs in every copy, and on every machine: times of files, and versions of Python and NumPy."""
FEW_BITS = 1e-3
"""How far float32 may be off where another processor computes."""
TRAINED = ("one", "adam", "adamw", "leaves")
STOPPED = {
    "stopped": "one",
    **{f"{name}_stopped": name for name in ("adam", "adamw", "leaves", "seeds", "folds", "rates")},
}
"""What was stopped, with the same in whole."""


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Go to a copy of the folders."""
    shutil.copytree(FOLDERS, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answer(command):
    done = CliRunner().invoke(program, shlex.split(command), prog_name="mlpkit")
    assert done.exit_code == 0 or command.startswith("doctor"), done.output
    return done.stdout


def documents(text):
    return [comparable(json.loads(line)) for line in text.splitlines()]


def comparable(value):
    if isinstance(value, dict):
        return {key: comparable(each) for key, each in value.items() if key not in ELSEWHERE}
    return [comparable(each) for each in value] if isinstance(value, list) else value


def assert_close(found, expected, place=""):
    """Compare plain data: numbers but for a few bits, all else exactly; of a mapping, keys may have been added."""
    if isinstance(expected, dict):
        assert expected.keys() <= found.keys(), place
        for key, value in expected.items():
            assert_close(found[key], value, f"{place}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), place
        for number, pair in enumerate(zip(found, expected, strict=True)):
            assert_close(*pair, f"{place}.{number}")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=FEW_BITS, abs=1e-6), place
    else:
        assert found == expected, place


def history(folder):
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


def same_machine():
    """Whether what computes here is what computed the runs."""
    lock = json.loads((FOLDERS / "kept/one/lock.json").read_text())["environment"]
    here = environment()
    return COMPILED and all(lock[key] == here[key] for key in here if key != "platform")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("question", ANSWERS)
def test_a_verb_answers_as_it_did(folders, question):
    assert_close(documents(answer(question)), documents(ANSWERS[question]))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", STOPPED)
def test_what_was_stopped_is_resumed_to_what_the_whole_was(folders, name):
    runs = folders / "kept"
    answer(f"resume kept/{name} --quiet --no-report")
    whole = runs / STOPPED[name]
    results = sorted(path.relative_to(whole) for path in whole.rglob("metrics.json"))
    assert results
    for path in results:
        found, expected = (json.loads((folder / path).read_text()) for folder in (runs / name, whole))
        assert_close(found, expected, str(path))
    for path in sorted(path.relative_to(whole) for path in whole.rglob("history.jsonl")):
        assert_close(history((runs / name / path).parent), history((whole / path).parent), str(path))
    for path in sorted(path.relative_to(whole) for path in whole.rglob("model.safetensors")) if same_machine() else ():
        assert (runs / name / path).read_bytes() == (whole / path).read_bytes(), path


@pytest.mark.parametrize("name", TRAINED)
def test_a_finished_run_is_returned_unchanged(folders, name):
    folder = folders / "kept" / name
    before = {path: path.read_bytes() for path in folder.rglob("*.*") if path.is_file() and path.name != ".lock"}
    assert mlpkit.resume(folder).history == history(folder)
    assert all(path.read_bytes() == content for path, content in before.items())


@pytest.mark.filterwarnings("ignore:.*the same bits as without the break are no longer guaranteed:UserWarning")
def test_a_run_may_be_stopped_and_resumed_once_more(folders):
    class Interruption(Observer):
        def evaluated(self, record, seconds):
            stop.stop("SIGTERM")

    folder, stop = folders / "kept/adamw_stopped", StopRequest()
    resolved = (folder / "resolved.yaml").read_bytes()
    halfway = mlpkit.resume(folder, observer=Interruption(), stop=stop)
    run = mlpkit.resume(folder)
    assert (halfway.stopped, run.stopped) == ("SIGTERM", "")
    assert halfway.steps < run.steps == history(folders / "kept/adamw")[-1]["iteration"]
    assert (folder / "resolved.yaml").read_bytes() == resolved


@pytest.mark.filterwarnings("ignore")
def test_a_finished_run_is_trained_longer(folders):
    answer("resume kept/one --iterations 6 --quiet --no-report")
    assert history(folders / "kept/one-2")[-1]["iteration"] == 6


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["one", "digits"])
def test_a_run_is_reproduced(folders, name):
    done = CliRunner().invoke(program, ["repro", f"kept/{name}", "--json"], prog_name="mlpkit")
    found = json.loads(done.stdout)
    assert found["then"].keys() == found["now"].keys() == {"history.jsonl", "metrics.json", "model.safetensors"}
    if same_machine():
        assert (done.exit_code, found["same"]) == (0, True)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("one", ["Confusion", "Importance of inputs"]),
        ("seeds", ["2 seeds", "seed-4"]),
        ("folds", ["Networks"]),
        ("rates", ["2 trials"]),
        ("stopped", ["Stopped after 2 of 4 iterations", "mlpkit resume kept/stopped"]),
        ("seeds_stopped", ["Not finished: seed 4", "mlpkit resume kept/seeds_stopped"]),
        ("rates_stopped", ["1 trial"]),
    ],
)
def test_a_report_is_written(folders, name, texts):
    require_package("vl_convert")
    answer(f"report kept/{name}")
    page = (folders / f"kept/{name}/report.html").read_text()
    assert [text for text in texts if text not in page] == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("ending", ["c", "js", "html"])
def test_a_model_is_exported(folders, ending):
    answer(f"export kept/one --to again.{ending}")
    found = json.loads(answer(f"whence again.{ending} --json"))
    assert found["provenance"] == json.loads(ANSWERS["whence one.c --json"])["provenance"]


@pytest.mark.filterwarnings("ignore")
def test_a_resolved_spec_is_trained_again(folders):
    answer("run kept/folds/resolved.yaml --out again --quiet --no-report")
    assert_close(*(json.loads((folders / f"{name}/metrics.json").read_text()) for name in ("again", "kept/folds")))
