"""The runs in a folder: filtered, sorted, and those of several seeds as one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from run_folders import made_up_run

import mlpkit
from mlpkit.groups.list_runs import RunGroup, chosen, figure_of, in_order, names_of_figures, runs_listed
from mlpkit.runs.kinds import runs_in
from mlpkit.runs.overview import RunOverview
from mlpkit.statistics import interval


def results(accuracy, loss=0.5):
    return {"validation": {"loss": loss, "accuracy": accuracy}, "test": {"loss": loss, "accuracy": accuracy / 2}}


@pytest.fixture
def runs(tmp_path):
    """Return a folder with some runs: finished, stopped, diverged, damaged, of five seeds, and other folders."""
    folder = tmp_path / "runs"
    made_up_run(folder / "best", results=results(0.99, 0.1))
    made_up_run(folder / "good", results=results(0.9, 0.3), name="other")
    made_up_run(folder / "stopped", losses=[0.5])
    made_up_run(folder / "diverged", losses=(), failure={"state": "diverged", "steps": 3, "message": "infinite"})
    made_up_run(folder / "damaged")
    (folder / "damaged/resolved.yaml").unlink()
    for seed in range(5):
        made_up_run(folder / f"seeds/seed-{seed}", seed=seed, results=results(0.9 + seed / 100), name="five")
    (folder / "seeds/seeds.json").write_text(json.dumps({"seeds": list(range(5))}))
    made_up_run(folder / "mixed/first", results=results(0.5), name="mixed")
    made_up_run(folder / "mixed/second", units=11, name="mixed")
    (folder / "plots").mkdir()
    (folder / "plots/loss.svg").touch()
    (folder / ".hidden").mkdir()
    for age, name in enumerate(("best", "good", "stopped", "diverged", "damaged")):
        os.utime(folder / name / "lock.json", (1_000_000 - age, 1_000_000 - age))
    return folder


@pytest.fixture
def entries(runs):
    return runs_listed(runs)


def by_name(entries):
    return {entry.directory.name: entry for entry in entries}


def names(entries):
    return [entry.directory.name for entry in entries]


def test_the_folder_of_a_run_is_listed_as_that_run(runs):
    (entry,) = runs_listed(runs / "best")

    assert (entry.directory, entry.state, entry.grouped) == (runs / "best", "finished", False)


def test_every_run_is_there_and_nothing_else(entries):
    assert {name: entry.state for name, entry in by_name(entries).items()} == {
        "best": "finished",
        "good": "finished",
        "stopped": "stopped",
        "diverged": "diverged",
        "damaged": "damaged",
        "seeds": "finished",
        "mixed": "stopped",
    }


def test_runs_of_several_seeds_have_the_mean_and_its_interval(entries):
    seeds = by_name(entries)["seeds"]
    assert (len(seeds.runs), seeds.planned, seeds.spec) == (5, 5, "five")
    assert (seeds.steps, seeds.total) == (1000, 1000)
    assert seeds.value("accuracy") == interval([0.9 + seed / 100 for seed in range(5)])
    assert seeds.value("test_accuracy").mean == pytest.approx(0.46)


def test_a_run_that_is_not_finished_does_not_count_in_the_mean(runs):
    (runs / "seeds/seed-4/metrics.json").unlink()
    made_up_run(runs / "seeds/seed-5", seed=5, name="five", losses=())
    seeds = by_name(runs_listed(runs))["seeds"]
    assert (seeds.state, len(seeds.runs)) == ("stopped", 6)
    assert seeds.value("accuracy") == interval([0.9 + seed / 100 for seed in range(4)])


def test_runs_still_to_begin_are_planned(runs):
    (runs / "seeds/seeds.json").write_text(json.dumps({"seeds": list(range(8))}))
    assert by_name(runs_listed(runs))["seeds"].planned == 8
    (runs / "seeds/seeds.json").write_text("{}")
    assert by_name(runs_listed(runs))["seeds"].planned == 5


def test_runs_that_differ_in_more_than_the_seed_have_no_mean(entries):
    mixed = by_name(entries)["mixed"]
    assert len(mixed.runs) == 2
    assert mixed.value("accuracy") is None


def test_a_folder_of_several_runs_can_be_opened_and_so_can_a_run(runs):
    assert names(runs_listed(runs / "seeds")) == [f"seed-{seed}" for seed in range(5)]
    made_up_run(runs / "seeds/seed-10", seed=10)
    assert names(runs_listed(runs / "seeds"))[-1] == "seed-10"
    assert names(runs_listed(runs / "best")) == ["best"]


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(mlpkit.RunFolderError, match="nowhere: no such folder; expected a folder with runs"):
        runs_listed(tmp_path / "nowhere")


def test_a_value_is_that_of_the_validation_data_or_else_of_the_training_data(entries):
    run = by_name(entries)["best"].runs[0]
    assert figure_of(run, "accuracy") == 0.99  # of the end, not of the last evaluation
    assert figure_of(run, "train_accuracy") == 0.9375
    assert figure_of(run, "test_accuracy") == 0.495
    assert figure_of(run, "nothing") is None
    only_train = type(run)(run.directory, "stopped", last={"train_loss": 0.5})
    assert figure_of(only_train, "loss") == 0.5


def test_names_of_figures_begin_with_the_loss(entries):
    assert names_of_figures(entries) == ["loss", "accuracy"]


def test_states_and_specs_are_chosen(entries):
    assert names(chosen(entries, states=["diverged", "damaged"])) == ["damaged", "diverged"]
    assert names(chosen(entries, states=["finished"])) == ["best", "good", "mixed", "seeds"]
    assert names(chosen(entries, specs=["other", "f*"])) == ["good", "seeds"]


def test_orders(entries):
    runs = chosen(entries, states=["finished", "stopped", "diverged"])
    assert names(in_order(runs, "accuracy")) == ["best", "seeds", "good", "stopped", "diverged", "mixed"]
    assert names(in_order(runs, "accuracy", reverse=True))[:4] == ["stopped", "good", "seeds", "best"]
    assert names(in_order(runs, "loss"))[:3] == ["best", "good", "seeds"]
    assert names(in_order(runs, "test_loss"))[:2] == ["best", "good"]
    assert names(in_order(runs, "name"))[:2] == ["best", "diverged"]
    assert names(in_order(runs, "steps"))[0] == "seeds"
    assert names(in_order(runs, "spec"))[0] == "seeds"
    young = [name for name in names(in_order(entries)) if name not in ("seeds", "mixed")]
    assert young == ["best", "good", "stopped", "diverged", "damaged"]


def entry(name, **known):
    return RunGroup(Path(name), (RunOverview(Path(name), **{"state": "finished", **known}),))


ERROR = "mean_squared_error"
ENTRIES = [
    entry(
        "b2",
        spec="y",
        began=3.0,
        steps=30,
        results={"validation": {"loss": 0.2, "accuracy": 0.8, "acme.x": 1, ERROR: 5.0}},
    ),
    entry("b10", state="stopped", spec="x", began=1.0, steps=50, last={"validation_loss": 0.1, "train_loss": 0.9}),
    entry("a", state="failed", spec="y", began=2.0, steps=40),
    entry(
        "c", spec="x", began=4.0, steps=20, results={"train": {"loss": 0.3, "accuracy": 0.7, "acme.x": 2, ERROR: 6.0}}
    ),
]


@pytest.mark.parametrize(
    ("key", "order", "reversed_order"),
    [
        ("age", "c b2 a b10", "b10 a b2 c"),
        ("name", "a b2 b10 c", "c b10 b2 a"),
        ("state", "a c b2 b10", "b10 b2 c a"),
        ("spec", "c b10 b2 a", "a b2 b10 c"),
        ("steps", "b10 a b2 c", "c b2 a b10"),
        ("loss", "b10 b2 c a", "c b2 b10 a"),
        ("train_loss", "c b10 b2 a", "b10 c b2 a"),
        ("accuracy", "b2 c b10 a", "c b2 b10 a"),
        (ERROR, "b2 c b10 a", "c b2 b10 a"),
        ("acme.x", "c b2 b10 a", "b2 c b10 a"),  # of a plugin that isn't there: larger is taken to be better
    ],
)
def test_each_order_in_full(key, order, reversed_order):
    assert names(in_order(ENTRIES, key)) == order.split()
    assert names(in_order(ENTRIES, key, reverse=True)) == reversed_order.split()


def test_several_runs_as_one():
    runs = (
        RunOverview(Path("1"), "finished", spec="a", seed=1, settings="s", steps=20, total=30, began=5.0),
        RunOverview(Path("2"), "failed", spec="b", seed=2, settings="s", steps=3, total=40, began=7.0),
        RunOverview(Path("3"), "stopped", spec="a", seed=3, settings="s", steps=1, total=50, began=6.0),
    )
    group = RunGroup(Path("x"), runs, True, 3)
    assert (group.state, group.spec, group.steps, group.total, group.began) == ("failed", "a, b", 24, 120, 7.0)
    assert RunGroup(Path("x"), (*runs, RunOverview(Path("4"), "running"))).total is None
    assert group.seeds_of_one_spec
    assert not RunGroup(Path("x"), (*runs, runs[0])).seeds_of_one_spec
    assert not RunGroup(Path("x"), (*runs, runs[0]._replace(seed=4, settings="t"))).seeds_of_one_spec


def test_a_file_is_not_a_folder_with_runs(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(
        mlpkit.RunFolderError, match=r"notes.txt: is a file; expected a folder with runs in it, such as runs$"
    ):
        runs_listed(tmp_path / "notes.txt")


def test_what_no_run_has_is_nothing_to_sort_by(entries):
    with pytest.raises(mlpkit.UsageError, match=r"no run has such a value; expected age, name, .*, loss, accuracy"):
        in_order(entries, "f1")
    assert in_order([], "f1") == []


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may read everything")
def test_a_folder_that_may_not_be_listed_is_damaged(runs):
    (runs / "plots").chmod(0)
    try:
        assert by_name(runs_listed(runs))["plots"].state == "damaged"
    finally:
        (runs / "plots").chmod(0o755)


def test_a_folder_whose_runs_can_not_be_found_is_damaged(runs, monkeypatch):
    def found(folder):
        if folder.name == "seeds":
            raise mlpkit.RunFolderError("seeds: can't be listed")
        return runs_in(folder)

    monkeypatch.setattr("mlpkit.groups.list_runs.runs_in", found)
    entries = by_name(runs_listed(runs))
    damaged = entries["seeds"]
    assert (damaged.state, damaged.runs[0].problem, damaged.grouped) == ("damaged", "seeds: can't be listed", False)
    assert damaged.runs[0].directory == damaged.directory == runs / "seeds"
    assert entries["mixed"].state == "stopped"
