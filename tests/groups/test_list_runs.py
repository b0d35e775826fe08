"""The runs in a folder: filtered, sorted, and those of several seeds as one."""

from __future__ import annotations

import json
import os

import pytest
from run_folders import made_up_run

import mlpkit
from mlpkit.groups.list_runs import chosen, figure_of, in_order, names_of_figures, runs_listed
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
