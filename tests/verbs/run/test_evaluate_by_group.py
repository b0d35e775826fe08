"""``--by`` of ``mlpkit evaluate``, ``report`` and ``compare``: loss and metrics of groups of rows."""

from __future__ import annotations

import json
import re
from importlib.resources import files

import pytest
from html_tables import rows_of

SPEC = """\
mlpkit: 1
name: flowers
data: {csv: {file: "example:flowers.csv", target: species, ignore: [soil], missing: fill, test: 0.5}}
layers: [Affine: {units: 3}, SoftmaxWithLoss]
training: {optimizer: {sgd: {learning_rate: 0.1}}, epochs: 2, metrics: [accuracy]}
"""
CELL = re.compile(r"\d\.\d{4} \(\d\.\d{4} to \d\.\d{4}\)( \*)?|\d\.\d{4}, too few rows")


@pytest.fixture
def run(cwd, invoke):
    (cwd / "flowers.yaml").write_text(SPEC)
    assert invoke("run", "flowers.yaml", "--quiet").code == 0
    return "runs/flowers"


def test_a_table_for_each_split_and_column(run, invoke):
    done = invoke("evaluate", run, "--by", "soil", "--by", "species", "--split", "test")
    assert (done.code, done.err) == (0, "")
    _, *tables, note = done.out.rstrip().split("\n\n")
    assert [table.splitlines()[0] for table in tables] == ["test by soil", "test by species"]
    for table in tables:
        heading, *rows = (re.split(r"\s{2,}", line.strip()) for line in table.splitlines()[1:])
        assert heading[1:] == ["rows", "loss", "accuracy"]
        assert rows[0][0] == "all rows"
        assert sum(int(row[1]) for row in rows[1:]) == int(rows[0][1])
        assert all(CELL.fullmatch(cell) for row in rows for cell in row[2:])
    assert note == "In brackets, 95 % intervals; * marks those that don't overlap that of all rows."


def test_json_has_it_below_the_split(run, invoke):
    plain, grouped = (
        json.loads(invoke("evaluate", run, *by, "--split", "test", "--json").out)["test"]
        for by in ((), ("--by", "soil"))
    )
    found = grouped.pop("by")
    assert grouped == plain
    assert list(found) == ["whole", "columns"]
    assert {name: each["value"] for name, each in found["whole"]["metrics"].items()} == plain
    assert set(found["columns"]["soil"]) == {"clay", "peat", "sand"}


def test_an_interval_apart_from_that_of_all_rows_is_marked(run, invoke):
    found = json.loads(invoke("evaluate", run, "--by", "species", "--split", "test", "--json").out)["test"]["by"]
    out = invoke("evaluate", run, "--by", "species", "--split", "test").out
    whole, marks = found["whole"]["metrics"], set()
    for name, group in found["columns"]["species"].items():
        line = next(line for line in out.splitlines() if line.startswith(f"  {name} "))
        apart = [
            each["low"] is not None and (each["low"] > whole[key]["high"] or each["high"] < whole[key]["low"])
            for key, each in group["metrics"].items()
        ]
        assert line.count("*") == sum(apart)
        marks.update(apart)
    assert marks == {True, False}


def test_an_unknown_column_is_wrong_usage(run, invoke):
    done = invoke("evaluate", run, "--by", "siol")
    assert (done.code, done.out) == (2, "")
    assert "the data has no column 'siol'; did you mean 'soil'?" in done.err


def test_data_without_columns_has_no_groups(cwd, invoke):
    assert invoke("run", "tiny.yaml", "--quiet").code == 0
    done = invoke("evaluate", "runs/tiny", "--by", "sex")
    assert (done.code, done.out) == (2, "")
    assert "has no named columns to group rows by" in done.err


def test_the_key_by_is_checked_at_its_line_and_is_the_default(cwd, invoke):
    (cwd / "flowers.yaml").write_text(f"{SPEC}by: [soil, specie]\n")
    done = invoke("check", "flowers.yaml")
    assert done.code == 2
    assert "flowers.yaml:6:12: the data has no column 'specie'" in done.err
    assert "help: did you mean 'species'?" in done.err
    (cwd / "flowers.yaml").write_text(f"{SPEC}by: [soil]\n")
    assert invoke("run", "flowers.yaml", "--quiet").code == 0
    assert "test by soil" in invoke("evaluate", "runs/flowers").out
    assert "test by species" in invoke("evaluate", "runs/flowers", "--by", "species").out
    assert "data by soil" in invoke("evaluate", "runs/flowers", "--data", "example:flowers.csv").out
    assert invoke("report", "runs/flowers").code == 0
    assert ">By group</h2>" in (cwd / "runs/flowers/report.html").read_text()


def test_seeds_have_means_and_intervals_over_the_runs(cwd, invoke):
    (cwd / "flowers.yaml").write_text(SPEC)
    assert invoke("run", "flowers.yaml", "--quiet", "--seeds", "3").code == 0
    out = invoke("evaluate", "runs/flowers", "--by", "soil", "--split", "test").out
    found = json.loads(invoke("evaluate", "runs/flowers", "--by", "soil", "--split", "test", "--json").out)["seeds"]
    values = [each["test"]["by"]["columns"]["soil"]["clay"]["metrics"]["loss"]["value"] for each in found.values()]
    line = next(line for line in out.splitlines() if line.startswith("  clay "))
    assert f"{sum(values) / 3:.4f} (" in line
    assert "Means over the seeds" in out
    files = [
        invoke("evaluate", f"runs/flowers{run}", "--data", "example:flowers.csv", "--json").out
        for run in ("", "/seed-1")
    ]
    of_file, alone = map(json.loads, files)
    assert of_file["seeds"]["1"] == alone
    done = invoke("report", "runs/flowers", "--by", "soil")
    assert (done.code, done.out) == (2, "")
    assert "holds the runs of several seeds; give one run" in done.err


def test_a_report_has_what_evaluate_prints(run, cwd, invoke):
    assert invoke("report", run, "--by", "soil").code == 0
    page = (cwd / run / "report.html").read_text()
    section = page.partition('<section aria-labelledby="by-group">')[2].partition("</section>")[0]
    out = invoke("evaluate", run, "--by", "soil", "--split", "test").out
    printed = [re.split(r"\s{2,}", line.strip()) for line in out.split("\n\n")[1].splitlines()[1:]]
    assert rows_of(section) == printed
    assert invoke("report", run).code == 0
    assert ">By group</h2>" not in (cwd / run / "report.html").read_text()


def test_a_report_by_an_unknown_column_is_an_error_and_is_not_written(run, cwd, invoke):
    done = invoke("report", run, "--by", "sol")
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: the data has no column 'sol'; did you mean 'soil'?\n"
    assert not (cwd / run / "report.html").exists()


def test_compare_puts_the_groups_of_runs_next_to_each_other(run, cwd, invoke):
    assert invoke("run", "flowers.yaml", "--quiet", "--out", "other", "--set", "training.epochs=3").code == 0
    done = invoke("compare", run, "other", "--by", "soil")
    assert done.code == 0
    lines = [
        re.split(r"\s{2,}", line.strip()) for line in done.out.partition("by soil, rows of test\n")[2].splitlines()
    ]
    found = json.loads(invoke("compare", run, "other", "--by", "soil", "--json").out)["by"]
    assert [side["split"] for side in found] == ["test", "test"]
    for name in ("clay", "sand"):
        cells = next(line for line in lines if line[0] == f"{name}: loss")[1:]
        values = [side["columns"]["soil"][name]["metrics"]["loss"]["value"] for side in found]
        assert [cell.partition(" ")[0] for cell in cells] == [f"{value:.4f}" for value in values]
    assert json.loads(invoke("compare", run, "other", "--json").out)["by"] == []
    assert "by soil" not in invoke("compare", run, "other").out
    assert invoke("compare", run, "other", "--by", "soil", "--html", "page.html").code == 0
    section = (cwd / "page.html").read_text().partition('<section aria-labelledby="by-group">')[2]
    headings, *rows = rows_of(section.partition("</section>")[0])
    assert headings[0] == "group"
    assert rows == lines[: len(rows)]
    assert len(rows) == (1 + len(found[0]["columns"]["soil"])) * len(found[0]["whole"]["metrics"])


def test_compare_takes_the_columns_that_all_specs_name(cwd, invoke):
    text = SPEC.replace("example:flowers.csv", "flowers.csv")
    (cwd / "flowers.csv").write_bytes((files("mlpkit_plugins") / "datasets/example_files/flowers.csv").read_bytes())
    for name, by in (("a", "[soil, species]"), ("b", "[soil]"), ("c", "[species]")):
        (cwd / f"{name}.yaml").write_text(f"{text}by: {by}\n".replace("name: flowers", f"name: {name}"))
        assert invoke("run", f"{name}.yaml", "--quiet").code == 0
    given = json.loads(invoke("compare", "runs/a", "runs/b", "--by", "soil", "--json").out)["by"]
    assert json.loads(invoke("compare", "runs/a", "runs/b", "--json").out)["by"] == given
    assert json.loads(invoke("compare", "runs/b", "runs/c", "--json").out)["by"] == []
    (cwd / "flowers.csv").unlink()
    done = invoke("compare", "runs/a", "runs/b")
    assert (done.code, done.err) == (0, "")
    assert "\nGroups of rows are left out: " in done.out
    assert "flowers.csv" in done.out.partition("Groups of rows are left out: ")[2].partition("\n")[0]
    assert invoke("compare", "runs/a", "runs/b", "--by", "soil").code != 0
