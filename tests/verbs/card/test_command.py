"""``mlpkit card``, and ``--card`` at the end of a run."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.fixture
def finished(cwd, invoke):
    """Return the folder of a finished run."""
    assert invoke("run", "tiny.yaml", "--out", "run", "--quiet").code == 0
    assert not list((cwd / "run").glob("card*"))
    return cwd / "run"


def test_it_says_where_the_card_is_and_what_is_left_to_do(finished, invoke, cwd):
    done = invoke("card", "run")
    assert (done.code, done.err) == (0, "")
    assert done.out == "card in run/card.md; 8 questions to be answered under about: in the spec\n"
    (cwd / "about.yaml").write_text("about: {license: mit, authors: We}")
    done = invoke("card", "run", "--about", "about.yaml", "--out", "README.md", "--json")
    found = json.loads(done.out)
    assert (done.code, found["out"], len(found["questions"])) == (0, "README.md", 6)
    assert "**Authors:** We\n" in (cwd / "README.md").read_text()
    assert json.loads((cwd / "README.json").read_text())["questions"] == found["questions"]


def test_it_is_written_at_the_end_of_a_run_that_asks_for_it(cwd, invoke):
    done = invoke("run", "tiny.yaml", "--out", "run", "--card", "--set", "about.license=mit")
    assert done.code == 0
    assert done.out.endswith("card in run/card.md; 7 questions to be answered under about: in the spec\n")
    first = (cwd / "run/card.md").read_bytes()
    assert b"license: mit\n" in first
    assert invoke("card", "run").code == 0
    assert (cwd / "run/card.md").read_bytes() == first
    done = invoke("run", "tiny.yaml", "--out", "quiet", "--card", "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert (cwd / "quiet/card.md").exists()
    done = invoke("run", "tiny.yaml", "--seeds", "2", "--out", "seeds", "--card", "--quiet")
    assert (done.code, done.err.partition(": ")[0]) == (0, "warning")
    assert (
        "no card.md: seeds: holds the runs of several seeds; give one of them: seeds/seed-0, seeds/seed-1" in done.err
    )


def test_what_is_no_finished_run_is_refused_with_advice(cwd, invoke, finished):
    (finished / "metrics.json").unlink()
    done = invoke("card", "run")
    assert done.code == 2
    assert "run: holds no metrics.json: the run is not finished; " in done.err
    assert not (finished / "card.md").exists()
    done = invoke("card", "missing")
    assert (done.code, "no such folder" in done.err) == (2, True)
    done = invoke("card", "missing", "--out", "nowhere/card.md")  # refused before the run is read
    assert (done.code, done.err.partition(": No such")[0]) == (1, "error: nowhere/card.md: can't be written")


def test_nothing_about_cards_is_loaded_by_a_run_that_asks_for_none(cwd):
    code = (
        "import sys, mlpkit.cli.main\n"
        "sys.argv = ['mlpkit', 'run', 'tiny.yaml', '--out', 'run', '--quiet']\n"
        "try: mlpkit.cli.main.main()\n"
        "except SystemExit as end: print(end.code)\n"
        "print(*(name for name in sys.modules if name.startswith('mlpkit.verbs.card')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=cwd)
    assert done.stdout.split() == ["0", "mlpkit.verbs.card", "mlpkit.verbs.card.section"]


def test_runs_that_differ_in_what_is_told_of_them_are_of_one_kind(cwd, invoke):
    for name, told in (("first", "mit"), ("second", "apache-2.0")):
        assert invoke("run", "tiny.yaml", "--out", name, "--quiet", "--set", f"about.license={told}").code == 0
    digests = {json.loads((cwd / name / "run.json").read_text())["digest"] for name in ("first", "second")}
    assert len(digests) == 1
    assert "license: apache-2.0" in (cwd / "second/resolved.yaml").read_text()
    assert (cwd / "first/metrics.json").read_bytes() == (cwd / "second/metrics.json").read_bytes()
