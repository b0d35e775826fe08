"""``mlpkit new-homework``: what is handed out."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from mlpkit.cli.verbs import program
from mlpkit.registry.registry import Registry
from mlpkit.verbs.homework.exercise import find
from mlpkit.verbs.homework.kinds import TASKS

ROOT = Path(__file__).parents[3]
RIGHT = {path.stem: path.read_text("utf-8") for path in sorted((Path(__file__).parent / "right").iterdir())}


def listed(invoke):
    return json.loads(invoke("new-homework", "--json").out)["exercises"]


def test_there_are_ten_to_write_and_three_to_repair(invoke):
    kinds = [name.partition(" ")[0] for name in listed(invoke)]
    assert (len(kinds), kinds.count("spec")) == (12, 3)
    assert set(listed(invoke)) == {re.search("exercise: (.*)", text)[1] for text in RIGHT.values()}
    assert invoke("new-homework").out.count("\n") == 12


@pytest.mark.parametrize("exercise", [re.search("exercise: (.*)", text)[1] for text in RIGHT.values()])
def test_the_skeleton_holds_no_answer_and_its_checks_accept_the_right_one(exercise, invoke, cwd):
    assert invoke("new-homework", *exercise.split(), "--out", "given").code == 0
    (handed_in,) = {"answer.yaml", *(f"{name}.py" for name in RIGHT)} & {
        path.name for path in (cwd / "given").iterdir()
    }
    skeleton = (cwd / "given" / handed_in).read_text()
    assert skeleton.startswith(f"# mlpkit exercise: {exercise}\n")
    for checks in (cwd / "given").glob("test_*.py"):
        given = re.findall(r"^(?:X|W|b|gamma|beta|value|VALUE|x) = np.array(.*)$", checks.read_text(), re.MULTILINE)
        assert all(len(each) <= 2 for array in given for each in re.findall(r"\.(\d+)", array))
    text = (cwd / "given/README.md").read_text()
    assert "mlpkit grade ." in text
    mark = json.loads(invoke("grade", "given", "--json").out)
    assert mark["points"] == 0
    assert f"| {mark['results'][0]['title']} | {mark['results'][0]['out_of']} |" in text
    if handed_in == "answer.yaml":
        return
    assert run_tests(cwd / "given") != 0
    (cwd / "given" / handed_in).write_text(RIGHT[Path(handed_in).stem])
    assert run_tests(cwd / "given") == 0


def run_tests(folder):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", "."]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode


@pytest.mark.parametrize(
    ("exercise", "reason"),
    [
        (("layer", "Relo"), "did you mean 'Relu'?"),
        (("spec", "none"), "there is no exercise 'spec none'; expected one of first_flowers, "),
        (("optimizer", "muon"), "there is no exercise 'optimizer muon'; expected one of sgd, adam"),
        (("layer",), "needs KIND and NAME"),
    ],
)
def test_what_cant_be_an_exercise_is_an_error(exercise, reason, invoke, cwd):
    done = invoke("new-homework", *exercise)
    assert (done.code, reason in done.err) == (2, True), done.err
    assert not (cwd / "given").exists()


def test_a_folder_with_files_is_left_alone(invoke, cwd):
    (cwd / "relu").mkdir()
    (cwd / "relu/mine.txt").write_text("mine")
    done = invoke("new-homework", "layer", "Relu")
    assert (done.code, "choose another folder with --out" in done.err) == (2, True)
    assert [path.name for path in (cwd / "relu").iterdir()] == ["mine.txt"]


def test_where_the_files_are_is_told(invoke, cwd):
    done = invoke("new-homework", "optimizer", "sgd")
    assert (done.out, done.err) == ("sgd\n", "mark it with: mlpkit grade sgd\n")
    done = invoke("new-homework", "spec", "first_flowers", "--out", "given", "--json")
    assert json.loads(done.out) == {"folder": "given", "files": ["README.md", "answer.yaml", "first_flowers_spec.yaml"]}
    for arguments in (("layer",), ("--out", "given")):
        done = invoke("new-homework", *arguments)
        assert done.err == "error: new-homework needs KIND and NAME; without both, it lists exercises\n"


def test_the_shell_offers_the_exercises_of_the_kind():
    shell = ShellComplete(program, {}, "mlpkit", "_MLPKIT_COMPLETE")
    found = {kind: [each.value for each in shell.get_completions(["new-homework", kind], "")] for kind in TASKS}
    assert (found["optimizer"], found["loss"]) == (["sgd", "adam"], ["SoftmaxWithLoss", "MeanSquaredError"])
    assert [each.value for each in shell.get_completions(["new-homework", "layer"], "D")] == ["Dropout"]


def test_the_page_shows_the_skeleton(invoke, cwd):
    invoke("new-homework", "layer", "Relu")
    assert f"```text\n{(cwd / 'relu/relu.py').read_text()}```" in (ROOT / "docs/teaching.md").read_text("utf-8")


def test_all_files_that_are_handed_out(golden):
    registry, texts = Registry.discover(), []
    chosen = [("layer", "BatchNorm"), ("layer", "Dropout"), ("loss", "SoftmaxWithLoss")]
    for kind, name in [*chosen, ("loss", "MeanSquaredError"), ("optimizer", "adam"), ("spec", "first_flowers")]:
        files = TASKS[kind](find(kind, name), registry).files()
        texts += [f"==== {kind} {name}: {file}\n{text.strip()}\n" for file, text in files.items()]
    golden(Path(__file__).with_name("handed_out.golden.txt"), "\n".join(texts))
