"""``mlpkit report``, and the report at the end of ``mlpkit run`` and ``mlpkit resume``."""

import json
import shutil
import subprocess
import sys

import pytest


@pytest.fixture
def reporting(monkeypatch):
    """Let runs end with a report, as they do outside these tests."""
    monkeypatch.delenv("MLPKIT_REPORT")


@pytest.fixture
def finished(cwd, invoke):
    """Return the folder of a finished run without a report."""
    assert invoke("run", "tiny.yaml", "--out", "runs/tiny", "--quiet").code == 0
    return cwd / "runs/tiny"


def test_a_run_ends_with_a_report(reporting, cwd, invoke):
    done = invoke("run", "tiny.yaml", "--out", "runs/tiny")

    assert done.code == 0
    assert done.out.splitlines()[-2:] == ["saved in runs/tiny", "report in runs/tiny/report.html"]
    assert "Confusion matrix" in (cwd / "runs/tiny/report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "variable", "there"),
    [((), "0", False), (("--no-report",), "1", False), (("--report",), "0", True), (("--quiet",), "1", True)],
)
def test_options_and_environment_say_whether(monkeypatch, cwd, invoke, options, variable, there):
    monkeypatch.setenv("MLPKIT_REPORT", variable)

    done = invoke("run", "tiny.yaml", "--out", "runs/tiny", *options)

    assert done.code == 0
    assert (cwd / "runs/tiny/report.html").exists() is there
    assert ("report" in done.out) is (there and "--quiet" not in options)


def test_without_the_extra_a_run_says_how_to_get_it_and_reads_nothing_for_a_report(reporting, monkeypatch, cwd, invoke):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    monkeypatch.setitem(sys.modules, "mlpkit.verbs.report.report", None)  # to import it is an error

    done = invoke("run", "tiny.yaml", "--out", "runs/tiny")

    assert done.code == 0
    assert done.err.splitlines() == [
        'note: no report.html: charts on a page need vl-convert; install it with: pip install "mlpkit[plot]"'
    ]
    assert not (cwd / "runs/tiny/report.html").exists()


def test_charts_are_prepared_before_the_report_of_a_run_is_computed(reporting, monkeypatch, invoke):
    done = []
    monkeypatch.setattr("mlpkit.pages.charts.prepare_charts", lambda: done.append("prepared"))
    monkeypatch.setattr("mlpkit.verbs.report.report.report", lambda *_, **options: done.append("computed"))

    invoke("run", "tiny.yaml", "--out", "runs/tiny")

    assert done == ["prepared", "computed"]


def test_a_report_that_fails_fails_no_run(reporting, monkeypatch, invoke):
    def fail(*given):
        raise RuntimeError("a page too many")

    monkeypatch.setattr("mlpkit.verbs.report.report.page", fail)

    done = invoke("run", "tiny.yaml", "--out", "runs/tiny")

    assert done.code == 0
    assert done.err.splitlines() == ["warning: no report.html: a page too many"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits addresses")
def test_a_limit_of_addresses_costs_the_report_and_not_the_run(reporting, cwd):
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30)); "
    program = [sys.executable, "-c", f"{limited}from mlpkit.cli.main import main; sys.exit(main())"]

    def run(*arguments):
        return subprocess.run([*program, *arguments], capture_output=True, text=True, check=False)

    done, again = run("run", "tiny.yaml", "--out", "runs/tiny"), run("report", "runs/tiny")

    reason = (
        "charts can't be drawn: the process of the chart library (vl-convert) ended by SIGTRAP; "
        "it needs more address space than ulimit -v allows; make the page without that limit: ulimit -v unlimited"
    )
    assert (done.returncode, done.stderr) == (0, f"warning: no report.html: {reason}\n")
    assert (cwd / "runs/tiny/model.safetensors").exists()
    assert (again.returncode, again.stderr) == (1, f"error: {reason}\n")


def test_json_says_nothing_of_the_report(reporting, cwd, invoke):
    done = invoke("run", "tiny.yaml", "--out", "runs/tiny", "--json")

    assert json.loads(done.out.splitlines()[-1])["event"] == "done"
    assert (cwd / "runs/tiny/report.html").exists()


def test_a_resumed_run_ends_with_a_report_and_a_finished_one_is_left_alone(reporting, cwd, invoke, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("MLPKIT_REPORT", "0")
        assert invoke("run", "tiny.yaml", "--out", "runs/tiny", "--set", "training.checkpoint={every: 2}").code == 0
    folder = cwd / "runs/tiny"
    idle = invoke("resume", "runs/tiny")
    there_before = (folder / "report.html").exists()
    (folder / "metrics.json").unlink()

    done = invoke("resume", "runs/tiny")

    assert not there_before
    assert "report" not in idle.out
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1] == "report in runs/tiny/report.html"


def test_the_verb(finished, cwd, invoke):
    assert invoke("report", "runs/tiny").out == "report in runs/tiny/report.html\n"
    assert json.loads(invoke("report", "runs/tiny", "--to", "a.html", "--json").out) == {"out": "a.html"}
    assert (cwd / "a.html").read_bytes()[:15] == b"<!doctype html>"


def test_what_is_no_run_and_what_is_damaged(finished, cwd, invoke):
    (finished / "history.jsonl").write_text("{nonsense\n")

    damaged, missing = invoke("report", "runs/tiny"), invoke("report", "runs/other")

    assert (damaged.code, missing.code) == (2, 2)
    assert "history.jsonl" in damaged.err
    assert "runs/other: no such folder" in missing.err


def test_a_folder_that_cannot_be_written_is_an_error(finished, invoke):
    done = invoke("report", "runs/tiny", "--to", "nowhere/a.html")

    assert done.code == 1
    assert "nowhere" in done.err


def test_comparisons_and_repetitions_pass_over_the_report(finished, cwd, invoke):
    shutil.copytree(finished, cwd / "runs/twin")
    invoke("report", "runs/tiny")

    compared, repeated = invoke("compare", "runs/tiny", "runs/twin"), invoke("repro", "runs/tiny")

    assert "report" not in compared.out + repeated.out
    assert "results, SHA-256: the same" in compared.out
    assert repeated.code == 0
