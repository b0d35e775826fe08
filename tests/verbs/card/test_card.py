"""Cards of runs: every number is traced to the file that the card names, and checked against that file."""

from __future__ import annotations

import csv
import hashlib
import json
import random
import re
import shutil
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from requirements import require_package
from tiny_work import fill

import mlpkit
import mlpkit_plugins
from mlpkit.specfile.shipped_specs import shipped_specs
from mlpkit.terminal.figures import figure
from mlpkit.verbs.card.card import Code, Part, cell, markdown, text, write_card

PLUGINS = {"plugins": (), "blocked": ()}
NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?(?:e-?\d+)?")
WORDS_OF_NUMBERS = {"95", "10"}
"""In the card's own words: the level of intervals, and what counts as few rows of a class."""
TABLE = {
    "mlpkit": 1,
    "name": "loans",
    "data": {"csv": {"file": "example:loans.csv", "target": "paid_back", "categorical": ["purpose"], "test": 0.2}},
    "layers": [{"Affine": {"units": 4}}, "Relu", {"Affine": {"units": 1}}, "SigmoidWithLoss"],
    "training": {"optimizer": {"adam": {}}, "iterations": 60, "evaluate_every": 20, "metrics": ["accuracy", "roc_auc"]},
    "about": {"intended_use": "To learn mlpkit.", "license": "MIT", "datasets": ["someone/loans"]},
}
HOUSES = {
    "mlpkit": 1,
    "name": "houses",
    "data": {
        "csv": {"file": "example:houses.csv", "target": "price", "predict": "values", "categorical": ["district"]}
    },
    "layers": [{"Affine": {"units": 4}}, "Relu", {"Affine": {"units": 1}}, "MeanSquaredError"],
    "training": {"optimizer": {"adam": {}}, "iterations": 40, "metrics": ["mean_absolute_error", "r2"]},
    "ensemble": {"folds": 2},
}
DIGITS = {
    "mlpkit": 1,
    "name": "images",
    "data": {"mnist": {"directory": "digits", "validation": 50}},
    "layers": [{"Affine": {"units": 5}}, "Relu", {"Affine": {"units": 10}}, "SoftmaxWithLoss"],
    "training": {"optimizer": {"sgd": {"learning_rate": 0.1}}, "epochs": 2, "metrics": ["accuracy"]},
}
MEMBERS = 2


def carded(folder, **options):
    file, questions = write_card(folder, options.get("to"), options.get("about"), PLUGINS)
    return file.read_text("utf-8"), json.loads(file.with_suffix(".json").read_text("utf-8")), questions


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folders of a run with a table, of an ensemble of folds, and of one with images."""
    home = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        fill(home)
        for spec in (TABLE, HOUSES, DIGITS):
            mlpkit.run(mlpkit.load_spec(spec), directory=home / spec["name"])
        yield {spec["name"]: home / spec["name"] for spec in (TABLE, HOUSES, DIGITS)}


def rows_of(card, section):
    return [row for part in card["sections"][section] for row in part["rows"]]


def facts(card, section, source):
    return {row["what"]: row["value"] for row in rows_of(card, section) if row.get("from") == source}


def lines_of(folder, name):
    return [json.loads(line) for file in folder.glob(name) for line in file.read_text().splitlines()]


@pytest.mark.parametrize("name", ["loans", "houses", "images"])
def test_each_number_of_a_card_is_in_its_json_with_a_source(runs, name):
    shown, card, _ = carded(runs[name])

    def numbers(value):
        if isinstance(value, dict):
            return {each for key, inside in value.items() for each in numbers(key) | numbers(inside)}
        if isinstance(value, list):
            return {each for inside in value for each in numbers(inside)}
        if isinstance(value, float):
            return {figure(value)}
        return set(NUMBER.findall(f"{value:,}" if isinstance(value, int) else str(value)))

    body = shown.split("---\n", 2)[2]
    assert set(NUMBER.findall(body)) - WORDS_OF_NUMBERS <= numbers(card)
    assert len(set(NUMBER.findall(body))) > 30
    for parts in card["sections"].values():
        for part in parts:
            assert part["source"] or all(row["from"] for row in part["rows"])


@pytest.mark.parametrize("name", ["loans", "houses", "images"])
def test_recorded_numbers_are_those_of_their_files(runs, name):
    folder = runs[name]
    _, card, _ = carded(folder)
    metrics = json.loads((folder / "metrics.json").read_text())
    found = {row["split"]: row for row in next(p for p in card["sections"]["Results"] if p["rows"])["rows"]}
    assert found.keys() == metrics.keys()
    for split, row in found.items():
        values = {key.partition(" (")[0]: value for key, value in row.items() if key != "split"}
        values = {key: value["value"] if isinstance(value, dict) else value for key, value in values.items()}
        assert values == pytest.approx(metrics[split])
    members = "members/*/" if name == "houses" else ""
    last = {line["iteration"] for line in lines_of(folder, f"{members}history.jsonl")}
    done = facts(card, "Training", f"{members}history.jsonl")
    assert done["iterations done"] == max(last) * (MEMBERS if members else 1)
    seconds = sum(line["processor_seconds"] for line in lines_of(folder, f"{members}timing.jsonl"))
    assert facts(card, "Training", f"{members}timing.jsonl") == {
        "processor seconds, evaluations included": pytest.approx(seconds)
    }
    assert 0 < seconds < 60
    lock = json.loads((folder / "lock.json").read_text())
    locked = facts(card, "Provenance and licences", "lock.json")
    assert (
        locked["spec_hash"] == lock["spec_hash"] == hashlib.sha256((folder / "resolved.yaml").read_bytes()).hexdigest()
    )
    assert facts(card, "Data", "lock.json")["checksum of the data"] == lock["data_checksum"]
    content = (folder / "model.safetensors").read_bytes()
    assert facts(card, "Provenance and licences", "model.safetensors") == {
        "SHA-256 of model.safetensors": hashlib.sha256(content).hexdigest(),
        "bytes of model.safetensors": len(content),
    }
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    sizes = [int(np.prod(each["shape"])) for key, each in header.items() if key != "__metadata__"]
    assert {row["numbers"] for row in rows_of(card, "What the model file contains") if row["kept"] == "weights"} == {
        sum(sizes)
    }
    assert sum(row["parameters"] for row in rows_of(card, "Network")) * (MEMBERS if members else 1) == sum(sizes)
    (parameters, *_) = NUMBER.findall(card["sections"]["Network"][0]["text"])
    assert parameters == f"{sum(sizes):,}"
    resolved = yaml.safe_load((folder / "resolved.yaml").read_text())
    for section, keys in (("Training", resolved["training"]), ("Data", resolved["data"].popitem()[1])):
        for key, value in facts(card, section, "resolved.yaml").items():
            assert key not in keys or yaml.safe_load(value) == keys[key]


def test_rows_classes_and_columns_are_those_of_the_file(runs):
    _, card, _ = carded(runs["loans"])
    file = Path(mlpkit_plugins.__file__).parent / "datasets/example_files/loans.csv"
    assert facts(card, "Data", "the file") == {
        "SHA-256 of example:loans.csv": hashlib.sha256(file.read_bytes()).hexdigest()
    }
    with file.open() as opened:
        table = list(csv.DictReader(opened))
    splits = [row for row in rows_of(card, "Data") if "split" in row]
    assert sum(row["rows"] for row in splits) == len(table)
    counts = Counter(row["paid_back"] for row in table)
    assert {name: sum(row[name] for row in splits) for name in counts} == counts
    columns = {row["column"]: row for row in rows_of(card, "Data") if "column" in row}
    assert columns["paid_back"]["role"] == "target"
    assert {name: row["distinct values"] for name, row in columns.items()} == {
        name: len({float(row[name]) if name not in ("purpose", "paid_back") else row[name] for row in table})
        for name in table[0]
    }


def test_each_split_in_a_file_of_its_own_is_named_by_its_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = Path(mlpkit_plugins.__file__).parent / "datasets/example_files/loans.csv"
    head, *lines = file.read_text().splitlines()
    parts = {"train.csv": lines[:240], "validation.csv": lines[240:320], "test.csv": lines[320:]}
    for name, rows in parts.items():
        Path(name).write_text("\n".join([head, *rows]))
    data = {"file": "train.csv", "validation": "validation.csv", "test": "test.csv"}
    spec = TABLE | {"data": {"csv": data | {"target": "paid_back", "categorical": ["purpose"]}}}
    mlpkit.run(mlpkit.load_spec(spec), directory=tmp_path / "run")
    shown, card, _ = carded(tmp_path / "run")
    digests = {f"SHA-256 of {name}": hashlib.sha256(Path(name).read_bytes()).hexdigest() for name in parts}
    assert facts(card, "Data", "the file") == digests
    (index,) = yaml.safe_load(shown.split("---\n")[1])["model-index"]
    sources = {each["dataset"]["split"]: each["dataset"]["name"] for each in index["results"]}
    assert sources == {"test": "test.csv", "validation": "validation.csv"}


def test_held_out_rows_have_intervals_around_the_recorded_results(runs):
    _, card, _ = carded(runs["loans"])
    for row in next(part for part in card["sections"]["Results"] if part["rows"])["rows"]:
        for name, found in row.items():
            if name != "split" and row["split"] == "train":
                assert isinstance(found, float)
            elif name != "split":
                assert found["low"] < found["value"] < found["high"]


def test_groups_calibration_and_coverage_are_those_that_evaluate_finds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = {"by": ["purpose"], "calibration": "temperature", "coverage": 0.8}
    mlpkit.run(mlpkit.load_spec(TABLE | asked), directory=tmp_path / "run")
    shown, card, _ = carded(tmp_path / "run")
    groups = [row for row in rows_of(card, "Results") if "test by purpose" in row]
    splits = {row["split"]: row["rows"] for row in rows_of(card, "Data") if "split" in row}
    assert sum(row["rows"] for row in groups) == splits["test"]
    whole = next(row for row in rows_of(card, "Results") if row.get("split") == "test")
    mean = sum(row["rows"] * row["accuracy"]["value"] for row in groups) / splits["test"]
    assert mean == pytest.approx(whole["accuracy"]["value"])
    judged = {row["split"]: row for row in rows_of(card, "Results") if "calibration_error" in row}
    assert 0 < judged["test"]["calibration_error"] < 0.5
    assert not judged["test"].keys() & {"loss", "accuracy", "roc_auc"}  # which are above
    assert judged["test"]["log_loss"] == pytest.approx(whole["loss (nats)"]["value"], rel=1e-5)
    assert "80 % promised" in shown
    (held,) = (row for row in rows_of(card, "Results") if row.get("of") == "all rows")
    assert held["rows"] == f"{splits['test']:,}"


def test_the_hub_reads_name_task_licence_and_results(runs):
    shown, _, _ = carded(runs["loans"])
    head = yaml.safe_load(shown.split("---\n")[1])
    metrics = json.loads((runs["loans"] / "metrics.json").read_text())
    assert (head["library_name"], head["license"], head["pipeline_tag"]) == ("mlpkit", "mit", "tabular-classification")
    assert (head["datasets"], head["metrics"]) == (["someone/loans"], ["accuracy", "roc_auc"])
    (index,) = head["model-index"]
    assert [each["dataset"]["split"] for each in index["results"]] == ["test", "validation"]
    for each in index["results"]:
        assert each["task"]["type"] == "tabular-classification"
        assert each["dataset"]["type"] == "someone/loans"
        assert {found["type"]: found["value"] for found in each["metrics"]} == metrics[each["dataset"]["split"]]
    assert yaml.safe_load(carded(runs["images"])[0].split("---\n")[1])["pipeline_tag"] == "image-classification"
    assert yaml.safe_load(carded(runs["houses"])[0].split("---\n")[1])["pipeline_tag"] == "tabular-regression"


def test_the_same_run_gives_the_same_bytes_wherever_they_are_written(runs, tmp_path):
    first = carded(runs["loans"])
    again = carded(runs["loans"], to=tmp_path / "README.md")
    assert (first[:2], (tmp_path / "README.json").exists()) == (again[:2], True)


def test_what_nobody_answered_is_asked(runs, tmp_path):
    shown, card, questions = carded(runs["loans"])
    assert questions == card["questions"]
    assert "intended_use" not in questions
    assert questions["out_of_scope"] == "What must it not be used for?"
    assert shown.count("**To be answered:**") == len(questions) == 6
    assert f"> {len(questions)} questions can only be answered by a person" in shown
    told = {key: f"Told about {key}." for key in questions} | {"description": "Two *lines*.\n\nOf Markdown."}
    (tmp_path / "later.yaml").write_text(yaml.safe_dump({"about": told}))
    shown, card, questions = carded(runs["loans"], to=tmp_path / "later.md", about=tmp_path / "later.yaml")
    assert set(questions) == {"intended_use", "license"}  # the file's section counts as a whole
    assert "Two *lines*.\n\nOf Markdown." in shown
    assert "**Data license:** Told about data_license." in shown


def test_a_wrong_answer_is_reported_at_its_line(runs, tmp_path):
    (tmp_path / "about.yaml").write_text("about:\n  licence: MIT\n")
    with pytest.raises(mlpkit.SpecError, match=r"about\.yaml:2:3: unknown key 'licence'(.|\n)*did you mean 'license'"):
        carded(runs["loans"], about=tmp_path / "about.yaml")


def test_without_its_data_a_run_still_has_a_card(runs, tmp_path, monkeypatch):
    shutil.copytree(runs["images"], tmp_path / "images")
    monkeypatch.chdir(tmp_path)
    shown, card, _ = carded(tmp_path / "images")
    assert "Rows, columns and intervals are left out: " in shown
    assert "it was trained on" in shown
    assert not [row for row in rows_of(card, "Data") if "split" in row]
    assert {row["split"] for row in rows_of(card, "Results")} == {"train", "validation", "test"}
    assert not [value for row in rows_of(card, "Results") for value in row.values() if isinstance(value, dict)]


def test_gaps_are_limits_and_changed_data_counts_for_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{i % 17 or ''},{'a,yes' if i % 17 > 7 else 'b,no'}" for i in range(170)]
    table = tmp_path / "table.csv"
    table.write_text("\n".join(["x,z,bought", *rows]))
    data = {"csv": {"file": "table.csv", "target": "bought", "categorical": ["z"], "missing": "fill", "test": 0.2}}
    mlpkit.run(mlpkit.load_spec({**TABLE, "data": data}), directory=tmp_path / "run")
    shown, _, _ = carded(tmp_path / "run")
    assert "- x has no value in 10 of 170 rows\n" in shown
    assert "- z predicts the target by itself: is it known when you predict?\n" in shown
    table.write_text("\n".join(["x,z,bought", *rows[:-1], "3,b,no"]))
    shown, _, _ = carded(tmp_path / "run")
    assert "Rows, columns and intervals are left out: " in shown
    assert f"{text(str(tmp_path / 'run'))}: the data is not what the network was trained on" in shown
    assert "has no value" not in shown


@pytest.fixture
def kinds(tmp_path, monkeypatch):
    """A run of three classes, some of them rare, with a file for each split."""
    monkeypatch.chdir(tmp_path)
    counts = {"train": (30, 10, 9), "validation": (12, 11, 2), "test": (21, 20, 10)}
    for split, of_split in counts.items():
        rows = [f"{i % 7},{i % 3},{name}" for name, count in zip("abc", of_split, strict=True) for i in range(count)]
        Path(f"{split}.csv").write_text("\n".join(["x,y,kind", *rows]))
    data = {"file": "train.csv", "validation": "validation.csv", "test": "test.csv", "target": "kind"}
    layers = [{"Affine": {"units": 3}}, "SoftmaxWithLoss"]
    training = {"optimizer": "sgd", "iterations": 9, "metrics": ["accuracy", "confusion_matrix"]}
    mlpkit.run(mlpkit.load_spec({"mlpkit": 1, "data": {"csv": data}, "layers": layers, "training": training}), "kinds")
    return Path("kinds")


def test_rare_classes_and_symptoms_are_limits(kinds, monkeypatch):
    found = [SimpleNamespace(title="dead units", iteration=1234, finding="3 of 8 in Affine1")]
    monkeypatch.setattr("mlpkit.verbs.card.card.recorded_symptoms", lambda *_: found)
    shown, card, _ = carded(kinds)
    limits = shown.partition("## Limits\n\n")[2].splitlines()
    assert [line for line in limits if "fewer" in line] == [
        "- classes with fewer than 10 rows of train: c (9)",
        "- classes with fewer than 10 rows of validation: c (2)",
    ]
    assert "- dead units, at iteration 1,234: 3 of 8 in Affine1" in limits
    assert "A neural network that predicts **kind**, one of a, b, c, from the columns x, y." in shown
    rows = [row for row in rows_of(card, "Data") if "split" in row]
    assert rows == [
        {"split": "train", "rows": 49, "a": 30, "b": 10, "c": 9},
        {"split": "validation", "rows": 25, "a": 12, "b": 11, "c": 2},
        {"split": "test", "rows": 51, "a": 21, "b": 20, "c": 10},
    ]
    head = yaml.safe_load(shown.split("---\n")[1])
    assert (head["metrics"], "license" in head, "datasets" in head) == (["accuracy"], False, False)
    assert head["tags"] == ["mlpkit", "tabular-classification"]
    results = head["model-index"][0]["results"]
    assert {each["dataset"]["type"] for each in results} == {"csv"}
    assert [[metric["type"] for metric in each["metrics"]] for each in results] == [["loss", "accuracy"]] * 2


@pytest.mark.parametrize(("most", "columns"), [(3, {"split", "rows", "a", "b", "c"}), (2, {"split", "rows"})])
def test_very_many_classes_have_no_columns(most, columns, kinds, monkeypatch):
    monkeypatch.setattr("mlpkit.verbs.card.card.MOST_CLASSES", most)
    rows = [row for row in rows_of(carded(kinds)[1], "Data") if "split" in row]
    assert [{*row} for row in rows] == [columns] * 3


def test_a_card_of_labels(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mlpkit.run(mlpkit.load_spec(shipped_specs()["weather"], overrides={"training.iterations": 9}), "run", quiet=True)
    shown, card, _ = carded(Path("run"))
    columns = "pressure, humidity, temperature"
    assert f"predicts **rain, wind, fog**, any of rain, wind, fog, from the columns {columns}.\n" in shown
    assert yaml.safe_load(shown.split("---\n")[1])["pipeline_tag"] == "tabular-classification"
    splits = [row for row in rows_of(card, "Data") if "split" in row]
    file = Path(mlpkit_plugins.__file__).parent / "datasets/example_files/weather.csv"
    with file.open() as opened:
        table = list(csv.DictReader(opened))
    names = [name for name in splits[0] if name not in ("split", "rows")]
    assert len(names) == 3
    assert {name: sum(row[name] for row in splits) for name in names} == {
        name: sum(float(row[name]) for row in table) for name in names
    }


def test_an_ensemble_of_folds_says_what_its_results_are_for(runs):
    shown, card, _ = carded(runs["houses"])
    assert "Of these results, those of validation are for the rows of train and validation together" in shown
    spread = json.loads((runs["houses"] / "spread.json").read_text())
    (part,) = (part for part in card["sections"]["Results"] if part["source"] == "spread.json" and part["rows"])
    assert {row["split"]: row["r2"]["value"] for row in part["rows"]} == {
        split: pytest.approx(found["r2"]["mean"]) for split, found in spread.items()
    }
    assert "It was trained with one seed" not in shown
    assert "`out_of_fold.csv`" in shown


def test_names_from_the_data_change_nothing_around_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["a|b", "`c` *d* _e_", "<b>f</b>", "g\nh", "[i](j)", "$k$ # ~l~ \\"]
    rows = [names, *([str(i * j % 7) for j in range(1, 6)] + [("x|y", "`<z>`\n")[i % 2]] for i in range(60))]
    with (tmp_path / "table.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    spec = {
        **TABLE,
        "data": {"csv": {"file": "table.csv", "target": names[5].replace("$", "$$"), "test": 0.3, "validation": 0.3}},
        "about": {"license": "Our own, v2"},
    }
    mlpkit.run(mlpkit.load_spec(spec), directory=tmp_path / "run")
    shown, card, _ = carded(tmp_path / "run")
    assert "<b>" not in re.sub(r"\\<", "", shown)
    tables = re.findall(r"(?:^\|.*\n)+", shown, re.MULTILINE)
    assert len(tables) > 5
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1
    assert [row["column"] for row in rows_of(card, "Data") if "column" in row] == names
    assert "license: our-own-v2" in shown


UNSTEADY = [
    (r"\b[0-9a-f]{64}\b", "#"),
    (r"^\| (environment\.|processor \|).*\n", ""),
    (r"^\| (mlpkit|bytes of .*) \|.*", r"| \1 |"),
    (r"\d+\.\d\d+(e[+-]?\d+)?", "#"),
    (r"(?<=## Results\n)(.|\n)*(?=## Limits)", lambda found: re.sub(r"-?(#|\d+)(?! ?\d* %)", "#", found[0])),
]
"""What another machine or version computes otherwise; other tests compare it with the files that it comes from."""


@pytest.mark.parametrize("name", ["loans", "houses", "images"])
def test_a_whole_card(runs, name, golden):
    shown, _, _ = carded(runs[name])
    for pattern, steady in UNSTEADY:
        shown = re.sub(pattern, steady, shown, flags=re.MULTILINE)
    golden(Path(__file__).with_name(f"{name}.golden.md"), shown)


def test_long_tables_and_lists_are_cut_in_the_text():
    rows = [{"a_": f"_{i}", "n": 1000 + i, "c": Code("|")} for i in range(62)]
    for count, more in ((60, ""), (61, "; all 61 rows are in card.json"), (62, "; all 62 rows are in card.json")):
        head, line, first, *others, empty, source = str(Part("a_b_", rows[:count])).splitlines()
        assert (head, line, first) == (r"| a\_ | n | c |", "| --- | ---: | --- |", r"| \_0 | 1,000 | `\|` |")
        assert (len(others), others[-1], empty) == (59, r"| \_59 | 1,059 | `\|` |", "")
        assert source == rf"From a_b\_{more}."
    assert str(Part("", rows[:1])).splitlines()[2:] == [r"| \_0 | 1,000 | `\|` |"]
    assert str(Part("a", text="T")) == "T"
    listed = ", ".join(str(i) for i in range(60))
    assert [cell([*range(count)]) for count in (60, 61, 1062)] == [
        *(listed, f"{listed} and 1 more", f"{listed} and 1,002 more")
    ]


def test_sections_without_a_text_are_left_out():
    sections = {"": [Part("a", text="Own.")], "One": [], "Two": [Part("a"), Part("a", text="T")], "Three": [Part("a")]}
    assert markdown("a: 1\n", "t_*", sections) == "---\na: 1\n---\n\n# t\\_\\*\n\nOwn.\n\n## Two\n\nT\n"


@pytest.mark.parametrize(
    ("value", "shown"),
    [("a", "`a`"), ("a`b", "`` a`b ``"), ("``", "``` `` ```"), ("a|b\n", r"`a\|b\n`"), ("", "``")],
)
def test_code_may_have_ticks(value, shown):
    assert cell(Code(value)) == shown


def test_texts_and_code_are_shown_as_they_are():
    assert text("a_b _c_") == r"a_b \_c\_"
    assert text("1 < 2 | `x`\n") == r"1 \< 2 \| \`x\`\\n"
    assert cell(["a|", "b"]) == r"a\|, b"
    assert cell({"value": 0.5, "low": 0.25, "high": 0.75}) == r"0.5000 \[0.2500, 0.7500\]"
    assert cell({"value": 0.5, "low": None, "high": None}) == "0.5000"


@pytest.mark.parametrize("suffix", ["onnx", "c", "js", "html"])
def test_a_model_its_card_and_exports_hold_names_of_categories_but_no_rows(tmp_path, monkeypatch, suffix):
    if suffix == "onnx":
        require_package("onnx")
    monkeypatch.chdir(tmp_path)
    shuffled = random.Random(0)
    numbers = [round(shuffled.uniform(1000, 9000), 6) for _ in range(300)]
    with (tmp_path / "people.csv").open("w", newline="") as file:
        write = csv.writer(file)
        write.writerow(["salary", "town", "note", "bought"])
        towns = ["Qerezvolta", "Umbrigosta", "Zyxhaven"]
        write.writerows(
            [number, towns[i % 3], f"secret-{i}-{number}", "yes" if number > 5000 else "no"]
            for i, number in enumerate(numbers)
        )
    spec = {
        **TABLE,
        "data": {
            "csv": {"file": "people.csv", "target": "bought", "categorical": ["town"], "ignore": ["note"], "test": 0.2}
        },
    }
    mlpkit.run(mlpkit.load_spec(spec), directory=tmp_path / "run")
    _, card, _ = carded(tmp_path / "run")
    kept = {row["kept"]: row for row in rows_of(card, "What the model file contains")}
    assert set(towns) <= set(kept["categories"]["texts"])
    assert kept["classes"]["texts"] == ["no", "yes"]
    assert kept["means"]["numbers"] == 1
    exported = mlpkit.export(tmp_path / "run", tmp_path / f"model.{suffix}").file
    assert kept["extents"]["numbers"] == 2  # of a column of numbers in training rows: the least and the greatest
    most = {"card.md": 0, "card.json": 0, "model.safetensors": 2, "model.html": 3}  # a page also has medians
    for file in (tmp_path / "run/model.safetensors", tmp_path / "run/card.md", tmp_path / "run/card.json", exported):
        content = file.read_bytes()
        assert b"secret" not in content
        assert towns[0].encode() in content
        found = [each for each in numbers if any(form in content for form in forms_of(each))]
        assert len(found) <= most.get(file.name, 2)
    assert "Exported files have no rows" in (tmp_path / "run/card.md").read_text()


def forms_of(number):
    """Return a number as a file may have it: as text, as bytes, and as C and JavaScript write it."""
    single, double = np.float32(number), np.float64(number)
    texts = (repr(number), number.hex(), float(single).hex(), repr(float(single)), f"{single:.9g}", str(single))
    return [single.tobytes(), double.tobytes(), *(each.encode() for each in texts)]
