"""``mlpkit runs``."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from run_folders import made_up_run

from mlpkit.groups.list_runs import in_order, runs_listed
from mlpkit.runs.writer_lock import WriterLock
from mlpkit.verbs.runs.runs_command import lines_of


def results(accuracy):
    return {"validation": {"loss": 1 - accuracy, "accuracy": accuracy}, "test": {"loss": 0.5, "accuracy": 0.8}}


@pytest.fixture
def runs(cwd):
    """Make run folders of every kind in ``runs``."""
    folder = cwd / "runs"
    made_up_run(folder / "first", results=results(0.9))
    made_up_run(folder / "stopped", losses=[0.5], name="other")
    made_up_run(folder / "diverged", losses=(), failure={"state": "diverged", "steps": 3, "message": "it was infinite"})
    made_up_run(folder / "damaged")
    (folder / "damaged/resolved.yaml").unlink()
    for seed in range(3):
        made_up_run(folder / f"seeds/seed-{seed}", seed=seed, results=results(0.9 + seed / 100))
    return folder


def rows(out):
    return [re.split(r"  +", line) for line in out.splitlines()]


def test_a_line_for_each_run(runs, invoke):
    done = invoke("runs", "--sort", "name")
    assert (done.code, done.err) == (0, "")
    title, *found = rows(done.out)
    assert title == ["run", "state", "steps", "loss", "accuracy", "age", "spec", "test loss", "test accuracy"]
    assert [row[:2] for row in found[:5]] == [
        ["runs/damaged", "damaged"],
        ["runs/diverged", "diverged"],
        ["runs/first", "finished"],
        ["runs/seeds", "finished 3/3"],
        ["runs/stopped", "stopped"],
    ]
    assert found[2][2:5] == ["200/200", "0.1000", "0.9000"]
    assert found[2][6:] == ["made_up", "0.5000", "0.8000"]
    assert found[3][2:5] == ["600/600", "0.0900 ± 0.0248", "0.9100 ± 0.0248"]  # t = 4.303, s = 0.01, n = 3
    assert found[4][2:5] == ["100/200", "0.5000", "0.7500"]
    assert done.out.endswith("\nruns/damaged: holds no resolved.yaml; restore it from a copy, or start a new run\n")


def test_real_runs(cwd, invoke):
    assert invoke("run", "tiny.yaml", "--quiet").code == 0
    assert invoke("run", "tiny.yaml", "--set", "training.optimizer.learning_rate=1e30").code == 1
    found = [json.loads(line) for line in invoke("runs", "--json", "--sort", "name").out.splitlines()]
    assert [(run["directory"], run["state"], run["steps"]) for run in found] == [
        ("runs/tiny", "finished", 4),
        ("runs/tiny-2", "diverged", 1),
    ]
    assert found[0]["metrics"] == json.loads((cwd / "runs/tiny/metrics.json").read_text())
    assert found[1]["problem"].startswith("training diverged: ")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", found[0]["began"])


def test_the_means_of_seeds_as_json(runs, invoke):
    (found,) = [json.loads(line) for line in invoke("runs", "--json", "--sort", "name").out.splitlines()][3:4]
    assert found["directory"] == "runs/seeds"
    assert found["means"]["accuracy"]["mean"] == pytest.approx(0.91)
    assert [run["seed"] for run in found["runs"]] == [0, 1, 2]
    assert list(found) == ["directory", "state", "spec", "means", "runs"]
    assert list(found["means"]) == ["loss", "accuracy", "test_loss", "test_accuracy"]
    assert found["means"]["accuracy"] == pytest.approx(
        {"n": 3, "mean": 0.91, "std": 0.01, "low": 0.91 - 0.0248414, "high": 0.91 + 0.0248414, "level": 0.95}
    )
    first = found["runs"][0]
    assert list(first)[:6] == ["directory", "state", "problem", "spec", "seed", "began"]
    assert list(first)[6:] == ["changed", "steps", "total", "last", "metrics"]
    assert (first["state"], first["steps"], first["total"], first["metrics"]) == ("finished", 200, 200, results(0.9))


def test_runs_of_several_seeds_are_opened(runs, invoke):
    found = rows(invoke("runs", "runs/seeds", "--sort", "accuracy").out)
    assert [row[0] for row in found[1:]] == [f"runs/seeds/seed-{seed}" for seed in (2, 1, 0)]


def test_one_run_alone_says_what_went_wrong(runs, invoke):
    assert invoke("runs", "runs/diverged").out.endswith("\n\nit was infinite\n")
    assert "it was infinite" not in invoke("runs").out


def test_filters(runs, invoke):
    found = rows(invoke("runs", "--state", "stopped", "--state", "diverged", "--sort", "state").out)
    assert [row[0] for row in found[1:]] == ["runs/diverged", "runs/stopped"]
    found = rows(invoke("runs", "--spec", "oth*").out)
    assert [row[0] for row in found[1:3]] == ["runs/stopped"]
    done = invoke("runs", "--spec", "nothing")
    assert (done.code, done.out, done.err) == (0, "", "runs: no such run\n")


def test_no_runs_yet(cwd, invoke):
    done = invoke("runs")
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: runs: no such folder yet; mlpkit run SPEC creates it, or name another\n"
    (cwd / "runs").mkdir()
    assert invoke("runs").err == "runs: no runs\n"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--sort", "f1"], "error: --sort f1: no run has such a value; expected age, name, "),
        (
            ["--watch"],
            "--watch draws on a terminal, and standard output isn't one; leave it out, or use --json\n",
        ),
        (["--watch", "--json"], "error: --watch and --json can't both be given\n"),
        (["--state", "done"], "Error: Invalid value for '--state': 'done' is not one of 'running', "),
    ],
)
def test_wrong_usage(runs, invoke, options, error):
    done = invoke("runs", *options)
    assert (done.code, done.out != "") == (2, "--json" in options)
    assert error in done.err


@pytest.mark.parametrize("width", [50, 80, 120])
def test_a_terminal_has_as_many_columns_as_fit(width, runs, cwd, terminal):
    made_up_run(cwd / "runs/a_run_with_a_name_that_is_longer_than_a_narrow_terminal", results=results(0.95))
    screen = terminal("runs", "--sort", "name", columns=width, rows=40)
    assert screen.wait_for_end() == 0
    lines = screen.lines()
    title, *found = lines[:7]
    assert all(line.startswith("runs/") for line in found), lines
    assert [line.split()[1] for line in found][:3] == ["finished", "damaged", "diverged"]
    columns = {50: ["loss"], 80: ["loss", "spec"], 120: ["steps", "loss", "accuracy", "age", "spec"]}
    assert title.split() == ["run", "state", *columns[width]]
    assert any(line.startswith("hidden, since the terminal is too narrow: ") for line in lines)
    assert "0.0900 ± 0.0248" in "\n".join(lines)


def test_columns_are_left_out_one_by_one_the_least_important_first(runs):
    made_up_run(runs / "a_run_with_a_name_of_40_characters_or_so", results=results(0.95))
    entries = in_order(runs_listed(Path("runs")), "name")

    def at(width):
        lines = [re.sub(r"\U0010ffff\[\d*m", "", line) for line in lines_of(entries, width)]
        return lines[: len(entries) + 1], " ".join(lines[len(entries) + 1 :])

    hidden, widest = [], {}
    for width in range(180, 29, -1):
        table, below = at(width)
        text = below.partition("hidden, since the terminal is too narrow: ")[2]
        names = text.partition("; --json")[0].split(", ") if text else []
        hidden += [name for name in names if name not in hidden]
        widest.setdefault(len(names), width)
        assert len(names) == 7 or max(map(len, table)) <= width
    assert hidden == ["test accuracy", "test loss", "steps", "age", "accuracy", "spec", "loss"]
    longest = max(len(str(entry.directory)) for entry in entries)
    beside = max(map(len, at(None)[0])) - longest
    assert widest[1] == next(width for width in range(180, 0, -1) if min(longest, width // 3) + beside > width)
    assert at(50)[0][1].split()[0] == "runs/a…acters_or_so"


def test_steps_are_out_of_all_if_their_number_is_known(cwd, invoke):
    made_up_run(cwd / "runs/a", length="iterations: 2000", losses=[0.5] * 12)
    made_up_run(cwd / "runs/b", length="seconds: 9", losses=[0.5] * 12)
    made_up_run(cwd / "runs/c", length="seconds: 9", losses=())
    title, *found = invoke("runs", "--sort", "name").out.splitlines()
    end = title.index("steps") + len("steps")
    assert [line[:end].split()[2:] for line in found] == [["1,200/2,000"], ["1,200"], []]


def test_states_have_colours(runs, terminal):
    screen = terminal("runs", columns=120, rows=40)
    assert screen.wait_for_end() == 0
    assert "\x1b[32mfinished" in screen.raw
    assert "\x1b[31mdiverged" in screen.raw


def test_runs_are_watched_until_ctrl_c(cwd, terminal):
    (cwd / "runs").mkdir()
    screen = terminal("runs", "--watch", columns=100, rows=12)
    screen.wait_until_shown("no runs yet")
    made_up_run(cwd / "runs/earlier", results=results(0.9))
    screen.wait_until_shown("runs/earlier")
    lock = WriterLock(made_up_run(cwd / "runs/now") / ".lock")
    lock.acquire()
    screen.wait_until_shown("running")
    lock.release()
    screen.wait_until_shown("stopped")
    screen.child.sendintr()
    assert screen.wait_for_end() == 130
    assert "Traceback" not in screen.raw
    assert [line.split()[:2] for line in screen.lines() if "runs/" in line] == [
        ["runs/now", "stopped"],
        ["runs/earlier", "finished"],
    ]


def test_runs_are_listed_without_numpy(cwd, environment):
    for number in range(20):
        made_up_run(cwd / f"runs/{number}", seed=number, results=results(0.9))
    command = [sys.executable, "-X", "importtime", "-m", "mlpkit", "runs"]
    done = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 21
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not loaded & {"numpy", "pluggy", "rich"}


def test_what_most_runs_have_has_room_first(cwd, terminal):
    for name, metric in (("a", "accuracy"), ("b", "r2"), ("c", "r2")):
        folder = made_up_run(cwd / "runs" / name, results={"validation": {"loss": 0.5, metric: 0.5}})
        history = (folder / "history.jsonl").read_text()
        (folder / "history.jsonl").write_text(history.replace("accuracy", metric))
    screen = terminal("runs", columns=60)
    assert screen.wait_for_end() == 0
    assert screen.lines()[0].split()[:5] == ["run", "state", "steps", "loss", "r2"]


def test_the_age_is_the_time_since_a_run_began(cwd, monkeypatch):
    made_up_run(cwd / "runs/a")
    (entry,) = runs_listed(Path("runs"))
    monkeypatch.setattr("time.time", lambda: entry.began + 7200.0)
    _, line = lines_of([entry], None)
    assert line.partition("made_up")[0].split()[-2:] == ["2", "h"]
