"""``mlpkit grade``: whose files are found, and how marks are printed and written."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

RIGHT = Path(__file__).parent / "right"
RELU = (RIGHT / "relu.py").read_text("utf-8")
AFFINE = (RIGHT / "affine.py").read_text("utf-8")


@pytest.fixture
def course(cwd):
    """A folder with a file of one student, folders of two, and an empty one."""
    folder = cwd / "course"
    for name, text in {
        "anna.py": RELU,
        "ben/relu.py": RELU.replace("dy * self.positive", "-dy * self.positive"),
        "ben/affine.py": AFFINE,
        "=cmd()/mine.py": RELU,
        "carla/notes.txt": "sorry",
        "ben/test_relu.py": RELU,
        "ben/.ipynb_checkpoints/relu.py": RELU,
        "dora/relu/relu.PY": RELU,  # the folder that new-homework wrote
        "emil/relu.zip": "PK",
        "emil/mine.py": "class Relu: pass",
        "fred.ipynb": "{}",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_files_and_folders_of_students(course, invoke, cwd):
    done = invoke("grade", "course", "--csv", "marks.csv", "--seed", "0")
    assert done.code == 0
    assert done.out.splitlines() == [
        "anna  layer Relu  10 of 10",
        "=cmd()  layer Relu  10 of 10",
        "ben  layer Affine  12 of 12",
        "ben  layer Relu  5 of 10",
        "  -1  extreme inputs: dx has the wrong sign; at exactly 0, the gradient is 0",
        "  -3  backward returns dx: dx has the wrong sign; dy passes where x was positive, multiplied by 1",
        "  -1  inputs stay unchanged, and backward follows the latest forward: dx has the wrong sign",
        "dora  layer Relu  10 of 10",
    ]
    assert "carla has handed in nothing" in done.err
    rows = list(csv.DictReader((cwd / "marks.csv").read_text("utf-8").splitlines()))
    assert [(row["student"], row["exercise"], row["points"], row["out_of"]) for row in rows] == [
        ("anna", "layer Relu", "10", "10"),
        ("'=cmd()", "layer Relu", "10", "10"),  # no formula of a spreadsheet
        ("ben", "layer Affine", "12", "12"),
        ("ben", "layer Relu", "5", "10"),
        ("dora", "layer Relu", "10", "10"),
        ("fred", "", "0", ""),
        ("carla", "", "0", ""),
        ("emil", "", "0", ""),
        ("emil", "", "0", ""),
    ]
    reasons = [row["reasons"] for row in rows[5:]]
    assert reasons[0] == "has handed in fred.ipynb, which is not opened; expected a .py file"
    assert "mine.py, which names no exercise" in reasons[2]
    assert "relu.zip, which is not opened" in reasons[3]
    assert "dx has the wrong sign" in rows[3]["reasons"]


def test_a_seed_gives_the_same_reasons_and_none_gives_others(invoke, cwd):
    (cwd / "relu.py").write_text(RELU.replace("np.maximum(x, 0)", "np.abs(x)"))
    first, again, other, unknown = (
        invoke("grade", ".", "--json", *seed).out for seed in (["--seed", "1"], ["--seed", "1"], ["--seed", "2"], [])
    )
    assert first == again
    assert len({first, other, unknown}) == 3
    assert json.loads(first)["student"] == "work"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the file defines no Relu"),
        ("def Relu(:", "SyntaxError in line 2"),
        ("class Relu: pass", "Relu has no forward"),
        ("class Relu:\n    def forward(self, x): pass", "forward() is None, expected an array of numbers"),
        ("class Relu:\n    def forward(self, x): return 'x'", "forward() is not an array of numbers, but str"),
        (
            "class Relu:\n    def forward(self, x):\n        return x / y",
            "NameError in line 4: name 'y' is not defined",
        ),
        ("class Relu:\n    def __init__(self, n): pass", "TypeError: Relu.__init__() missing 1 required"),
        ("class Relu:\n    def forward(self, x): return x[0]", "y has shape (5,), expected (7, 5)"),
    ],
)
def test_an_unfinished_file_gets_its_reason(text, reason, invoke, cwd):
    (cwd / "relu.py").write_text(f"# mlpkit exercise: layer Relu\n{text}\n")
    mark = json.loads(invoke("grade", ".", "--json").out)
    assert mark["points"] == 0
    assert reason in mark["results"][0]["reason"]


def test_a_hanging_backward_costs_its_own_points_only(invoke, cwd):
    (cwd / "relu.py").write_text(RELU.replace("        return dy *", "        while True: pass\n        return dy *"))
    mark = json.loads(invoke("grade", ".", "--json", "--seconds", "2").out)
    reasons = {each["title"]: each["reason"] for each in mark["results"]}
    assert mark["points"] == 3
    assert reasons["forward"] == ""
    assert reasons["backward returns dx"] == "not finished after 2 s, so it was ended"
    assert reasons["vectors in place of loops"] == "not run: the process has ended 2 times"


@pytest.mark.parametrize(("name", "reason"), [("none", "there is no such folder"), ("empty", "holds no submission")])
def test_nothing_to_mark_is_an_error(name, reason, invoke, cwd):
    (cwd / "empty").mkdir()
    done = invoke("grade", name)
    assert (done.code, reason in done.err) == (2, True)


def test_a_link_to_anothers_file_is_not_followed(invoke, cwd):
    (cwd / "secret.py").write_text(RELU)
    (cwd / "class/ben").mkdir(parents=True)
    (cwd / "class/ben/relu.py").symlink_to(cwd / "secret.py")
    done = invoke("grade", "class")
    assert (done.out, "ben has handed in nothing" in done.err) == ("", True)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_files_of_other_editors_are_read(encoding, invoke, cwd):
    text = RELU.replace("import numpy", "# Lösung für Jörg\nimport numpy", 1).replace("\n", "\r\n")
    (cwd / "relu.py").write_bytes(text.encode(encoding))
    assert "10 of 10" in invoke("grade", ".").out


def test_an_unreadable_file_leaves_the_others_their_marks(invoke, cwd):
    (cwd / "course").mkdir()
    (cwd / "course/anna.py").write_text(RELU)
    (cwd / "course/ben.py").write_text(RELU + "#" * 2**20)
    done = invoke("grade", "course")
    assert (done.code, "anna  layer Relu  10 of 10" in done.out) == (0, True)
    assert "ben has handed in ben.py, which can't be read: it is larger than 1 MiB" in done.err
