"""``mlpkit init``."""

from __future__ import annotations

import json
import resource
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from mlpkit.errors import StorageError
from mlpkit.specfile.shipped_specs import shipped_lessons, shipped_specs
from mlpkit.verbs.init.first_spec import copy_shipped


def test_without_a_name_the_shipped_specs_are_listed(invoke):
    done = invoke("init")
    assert done.code == 0
    assert done.err.startswith("for your own data: mlpkit init --data FILE")
    assert [line.split()[0] for line in done.out.splitlines()] == [*shipped_specs(), *shipped_lessons()]


def test_json_has_what_is_printed(cwd, invoke):
    found = json.loads(invoke("init", "--json").out)
    assert [*found["specs"]] == [*shipped_specs(), *shipped_lessons()]
    assert "tabm" in found["recipes"]
    assert json.loads(invoke("init", "mnist_3layer", "--json").out) == {"spec": "mnist_3layer.mlpkit.yaml"}

    (cwd / "t.csv").write_text("a,b,c\n" + "".join(f"{i},{i * i % 7},{'xy'[i % 2]}\n" for i in range(60)))
    first, again = ("init", "--data", "t.csv", "--target", "c"), ("--out", "again.yaml")
    found, printed = json.loads(invoke(*first, "--json").out), invoke(*first, *again).out.splitlines()
    assert (found["spec"], (cwd / "t.mlpkit.yaml").read_text()) == ("t.mlpkit.yaml", (cwd / "again.yaml").read_text())
    decisions = [" ".join(words) for words in found["decisions"]]
    assert decisions == [" ".join(line.split()) for line in printed[1 : 1 + len(decisions)]]
    assert found["next"][0] == "mlpkit run t.mlpkit.yaml"


def test_a_spec_is_listed_with_the_comment_that_it_begins_with(tmp_path, invoke, monkeypatch):
    (tmp_path / "a.yaml").write_text("# A network to begin with.\nmlpkit: 1\n")
    (tmp_path / "bcd.yaml").write_text("mlpkit: 1  # no comment of the whole\n")
    found = {"a": tmp_path / "a.yaml", "bcd": tmp_path / "bcd.yaml"}
    monkeypatch.setattr("mlpkit.verbs.init.first_spec.shipped_specs", lambda: found)
    monkeypatch.setattr("mlpkit.verbs.init.first_spec.shipped_lessons", dict)
    assert invoke("init").out == "a    A network to begin with.\nbcd\n"


def test_a_shipped_spec_is_copied_letter_by_letter(cwd, invoke):
    done = invoke("init", "mnist_3layer")
    assert (done.code, done.out) == (0, "mnist_3layer.mlpkit.yaml\n")
    assert done.err == "train it with: mlpkit run mnist_3layer.mlpkit.yaml\n"
    assert (cwd / "mnist_3layer.mlpkit.yaml").read_bytes() == shipped_specs()["mnist_3layer"].read_bytes()
    assert invoke("check", "mnist_3layer.mlpkit.yaml").code == 0


def test_a_folder_of_lessons_is_copied_and_its_scripts_run_there(cwd, invoke):
    done = invoke("init", "from_scratch", "--to", "my lessons")
    assert (done.code, done.out) == (0, "my lessons\n")
    scripts = [shlex.split(line)[1] for line in done.err.splitlines()[1:]]
    assert {path.stem for path in map(Path, scripts)} == {path.stem for path in (cwd / "my lessons").glob("*.yaml")}
    (copied,) = shipped_lessons().values()
    for path in (cwd / "my lessons").iterdir():
        assert path.read_bytes() == (copied / path.name).read_bytes()

    command = [sys.executable, "my lessons/gradient_check.py", "--set", "layers.Affine1.units=2"]
    subprocess.run(command, check=True, timeout=120, capture_output=True)
    assert "python &#x27;my lessons/gradient_check.py&#x27; --set dtype=float32" in Path(
        "gradient_check.html"
    ).read_text("utf-8")
    assert invoke("init", "from_scratch", "--to", "my lessons").code == 2
    assert invoke("init", "from_scratch", "--to", "nowhere/lessons").code == 1


def test_a_folder_of_lessons_is_copied_without_what_is_about_the_repository(cwd, invoke, monkeypatch):
    (cwd / "shipped/sums/more").mkdir(parents=True)
    for name in ("b.py", "b.yaml", "a.yaml", "a.py", "c.yaml", "lesson.py", "a.md", "README.md", "more/d.py"):
        (cwd / "shipped/sums" / name).write_text(f"# {name}")
    monkeypatch.setattr("mlpkit.verbs.init.first_spec.shipped_lessons", lambda: {"sums": cwd / "shipped/sums"})
    done = invoke("init", "sums", "--out", "my sums")
    assert (done.code, done.out) == (0, "my sums\n")
    assert done.err == "each script writes a page:\n  python 'my sums/a.py'\n  python 'my sums/b.py'\n"
    found = {path.name: path.read_text() for path in (cwd / "my sums").iterdir()}
    assert found == {name: f"# {name}" for name in ("a.md", "a.py", "a.yaml", "b.py", "b.yaml", "c.yaml", "lesson.py")}
    assert invoke("init", "sums").out == "sums\n"
    done = invoke("init", "sums")
    assert (done.code, done.err) == (2, "error: sums exists already; choose another name with --out\n")
    done = invoke("init", "sums", "--out", "nowhere/sums")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: nowhere/sums: can't be created: No such file or directory")
    done = invoke("init", "sum")
    assert (done.code, done.err) == (2, "error: no shipped spec is called 'sum'; did you mean 'sums'?\n")
    assert json.loads(invoke("init", "sums", "--out", "again", "--json").out) == {"spec": "again"}
    assert invoke("init").out.splitlines()[-1].split(maxsplit=1) == [
        "sums", "A folder of specs, each with a script that makes a page."
    ]  # fmt: skip


def test_an_existing_file_is_never_overwritten(cwd, invoke):
    done = invoke("init", "mnist_3layer", "--to", "tiny.yaml")
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: tiny.yaml exists already; choose another name with --out\n"
    assert (cwd / "tiny.yaml").read_text().startswith("mlpkit: 1\nname: tiny\n")


def test_a_spec_that_can_not_be_written_leaves_no_file(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(StorageError, match=r"tiny.yaml: can't be written: File too large; "):
            copy_shipped("mnist_3layer", tmp_path / "tiny.yaml")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_an_error(invoke):
    assert invoke("init", "mnist_3layer", "--to", "nowhere/x.yaml").code == 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["mnist3layer"], "error: no shipped spec is called 'mnist3layer'; did you mean 'mnist_3layer'?\n"),
        (
            ["mnist"],
            "error: no shipped spec is called 'mnist'; shipped: mnist_3layer, mnist_98, mnist_99, mnist_augmented, "
            "mnist_fast, mnist_lenet, mnist_residual\n",
        ),
        (["--to", "x.yaml"], "error: --out needs NAME"),
    ],
)
def test_wrong_usage(arguments, expected, invoke):
    done = invoke("init", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(expected)
