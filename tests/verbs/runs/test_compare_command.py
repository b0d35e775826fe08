"""``mlpkit compare``."""

from __future__ import annotations

import hashlib
import json

import pytest
from run_folders import made_up_run


@pytest.fixture
def two(cwd, invoke):
    """Run the tiny spec at two learning rates, into ``a`` and ``b``."""
    for name, rate in (("a", 0.1), ("b", 0.2)):
        assert invoke("run", "tiny.yaml", "--out", name, "--set", f"training.optimizer.learning_rate={rate}").code == 0


def test_a_table_of_what_differs(two, invoke):
    done = invoke("compare", "a", "b")
    assert (done.code, done.err) == (0, "")
    lines = [line.split() for line in done.out.splitlines()]
    assert lines[0] == ["a", "b"]
    assert lines[1:3] == [["spec"], ["training.optimizer.sgd.learning_rate", "0.1", "0.2"]]
    assert lines[3] == ["versions:", "the", "same"]
    assert lines[4] == ["curves,", "last", "values"]
    assert ["learning_rate", "0.1000", "0.2000"] in lines
    assert "test.loss" in [line[0] for line in lines if line]


def test_json(two, invoke):
    found = json.loads(invoke("compare", "a", "b", "a", "--json").out)
    assert found["runs"] == ["a", "b", "a"]
    assert found["spec"] == {"training.optimizer.sgd.learning_rate": [0.1, 0.2, 0.1]}
    assert found["versions"] == {}


def test_the_same(two, invoke):
    done = invoke("compare", "a", "a")
    assert [line.strip() for line in done.out.splitlines()[1:]] == [
        "spec: the same",
        "versions: the same",
        "curves, last values: the same",
        "metrics: the same",
        "results, SHA-256: the same",
    ]


def test_runs_that_are_not_finished_have_no_metrics_that_could_be_the_same(two, cwd, invoke):
    for name in ("a", "b"):
        (cwd / name / "metrics.json").unlink()
    assert "metrics: no run is finished" in map(str.strip, invoke("compare", "a", "b").out.splitlines())


def test_one_run_alone(two, invoke):
    done = invoke("compare", "a")
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: there is nothing to compare a with; give two run folders or more\n"


def test_a_narrow_terminal_shows_some_runs_below_the_others(two, terminal):
    screen = terminal("compare", "a", "b", "a", "b", columns=60, rows=80)
    assert screen.wait_for_end() == 0
    headings = [line.split() for line in screen.lines() if set(line.split()) <= {"a", "b"} and line]
    assert headings == [["a", "b"], ["a", "b"]]
    assert [line.split()[1:] for line in screen.lines() if "learning_rate" in line][::2] == [["0.1", "0.2"]] * 2


def test_checksums_are_shortened(two, cwd, invoke):
    row = next(line.split() for line in invoke("compare", "a", "b").out.splitlines() if "model.safetensors" in line)
    digests = [hashlib.sha256((cwd / run / "model.safetensors").read_bytes()).hexdigest() for run in ("a", "b")]
    assert row[1:] == [digest[:10] for digest in digests]


def test_checksums_among_the_versions_are_shortened(two, cwd, invoke):
    lock = json.loads((cwd / "a/lock.json").read_text())
    lock["numpy"] = 64 * "a"
    lock["plugins"] = {"mine": f"sha256 {64 * 'b'}"}
    (cwd / "a/lock.json").write_text(json.dumps(lock))
    out = invoke("compare", "a", "b").out
    assert 10 * "a" in out
    assert 11 * "a" not in out
    assert f"sha256 {10 * 'b'}" in out
    assert 11 * "b" not in out


@pytest.fixture
def groups(cwd):
    """Make runs of five seeds at three widths, of which the widest is plainly better."""
    for units, losses in ((10, (31, 28, 34, 30, 27)), (20, (30, 29, 33, 31, 28)), (40, (24, 22, 25, 21, 23))):
        for seed, loss in enumerate(losses):
            results = {"test": {"loss": loss / 100, "accuracy": 1 - loss / 200}}
            made_up_run(cwd / f"width-{units}/seed-{seed}", units=units, seed=seed, results=results)


def test_sides_of_several_runs_are_judged(groups, invoke):
    done = invoke("compare", "width-10", "width-20", "width-40")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].split() == ["width-10", "width-20", "width-40"]
    assert lines[1].split() == 3 * ["5", "runs"]
    assert "  layers.Affine1.Affine.units  10               20               40" in lines
    assert "  test.loss                    0.3000 ± 0.0340  0.3020 ± 0.0239  0.2300 ± 0.0196" in lines
    assert not any("SHA-256" in line for line in lines)
    at = next(i for i, line in enumerate(lines) if line.startswith("chance"))
    assert lines[at:] == [
        "chance: width-20 against width-10 (seed by seed, paired t-test, 95 %, p corrected for 4 comparisons by Holm's "
        "method)",
        "  test.loss      +0.0020  -0.0116 to +0.0156  may be chance, p 1",
        "  test.accuracy  -0.0010  -0.0078 to +0.0058  may be chance, p 1",
        "",
        "chance: width-40 against width-10 (seed by seed, paired t-test, 95 %, p corrected for 4 comparisons by Holm's "
        "method)",
        "  test.loss      -0.0700  -0.0963 to -0.0437  more than chance, p 0.0072",
        "  test.accuracy  +0.0350  +0.0218 to +0.0482  more than chance, p 0.0072",
    ]


def test_one_comparison_needs_no_correction(groups, invoke):
    out = invoke("compare", "width-10", "width-40", "--metric", "loss").out
    assert "\nchance: width-40 against width-10 (seed by seed, paired t-test, 95 %)\n" in out
    done = invoke("compare", "width-10", "width-40", "--metric", "f1")
    assert done.code == 2
    assert done.err == "error: no finished run has the metric f1; expected test.loss, test.accuracy\n"


def test_verdicts_as_json(groups, invoke):
    found = json.loads(invoke("compare", "width-10", "width-40", "--json").out)
    assert found["runs"] == ["width-10", "width-40"]
    assert found["members"][1] == [f"width-40/seed-{seed}" for seed in range(5)]
    assert found["metrics"]["test.loss"][0]["mean"] == pytest.approx(0.3)
    assert [verdict["beyond_chance"] for verdict in found["chance"]] == [True, True]
    assert list(found) == [
        *("runs", "spec", "versions", "results", "curves", "metrics", "finished", "members", "finished_members"),
        *("chance", "only_seeds", "too_few", "by", "without_groups"),
    ]
    assert (found["finished"], found["finished_members"], found["only_seeds"], found["results"]) == (
        10,
        [5, 5],
        False,
        {},
    )
    assert list(found["chance"][0]) == [
        *("metric", "first", "other", "difference", "low", "high", "p_value", "paired", "beyond_chance"),
    ]


def test_a_side_with_runs_that_are_not_finished_says_so(groups, cwd, invoke):
    (cwd / "width-20/seed-4/metrics.json").unlink()
    lines = invoke("compare", "width-10", "width-20").out.splitlines()
    assert lines[1].split("  ")[-1].strip() == "5 runs, 4 finished"
    assert any(line.startswith("chance: width-20 against width-10 (Welch's t-test, ") for line in lines)


def test_the_advice_to_train_with_several_seeds_works(cwd, invoke):
    for name, rate in (("slow one", 0.001), ("fast", 0.5)):
        settings = ("--set", f"training.optimizer.learning_rate={rate}", "--set", "training.iterations=20")
        assert invoke("run", "tiny.yaml", "--out", name, *settings).code == 0
    out = invoke("compare", "slow one", "fast").out
    assert "\nOne run each can't tell a better spec from a lucky seed. Train each with several seeds, as by " in out
    for name in ("slow one", "fast"):
        assert invoke("run", f"{name}/resolved.yaml", "--seeds", "2").code == 0
    assert (
        "\nchance: runs/tiny-2 against runs/tiny (seed by seed, " in invoke("compare", "runs/tiny", "runs/tiny-2").out
    )


def test_runs_that_differ_in_their_seeds_differ_by_chance(groups, invoke):
    out = invoke("compare", "width-10").out
    assert out.endswith("\nThe runs differ only in their seeds: all differences are chance.\n")


@pytest.mark.parametrize("width", [50, 80])
def test_verdicts_fit_a_narrow_terminal(width, groups, terminal):
    screen = terminal("compare", "width-10", "width-40", columns=width, rows=60)
    assert screen.wait_for_end() == 0
    text = " ".join(" ".join(screen.lines()).split())
    assert "corrected for 2 comparisons by Holm's method" in text
    assert "test.loss -0.0700 -0.0963 to -0.0437 more than chance, p 0.0036" in text


def test_a_page(groups, cwd, invoke):
    done = invoke("compare", "width-10", "width-40", "--html", "page.html")
    assert (done.code, done.out, done.err) == (0, "comparison in page.html\n", "")
    assert "3 specs" not in (cwd / "page.html").read_text()
    assert "<h1>2 specs compared</h1>" in (cwd / "page.html").read_text()
    assert json.loads(invoke("compare", "width-10", "width-40", "--html", "page.html", "--json").out) == {
        "out": "page.html"
    }
    done = invoke("compare", "width-10", "width-40", "--html", "nowhere/page.html")
    assert done.code == 1
    assert done.err.startswith("error: nowhere/page.html: can't be written: No such file or directory; ")


@pytest.fixture
def unlike(cwd):
    """Make two runs that have little in common, with long names."""
    table = {"confusion_matrix": [[1, 2], [3, 4]]}
    for name, loss, metric in (
        ("runs/a_classifier", "SoftmaxWithLoss", "accuracy"),
        ("runs/a_regressor", "Huber", "r2"),
    ):
        results = {"test": {"loss": 0.5, metric: 0.75, **(table if metric == "accuracy" else {})}}
        folder = made_up_run(cwd / name, name=name.partition("/")[2], results=results, losses=())
        for file in (folder / "spec.yaml", folder / "resolved.yaml"):
            text = file.read_text().replace("SoftmaxWithLoss", loss).replace("accuracy", metric)
            file.write_text(text.replace("{validation: 50}", f"{{directory: /somewhere/rather/far/away/{metric}}}"))
    return ["runs/a_classifier", "runs/a_regressor"]


def test_quite_different_runs_stand_beside_each_other_on_a_terminal(unlike, terminal):
    screen = terminal("compare", *unlike, columns=80, rows=60)
    assert screen.wait_for_end() == 0
    lines = [line.rstrip() for line in screen.lines()]
    assert lines[0].split() == unlike
    assert [line.split() for line in lines[1:8]] == [
        ["spec"],
        ["name", "a_classifier", "a_regressor"],
        ["data.mnist.directory", "/somewh…r/away/accuracy", "/somewh…her/far/away/r2"],
        ["layers.SoftmaxWithLoss1", "SoftmaxWithLoss", "-"],
        ["layers.Huber1", "-", "Huber"],
        ["training.metrics", "[accuracy]", "[r2]"],
        ["versions:", "the", "same"],
    ]


def test_tables_are_left_out(unlike, invoke):
    assert "confusion_matrix" not in invoke("compare", *unlike).out
    found = json.loads(invoke("compare", *unlike, "--json").out)
    assert found["metrics"] == {"test.accuracy": [0.75, None], "test.r2": [None, 0.75]}
    assert found["spec"]["training.metrics"] == [["accuracy"], ["r2"]]
    assert found["spec"]["data.mnist.directory"][1] == "/somewhere/rather/far/away/r2"
