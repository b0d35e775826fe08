"""A study: a folder with runs of any specs, and notes on them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from requirements import require_package

from mlpkit.runs.kinds import STUDY_FOLDER, kind_of

KEPT = Path(__file__).parents[1] / "run_folders/folders"


@pytest.fixture
def study(cwd):
    """Return a study in the current folder, with a finished run, a stopped one and the runs of seeds."""
    for name in ("plants.csv", "plants.yaml"):
        shutil.copy(KEPT / name, cwd)
    for name in ("one", "stopped", "seeds"):
        shutil.copytree(KEPT / "kept" / name, cwd / "study" / name)
    (cwd / "study/study.md").write_text("Which is <best>?\n")
    return cwd / "study"


@pytest.mark.filterwarnings("ignore")
def test_resume_goes_on_with_what_is_not_finished(study, invoke):
    assert kind_of(study) is STUDY_FOLDER
    finished = (study / "one/metrics.json").stat().st_mtime_ns
    assert invoke("resume", "study", "--quiet").code == 0
    assert (study / "stopped/metrics.json").is_file()
    assert (study / "one/metrics.json").stat().st_mtime_ns == finished


@pytest.mark.filterwarnings("ignore")
def test_a_run_that_fails_leaves_the_others_alone(study, invoke):
    shutil.copytree(study / "stopped", study / "broken")
    (study / "broken/resolved.yaml").write_text("mlpkit: 1\n")
    done = invoke("resume", "study", "--quiet")
    assert (done.code, "study/broken" in done.err) == (2, True)
    assert (study / "stopped/metrics.json").is_file()


@pytest.mark.filterwarnings("ignore")
def test_evaluate_prints_the_results_of_finished_runs(study, invoke):
    found = json.loads(invoke("evaluate", "study", "--json").out)
    assert list(found) == ["one", "seeds/seed-3", "seeds/seed-4"]
    assert found["one"] == json.loads(invoke("evaluate", "study/one", "--json").out)
    lines = [line.split() for line in invoke("evaluate", "study", "--split", "test").out.splitlines()]
    assert lines[0][:3] == ["run", "split", "loss"]
    assert [line[:2] for line in lines[1:]] == [[name, "test"] for name in found]


def test_none_is_finished(study, invoke):
    for name in ("one", "seeds"):
        shutil.rmtree(study / name)
    assert "none of its runs is finished; go on with: mlpkit resume study" in invoke("evaluate", "study").err


def test_compare_and_report_take_its_runs(study, invoke):
    require_package("vl_convert")
    assert "study/one" in invoke("compare", "study").out
    assert invoke("report", "study").code == 0
    page = (study / "report.html").read_text()
    assert [text for text in ("Which is &lt;best&gt;?", "seeds/seed-3", "stopped") if text not in page] == []
