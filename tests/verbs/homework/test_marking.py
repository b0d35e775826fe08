"""Whose files are found in a folder, and the table of marks."""

from __future__ import annotations

import pytest

from mlpkit.verbs.homework import grade_command
from mlpkit.verbs.homework.exercise import find
from mlpkit.verbs.homework.grade_command import _lines
from mlpkit.verbs.homework.marking import CheckResult, Mark, Unmarked, handed_in, write_table

BEN = ("ben", "spec first_flowers")
RELU = "# mlpkit exercise: layer Relu\n"
SPEC = "# mlpkit exercise: spec first_flowers\n"
SGD = "import numpy\n# mlpkit exercise: optimizer sgd  \n"


@pytest.mark.parametrize(
    ("files", "found", "unmarked"),
    [
        ({"relu.py": "", "mine.ipynb": "", "notes.txt": ""}, {("class", "layer Relu")}, set()),
        ({"answer.yaml": SPEC, "first_flowers.yaml": "a: 1"}, {("class", "spec first_flowers")}, set()),
        (
            {"anna.py": RELU, "ben.YML": SPEC, "c.yaml": RELU},
            {("anna", "layer Relu"), ("ben", "spec first_flowers")},
            set(),
        ),
        (
            {"anna.py": SPEC, "ben.ipynb": "", "c.py": "x"},
            set(),
            {
                ("anna", "has handed in anna.py, which names no exercise in its first line"),
                ("ben", "has handed in ben.ipynb, which is not opened; expected a .py file"),
                ("c", "has handed in c.py, which names no exercise in its first line"),
            },
        ),
        (
            {
                "anna/a/b/x.py": SGD,
                "anna/test_x.py": RELU,
                "anna/__MACOSX/x.py": RELU,
                "ben/deep/c.zip": "",
                "carla/d": "",
            },
            {("anna", "optimizer sgd")},
            {("ben", "has handed in deep/c.zip, which is not opened"), ("carla", "has handed in nothing")},
        ),
        ({".git/x.py": RELU, "_old/x.py": RELU, "dora/.x.py": RELU}, set(), {("dora", "has handed in nothing")}),
    ],
)
def test_whose_files_are_found(files, found, unmarked, tmp_path):
    for name, text in files.items():
        path = tmp_path / "class" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    marked, others = handed_in(tmp_path / "class")
    assert {(each.student, f"{each.exercise.kind} {each.exercise.name}") for each in marked} == found
    assert len(others) == len(unmarked)
    for student, reason in unmarked:
        assert any(each.student == student and each.reason.startswith(reason) for each in others), (student, others)


def test_the_table_has_a_row_for_each_and_no_formula(tmp_path):
    results = [CheckResult("a", 2, 2), CheckResult("b", 0, 3, "=x\ty"), CheckResult("c", 0, 1, "z")]
    marks = [Mark("+anna", "layer Relu", "f", results), Mark("@ben", "-x", "f", results[:1])]
    assert marks[0].to_plain()["results"][1] == {"title": "b", "points": 0, "out_of": 3, "reason": "=x\ty"}
    write_table(tmp_path / "marks.csv", marks, [Unmarked("=carla", "-1 is\nnothing"), Unmarked("d", "e")])
    assert (tmp_path / "marks.csv").read_text() == (
        "student,exercise,points,out_of,reasons\n'+anna,layer Relu,2,6,b: =x?y; c: z\n'@ben,'-x,2,2,\n"
        "'=carla,,0,,'-1 is?nothing\nd,,0,,e\n"
    )


def test_full_marks_are_green_and_others_yellow(monkeypatch):
    monkeypatch.setattr(grade_command, "styled", lambda text, colour="", *, bold=False: f"<{colour or bold} {text}>")
    results = [CheckResult("a", 2, 2), CheckResult("b", 3, 3)]
    assert _lines(Mark("anna", "layer Relu", "f", results)) == ["<True anna>  layer Relu  <green 5 of 5>"]
    results.append(CheckResult("c", 0, 4, "why"))
    expected = ["<True anna>  layer Relu  <yellow 5 of 9>", "  -4  c: why"]
    assert _lines(Mark("anna", "layer Relu", "f", results)) == expected
    results = [CheckResult(title, 0, 4, "why") for title in "ab"]
    expected = ["<True anna>  layer Relu  <yellow 0 of 8>", "  why"]
    assert _lines(Mark("anna", "layer Relu", "f", results)) == expected


def test_an_exercise_has_names_for_its_files():
    assert (find("layer", "BatchNorm").stem, find("spec", "first_flowers").stem) == ("batch_norm", "first_flowers")
    assert find("layer", "BatchNorm").mark == "# mlpkit exercise: layer BatchNorm"
