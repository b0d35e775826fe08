"""Loss and metrics of groups of rows: against scikit-learn, group by group, and by laws."""

from __future__ import annotations

import csv
import json
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from real_tables import SHARED
from sklearn import metrics as sk

import mlpkit
from mlpkit.components.dataset import RawColumn
from mlpkit.components.randomness import keyed_generator
from mlpkit.errors import SpecShapeError, UsageError
from mlpkit.jobs.evaluate import data_of_run, evaluate, evaluate_file
from mlpkit.jobs.groups_of_rows import (
    FEWEST_ROWS,
    MOST_CATEGORIES,
    Estimate,
    Group,
    MetricsByGroup,
    groups_of_rows,
    mean_over_runs,
)
from mlpkit.jobs.load_model import load_run
from mlpkit.statistics import interval, wilson

SPEC = {
    "mlpkit": 1,
    "name": "people",
    "data": {
        "csv": {
            "file": "people.csv",
            "target": "kind",
            "inputs": ["a", "age"],
            "missing": "fill",
            "validation": "more.csv",
            "test": "test.csv",
        }
    },
    "layers": [{"Affine": {"units": 6}}, "Tanh", "Dropout", {"Affine": {"units": "auto"}}, "SoftmaxWithLoss"],
    "training": {
        "optimizer": {"adam": {"learning_rate": 0.02}},
        "epochs": 3,
        "metrics": ["accuracy", "roc_auc", "confusion_matrix"],
    },
}


def people(count, seed, repeated=False):
    """Return rows of a table: two inputs, a column of each kind that isn't one, a weight, and a target."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(count):
        a, age = rng.normal(), int(rng.integers(18, 90))
        sex = rng.choice(["f", "m", "m", "", "x"], p=[0.45, 0.25, 0.2, 0.08, 0.02])
        day = f"{rng.integers(2015, 2024)}-{rng.integers(1, 13):02}-{rng.integers(1, 29):02}"
        kind = "yes" if a * (1 if sex == "f" else 0.3) + age / 90 + rng.normal(0, 0.5) > 0.6 else "no"
        rows.append([f"{a:.6f}", str(age), sex, day, f"id{i}", str(rng.integers(0, 4)), kind])
    return [row for row in rows for _ in range(int(row[5]) if repeated else 1)]


HEADING = ["a", "age", "sex", "joined", "id", "w", "kind"]


def write(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([HEADING, *rows])


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with tables, and a run trained on one."""
    folder = tmp_path_factory.mktemp("people")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        for name, count, seed in (("people", 300, 0), ("more", 60, 1), ("test", 400, 2)):
            write(folder / f"{name}.csv", people(count, seed))
        mlpkit.run(mlpkit.load_spec(SPEC), "runs/people")
    return folder


@pytest.fixture
def run(home, monkeypatch):
    monkeypatch.chdir(home)
    return Path("runs/people")


def table(name):
    with Path(name).open() as file:
        rows = list(csv.DictReader(file))
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


def expect_metrics(group, model, rows, targets, classes):
    """Compare a group with what scikit-learn says of its rows."""
    p, true = model.predict_proba(rows).astype(float), np.searchsorted(classes, targets)
    p /= p.sum(axis=1, keepdims=True)  # they are of float32
    found = {name: each.value for name, each in group.metrics.items()}
    assert group.rows == len(true)
    assert found["loss"] == pytest.approx(sk.log_loss(true, p, labels=[0, 1]), rel=1e-5)
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(true, p.argmax(axis=1)))
    if 0 < true.sum() < len(true):
        assert found["roc_auc"] == pytest.approx(sk.roc_auc_score(true, p[:, 1]))


def test_each_group_has_the_figures_that_scikit_learn_computes_for_its_rows(run):
    by_sex = evaluate(run, ["test"], by=["sex"]).by["test"].columns["sex"]
    columns, model = table("test.csv"), mlpkit.load(run)
    assert list(by_sex) == ["m", "f", "x", "missing"] or list(by_sex) == ["f", "m", "x", "missing"]
    for name, group in by_sex.items():
        inside = columns["sex"] == ("" if name == "missing" else name)
        rows = {key: columns[key][inside] for key in ("a", "age")}
        expect_metrics(group, model, rows, columns["kind"][inside], ["no", "yes"])
        assert "confusion_matrix" not in group.metrics


def test_on_a_real_table_too(tmp_path, monkeypatch):
    folder = SHARED / "wa_churn"
    if not folder.is_dir():
        pytest.skip("the folder with real tables is missing")
    pandas = pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    about = json.loads((folder / "table.json").read_text())
    files = {split: str(folder / f"{split}.csv.gz") for split in ("train", "validation", "test")}
    data = {"file": files["train"], "validation": files["validation"], "test": files["test"], "target": "churn"}
    spec = SPEC | {"data": {"csv": data | {"categorical": about["categorical"]}}, "by": ["contract", "tenure"]}
    model = mlpkit.run(mlpkit.load_spec(spec), "run").model
    frame = pandas.read_csv(files["test"])
    found = evaluate(Path("run"), ["test"]).by["test"].columns
    for name, group in found["contract"].items():
        rows = frame[frame["contract"] == name]
        expect_metrics(group, model, rows, rows["churn"], ["No", "Yes"])
    for name, group in found["tenure"].items():
        low, high = map(int, name.split(" to "))
        rows = frame[frame["tenure"].between(low, high)]
        expect_metrics(group, model, rows, rows["churn"], ["No", "Yes"])
    for groups in found.values():
        assert sum(group.rows for group in groups.values()) == len(frame)


def test_all_rows_have_the_run_s_figures_and_groups_average_to_them(run):
    found = evaluate(run, ["validation", "test"], by=["sex", "joined"])
    for split, by_group in found.by.items():
        whole = {name: each.value for name, each in by_group.whole.metrics.items()}
        assert whole == {name: found.metrics[split][name] for name in ("loss", "accuracy", "roc_auc")}
        for groups in by_group.columns.values():
            rows = [group.rows for group in groups.values()]
            assert sum(rows) == by_group.whole.rows
            for name in ("loss", "accuracy"):
                mean = np.average([group.metrics[name].value for group in groups.values()], weights=rows)
                assert mean == pytest.approx(whole[name])


TEXTS = st.lists(st.sampled_from([*"abcdefghijklmnopq", "missing", "2 others", "3 others"]), min_size=1)
NUMBERS = st.lists(st.floats(-1e6, 1e6) | st.integers(0, 5).map(float))
DATES = st.lists(st.dates().map(lambda day: day.isoformat()))


@given(st.data(), st.sampled_from([TEXTS, NUMBERS, DATES]))
@settings(max_examples=60, deadline=None)
def test_every_row_is_in_one_group_and_equal_values_are_together(data, kind):
    values = data.draw(kind)
    texts = list(dict.fromkeys(map(str, values)))
    of_text = {text: i for i, text in enumerate(texts)}
    numbers = np.array([float(text) for text in texts]) if kind is NUMBERS else None
    codes = [of_text[str(value)] for value in values] + data.draw(st.lists(st.just(-1), max_size=3))
    codes = np.array(data.draw(st.permutations(codes)), int)
    cut = data.draw(st.integers(0, len(codes)))
    parts = {"train": codes[:cut], "test": codes[cut:]}
    column = RawColumn("c", "input", texts, numbers, parts)
    dataset = SimpleNamespace(columns_of_rows=lambda names, source: [column])
    model = SimpleNamespace(dataset=dataset, spec=SimpleNamespace(data=SimpleNamespace(name="csv")))

    found = groups_of_rows(model, parts, ["c"])

    codes_of: dict[str, set[int]] = {}
    for split, part in parts.items():
        groups = found[split]["c"]
        assert sorted(np.concatenate([*groups.values(), []]).tolist()) == list(range(len(part)))
        for name, positions in groups.items():
            assert len(positions)
            codes_of.setdefault(name, set()).update(part[positions].tolist())
    assert sum(map(len, codes_of.values())) == len(set(codes.tolist()))
    present = [name for name, group in codes_of.items() if -1 not in group]
    distinct = len({-1 if code < 0 else texts[code] if numbers is None else numbers[code] for code in codes} - {-1})
    if kind is TEXTS:
        assert len(present) == min(distinct, MOST_CATEGORIES + 1)
    elif len(present) > MOST_CATEGORIES or distinct > MOST_CATEGORIES:
        assert 1 <= len(present) <= 4
        ends = sorted(
            (min(keys), max(keys)) for name in present if (keys := [key_of(column, c) for c in codes_of[name]])
        )
        assert all(high < low for (_, high), (low, _) in pairwise(ends))


def key_of(column, code):
    return column.texts[code] if column.numbers is None else column.numbers[code]


def test_a_value_is_in_the_range_of_the_middle_one_of_its_rows():
    codes = np.repeat(np.arange(20), [6 if number == 5 else 2 for number in range(20)])
    column = RawColumn("c", "input", [str(i) for i in range(20)], np.arange(20.0), {"test": codes})
    dataset = SimpleNamespace(columns_of_rows=lambda names, source: [column])
    model = SimpleNamespace(dataset=dataset, spec=SimpleNamespace(data=SimpleNamespace(name="csv")))
    groups = groups_of_rows(model, {"test": codes}, ["c"])["test"]["c"]
    rows = {name: len(positions) for name, positions in groups.items()}
    assert rows == {"0 to 4": 10, "5 to 8": 12, "9 to 13": 10, "14 to 19": 12}
    as_categories = column._replace(holds="categories")
    dataset.columns_of_rows = lambda names, source: [as_categories]
    groups = groups_of_rows(model, {"test": codes}, ["c"])["test"]["c"]
    assert next(iter(groups)) == "5"
    assert list(groups)[-1] == "8 others"


@pytest.mark.parametrize(
    ("count", "names"),
    [(12, [str(i) for i in range(12)]), (13, ["0 to 2", "3 to 5", "6 to 9", "10 to 12"])],
)
def test_up_to_twelve_numbers_are_groups(count, names):
    codes = np.arange(count)
    column = RawColumn("c", "input", [str(i) for i in range(count)], np.arange(float(count)), {"test": codes})
    dataset = SimpleNamespace(columns_of_rows=lambda names, source: [column])
    model = SimpleNamespace(dataset=dataset, spec=SimpleNamespace(data=SimpleNamespace(name="csv")))
    assert list(groups_of_rows(model, {"test": codes}, ["c"])["test"]["c"]) == names


@pytest.mark.parametrize("rows", [29, 30])
def test_thirty_rows_have_an_interval(run, rows):
    write(Path("few.csv"), people(rows, 9))
    whole = evaluate_file(run, Path("few.csv"), by=["sex"]).by["data"].whole
    assert [each.low is not None for each in whole.metrics.values()] == [rows == 30] * len(whole.metrics)


def test_a_data_frame_has_groups_by_its_dates():
    pandas = pytest.importorskip("pandas")
    days = pandas.date_range("2020-01-01", periods=40)
    frame = pandas.DataFrame({"a": np.linspace(-1, 1, 40), "when": days, "t": ["x", "y"] * 20})
    layers = [{"Affine": {"units": "auto"}}, "SoftmaxWithLoss"]
    model = mlpkit.fit(frame, "t", layers=layers, epochs=1, metrics=["accuracy"]).model
    groups = model.evaluate(frame, by="when")["by"]["columns"]["when"]
    assert list(groups)[::3] == ["2020-01-01 to 2020-01-10", "2020-01-31 to 2020-02-09"]


def test_ranges_hold_about_a_quarter_of_the_rows_and_are_called_by_their_ends(run):
    columns = table("test.csv")
    found = evaluate(run, ["test"], by=["age", "joined", "id"]).by["test"].columns
    for name in ("age", "joined"):
        read = float if name == "age" else str
        for ends, group in found[name].items():
            low, high = map(read, ends.split(" to "))
            inside = [low <= read(value) <= high for value in columns[name]]
            assert group.rows == sum(inside)
            assert abs(group.rows - 100) < 30
    assert list(found["id"])[-1].endswith(" others")
    assert len(found["id"]) == MOST_CATEGORIES + 1


def test_groups_of_few_rows_have_no_interval(run):
    groups = evaluate(run, ["test"], by=["sex"]).by["test"].columns["sex"]
    assert groups["x"].rows < FEWEST_ROWS < groups["f"].rows
    for name, group in groups.items():
        assert all((each.low is None) == (name == "x") for each in group.metrics.values())


def test_intervals_are_those_of_theory(run):
    """Wilson's for accuracy; for the mean loss, about that of the normal distribution, of large groups as well."""
    write(Path("large.csv"), people(9000, 5))
    stats = pytest.importorskip("scipy.stats")
    found = evaluate_file(run, Path("large.csv"), by=["sex"]).by["data"].columns["sex"]
    columns, model = table("large.csv"), mlpkit.load(run)
    assert found["m"].rows > 4000  # more than a resample has
    for name in ("f", "m"):
        inside = columns["sex"] == name
        p = model.predict_proba({key: columns[key][inside] for key in ("a", "age")}).astype(float)
        true = np.searchsorted(["no", "yes"], columns["kind"][inside])
        right = int((p.argmax(axis=1) == true).sum())
        theory = stats.binomtest(right, len(true)).proportion_ci(method="wilson")
        assert found[name].metrics["accuracy"][1:3] == pytest.approx(tuple(theory))
        losses = -np.log(p[np.arange(len(p)), true])
        half = 1.96 * losses.std() / np.sqrt(len(losses))
        value, low, high = found[name].metrics["loss"]
        assert value - low == pytest.approx(half, rel=0.3)
        assert high - value == pytest.approx(half, rel=0.3)
        draw = partial(keyed_generator(0, "by", "data", "sex", name).choice, losses, min(len(losses), 2000))
        means = [draw().mean() for _ in range(200)]
        narrower = np.sqrt(min(1, 2000 / len(losses)))
        ends = value + narrower * (np.quantile(means, (0.025, 0.975)) - np.mean(means))
        assert (low, high) == pytest.approx(tuple(ends), rel=1e-4)


def made_up(rows, **metrics):
    return Group(rows, {name: Estimate(*found) for name, found in metrics.items()})


WHOLE = made_up(1200, loss=(0.5, 0.4, 0.6), accuracy=(0.75, 0.7, 0.8))
BY_SEX = {
    "f": made_up(1100, loss=(0.7, 0.61, 0.8), accuracy=(0.6, 0.5, 0.69)),
    "m": made_up(30, loss=(0.3, 0.2, 0.4), accuracy=(0.85, 0.8, 0.9)),  # it touches that of all rows
    "x": made_up(29, loss=(0.9,), accuracy=(0.1,)),
}


def test_a_table_marks_intervals_apart_and_groups_of_few_rows():
    found = MetricsByGroup(WHOLE, {"age": {}, "sex": BY_SEX})
    assert found.table("sex", lambda *numbers: " ".join(map(str, numbers))) == [
        ["sex", "rows", "loss", "accuracy"],
        ["all rows", "1,200", "0.5 0.4 0.6", "0.75 0.7 0.8"],
        ["f", "1,100", "0.7 0.61 0.8 *", "0.6 0.5 0.69 *"],
        ["m", "30", "0.3 0.2 0.4", "0.85 0.8 0.9"],
        ["x", "29", "0.9 None None, too few rows", "0.1 None None, too few rows"],
    ]
    assert found.plain()["columns"]["sex"]["x"] == {
        "rows": 29,
        "metrics": {
            "loss": {"value": 0.9, "low": None, "high": None},
            "accuracy": {"value": 0.1, "low": None, "high": None},
        },
    }
    assert not made_up(9, loss=(1,)).metrics["loss"].is_apart(Estimate(2, 1.5, 2.5))


def test_over_several_runs_there_are_means_of_the_groups_that_all_have():
    one = MetricsByGroup(WHOLE, {"sex": BY_SEX})
    other = MetricsByGroup(
        made_up(1200, loss=(0.7,), accuracy=(0.5,)), {"sex": {"m": made_up(30, loss=(0.2,), accuracy=(0.9,))}}
    )
    found = mean_over_runs([one, other])
    assert list(found.columns["sex"]) == ["m"]
    for group, loss in ((found.whole, [0.5, 0.7]), (found.columns["sex"]["m"], [0.3, 0.2])):
        mean = interval(loss)
        assert group.metrics["loss"] == (mean.mean, mean.low, mean.high)
    assert (found.whole.rows, found.columns["sex"]["m"].rows) == (1200, 30)
    assert found.whole.metrics["accuracy"].value == pytest.approx(0.625)


def test_an_evaluation_again_gives_the_same_intervals(run):
    first, again = (evaluate(run, ["test"], by=["sex"]).by["test"] for _ in range(2))
    assert first == again


@pytest.mark.filterwarnings("ignore:.*the validation results will mean little")
def test_a_weight_of_n_counts_as_n_rows(home, monkeypatch):
    monkeypatch.chdir(home)
    write(Path("repeated.csv"), people(400, 2, repeated=True))
    training = SPEC["training"] | {"metrics": ["accuracy", "roc_auc"]}
    weighted = SPEC | {"data": {"csv": SPEC["data"]["csv"] | {"weight": "w"}}, "training": training}
    mlpkit.run(mlpkit.load_spec(weighted), "runs/weighted")
    found = evaluate_file(Path("runs/weighted"), Path("test.csv"), by=["sex"]).by["data"].columns["sex"]
    columns, model = table("repeated.csv"), mlpkit.load("runs/weighted")
    weights = table("test.csv")
    for name in ("f", "m"):
        inside = columns["sex"] == name
        own = found[name]
        assert own.rows == ((weights["sex"] == name) & (weights["w"] != "0")).sum()
        rows = {key: columns[key][inside] for key in ("a", "age")}
        expect_metrics(own._replace(rows=inside.sum()), model, rows, columns["kind"][inside], ["no", "yes"])
        w = weights["w"][weights["sex"] == name].astype(float)
        share = own.metrics["accuracy"]
        assert share[1:] == pytest.approx(wilson(share.value, w.sum() ** 2 / (w**2).sum()))


def test_other_data_has_the_groups_of_its_rows_that_have_a_target(run):
    rows = people(400, 2)
    spoiled = [row[:-1] + ([""] if i % 3 == 0 else row[-1:]) for i, row in enumerate(rows)]
    write(Path("spoiled.csv"), spoiled)
    write(Path("whole.csv"), [row for row in spoiled if row[-1]])
    one, other = (evaluate_file(run, Path(name), by=["sex"]) for name in ("spoiled.csv", "whole.csv"))
    assert (one.by, one.metrics) == (other.by, other.metrics)
    assert one.by["data"].whole.rows == 266


def test_python_gives_what_the_command_line_gives(run):
    model = mlpkit.load(run)
    plain = evaluate_file(run, Path("test.csv"), by=["sex"]).plain()["data"]
    assert model.evaluate("test.csv", by="sex") == plain == model.evaluate(table("test.csv"), by=["sex"])
    assert "by" not in model.evaluate("test.csv")
    first = plain["by"]["columns"]["sex"]["f"]
    assert list(first) == ["rows", "metrics"]
    assert list(first["metrics"]["loss"]) == ["value", "low", "high"]
    columns = table("test.csv")
    with pytest.raises(UsageError, match="need the target as a column of the rows"):
        model.evaluate({"a": columns["a"], "age": columns["age"]}, columns["kind"], by="sex")


def test_an_unknown_column_is_answered_with_the_one_meant(run):
    with pytest.raises(UsageError, match=r"the data has no column 'joinned'; did you mean 'joined'\?"):
        evaluate(run, by=["joinned"])
    with pytest.raises(SpecShapeError) as caught:
        mlpkit.run(mlpkit.load_spec(SPEC | {"by": ["sex", "ago"]}), "runs/none")
    assert "by[1]" in str(caught.value) or "by.1" in str(caught.value)
    assert "did you mean 'age'?" in str(caught.value)
    assert not Path("runs/none").exists()


def test_the_networks_of_folds_are_evaluated_by_the_groups_of_their_rows(run):
    ensemble = SPEC | {"ensemble": {"folds": 3}, "by": ["sex"]}
    mlpkit.run(mlpkit.load_spec(ensemble), "runs/folds")
    whole = evaluate(Path("runs/folds"), ["test"])
    assert sum(group.rows for group in whole.by["test"].columns["sex"].values()) == 400
    member = Path("runs/folds/members/1")
    model = load_run(member)
    _, data = data_of_run(member, model)
    rows = data["validation"].gathered(model.dataset.example_sources, np.arange(len(data["validation"])))
    sexes = {"people.csv": table("people.csv")["sex"], "more.csv": table("more.csv")["sex"]}
    places = [row.rpartition("/")[2].split(", row ") for row in rows]
    expected = [sexes[file][int(row) - 2] for file, row in places]
    found = groups_of_rows(model, data, ["sex"])["validation"]["sex"]
    assert {expected[i] for i in found["f"]} == {"f"}
    assert len(found["f"]) == expected.count("f")
