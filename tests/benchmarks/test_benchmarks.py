"""The benchmarks run, and what they compare does the same work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from requirements import require_package

from mlpkit_plugins.kernels import PRODUCTS_BY

FOLDER = Path(__file__).parents[2] / "benchmarks"


def run(script, *options):
    done = subprocess.run([sys.executable, FOLDER / script, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.long
def test_start_up_measures_every_kind_of_process():
    report = run("start_up.py", "--json", "--rounds", "1", "--steps", "2")
    commands = {"mlpkit --help", "mlpkit check", "first training step", "run of one step", "with a report"}
    assert set(report["seconds"]) == set(report["multiples"]) == {"import numpy", *commands}
    assert report["multiples"]["import numpy"] == 1
    assert all(0 < seconds < 60 for seconds in report["seconds"].values())
    assert 50 < report["peak_memory_mb"] < 350
    assert report["machine"]["cores"] >= 1


def test_a_fit_is_timed_beside_scikit_learn():
    require_package("sklearn")
    command = [sys.executable, FOLDER / "sklearn_fit.py", "digits", "--rounds", "1"]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.splitlines()[-1].startswith("digits")
    assert done.stdout.count("times as fast") == 2


def test_an_open_live_page_costs_next_to_nothing_and_no_unused_plugin_is_imported():
    report = run("costs.py", "live", "plugins", "--json", "--seconds", "1", "--rounds", "1", "--plugins", "3")
    assert all(0 < size["cost"] < size["limit"] for size in report["live"])
    assert [each["what"] for each in report["plugins"][:2]] == ["mlpkit --help", "mlpkit run"]
    assert report["plugins"][2] == {"what": "plugins that were imported", "cost": 0, "limit": 0, "details": "of 3"}


def test_checkpoints_and_health_checks_have_a_cost():
    report = run("costs.py", "checkpoints", "health", "--json", "--rounds", "1", "--steps", "20", "--epochs", "1")
    assert report["checkpoints"][0]["cost"] > -1
    assert all(0 < size["cost"] < 0.2 for size in report["health"])


@pytest.mark.long
def test_growth_measures_every_cost_at_each_point():
    require_package("vl_convert")
    report = run("growth.py", "--json", "--axes", "classes", "--largest", "2")
    costs = report["axes"]["classes"]["2"]
    assert {"check", "checkpoint", "report", "memory of a run, MB"} < set(costs)
    assert all(0 <= cost < 500 for cost in costs.values())


@pytest.mark.long
def test_several_networks_have_the_same_bits_with_one_worker_and_with_more():
    report = run("several_runs.py", "--json", "--count", "2", "--rounds", "1", "--steps", "20", "--shape", "5,20")
    assert [each["kind"] for each in report["runs"]] == ["seeds", "members"]
    assert all(each["same_bits"] for each in report["runs"])
    assert all(0 < side["seconds"] < 60 for each in report["runs"] for side in each["sides"].values())


@pytest.mark.long
def test_steps_of_ranks_are_timed_and_have_the_same_bits():
    require_package("mpi4py")
    report = run("mpi.py", "--json", "--hidden", "5", "--batch-size", "20", "--steps", "3", "--rounds", "1")
    assert report["same_bits"]
    assert report["ratio"] > 0
    assert [len(report["memory"][ranks]) for ranks in ("one rank", "four ranks")] == [1, 4]
    assert list(report["networks"]) == ["1 Gbit/s", "10 Gbit/s", "100 Gbit/s"]


@pytest.mark.long
def test_sweeps_are_timed():
    report = run("sweep.py", "--json", "--trials", "2", "--epochs", "1", "--short", "2", "--rounds", "1")
    assert report["ratios"]["one worker"]["median"] > 0
    assert 0 < report["overhead_ms"][0] < 60_000


@pytest.mark.long
def test_the_best_of_a_sweep_is_compared_with_its_default():
    report = run("sweep_gain.py", "--json", "--only", "mnist_fast", "--trials", "1", "--seeds", "2")
    found = report["found"]["mnist_fast"]
    assert found["chance"]["difference"] == pytest.approx(found["best"] - found["default"])
    assert all(0 < seconds < 60 for seconds in found["seconds"])


def test_a_sweep_over_a_table_needs_the_folder_of_tables():
    command = [sys.executable, FOLDER / "sweep_gain.py", "--only", "concrete"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        2,
        "sweep_gain.py: error: concrete and vehicle need --tables FOLDER",
    )


@pytest.mark.long
def test_two_hundred_plugins_cost_next_to_nothing():
    assert all(each["cost"] <= each["limit"] for each in run("costs.py", "plugins", "--json")["plugins"])


def test_the_step_by_hand_and_that_of_mlpkit_do_the_same_and_are_timed():
    report = run(
        "step.py", "--json", "--placements", "1", "--rounds", "1", "--steps", "2"
    )  # exits with 1 if the two part ways
    assert [(step["hidden"], step["batch_size"]) for step in report["steps"]] == [(50, 32), (50, 1000), (256, 1000)]
    assert all(step["ratio"] > 0 for step in report["steps"])


def test_predictions_in_both_orders_are_timed():
    report = run("predict.py", "--json", "--rounds", "1")
    dense = ["images-50-50-10", "images-256-256-10", "images-1024-1024-10", "784-192-10", "784-1024-1024-10"]
    networks = ["mnist_3layer", "mnist_fast", "mnist_lenet", *dense]
    timed = [(each["network"], each["rows"]) for each in report["predictions"]]
    assert timed == [(name, rows) for name in networks for rows in (1, 32, 256, 1000)]
    sides = ["row_order", "training_order", *(["onnxruntime"] if find_spec("onnxruntime") else [])]
    assert all(each[side] > 0 for each in report["predictions"] for side in sides)


@pytest.mark.long
def test_steps_of_both_precisions_are_timed():
    report = run("precision.py", "--json", "--rounds", "1", "--threads", "1", "--steps", "1")
    shapes = [(step["hidden"], step["batch_size"]) for step in report["steps"]]
    assert shapes == [(50, 32), (128, 128), (50, 1000), (256, 1000), (1024, 256), (2048, 1000)]
    assert all(step["ratio"] > 0 for step in report["steps"])


@pytest.mark.long
def test_activations_and_products_of_both_kinds_are_timed():
    report = run("kernels.py", "--json", "--rounds", "1", "--seconds", "0.001")
    assert report["machine"]["products"] == PRODUCTS_BY
    assert [(each["units"], each["batch_size"]) for each in report["products"]][:2] == [(50, 32), (128, 128)]
    assert all(each["ratio"] > 0 and each["gflops"] > 0 for each in report["products"])
    assert all(0 < each[f"{side}_error"] < 1e-6 for each in report["products"] for side in ("numpy", "kernels"))
    assert all(time > 0 for each in report["activations"] for times in each["copies"].values() for time in times)
