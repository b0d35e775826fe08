"""The key ``coverage``: what it refuses, whose rows set the threshold, and when nothing is guaranteed."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from stop_at import StopAt

import mlpkit
from mlpkit.errors import SpecShapeError, UsageError
from mlpkit.jobs.check import check
from mlpkit.network.coverage import rank_of

RNG = np.random.default_rng(1)
ROWS = 200
AREA = RNG.uniform(20, 200, ROWS)
PRICE = 3 * AREA + 20 * RNG.normal(size=ROWS)
LAYERS = [{"Affine": {"units": 4}}, "Tanh", {"Affine": {"units": "auto"}}]
TRAINING = {"optimizer": {"adam": {"learning_rate": 0.02}}, "epochs": 2, "batch_size": 30}


@pytest.fixture(scope="module", autouse=True)
def table(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("work"))
        rows = zip(AREA.round(3), PRICE.round(3), AREA > 100, AREA < 50, range(ROWS), [1] * ROWS, strict=True)
        with Path("homes.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["area", "price", "large", "small", "day", "weight"], *rows])
        yield


def spec(data=(), loss="MeanSquaredError", coverage=0.9, **more):
    table = {
        "file": "homes.csv",
        "target": "price",
        "predict": "values",
        "inputs": ["area"],
        "scale_target": "standardize",
    }
    table |= {"validation": 0.2, "test": 0.2, "split": "shuffle"}
    table |= dict(data)
    keys = {"mlpkit": 1, "data": {"csv": table}, "layers": [*LAYERS, loss], "training": TRAINING, **more}
    return mlpkit.load_spec(keys | ({} if coverage is None else {"coverage": coverage}))


CLASSES = {"target": "large", "predict": "classes", "scale_target": "none"}


def fault(wrong):
    with pytest.raises(SpecShapeError) as caught:
        check(wrong)
    (found,) = caught.value.faults
    return found


def test_too_few_held_out_rows_are_refused_with_their_number():
    wrong = spec(coverage=0.99)
    found = fault(wrong)
    assert found.code == "out-of-range"
    assert found.message == "coverage: 0.99 needs 99 held-out rows, but csv has 40 rows for validation"
    assert found.remedy == "give it more, in validation; or ask for less coverage"
    check(spec(coverage=0.9755))  # 40 rows are just enough
    check(spec({"validation": 0.5}, coverage=0.99))


def test_without_rows_for_validation_there_is_no_threshold():
    found = fault(spec({"validation": 0}))
    assert found.message == "coverage: 0.9 needs 9 held-out rows, but csv has no rows for validation"
    assert found.remedy == "give it more, in validation; or leave out coverage"


def test_labels_weights_and_losses_without_a_point_are_refused():
    labels = spec({"target": ["large", "small"], "predict": "labels", "scale_target": "none"}, "SigmoidWithLoss")
    found = fault(labels)
    assert (found.code, found.message) == ("wrong-target", "coverage is not for 2 labels")
    weights = fault(spec({"weight": "weight"}))
    assert weights.code == "conflicting-keys"
    assert "the examples have weights" in weights.message
    quantile = fault(spec(loss={"Pinball": {"quantiles": [0.9]}}))
    assert quantile.code == "wrong-target"
    assert "predicts the quantiles [0.9], but not the median" in quantile.message
    check(spec(loss={"Pinball": {"quantiles": [0.5]}}))
    check(spec(loss={"Pinball": {"quantiles": [0.1, 0.9]}}))


@pytest.mark.parametrize("share", [0, 1, -0.5, True, "0.9"])
def test_a_coverage_is_a_number_between_0_and_1(share):
    with pytest.raises(mlpkit.MlpkitError, match="coverage"):
        spec(coverage=share)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"split": {"time": "day"}}, "no guarantee: rows are split by time ('day'), and later ones may differ"),
        ({"split": {"group": "day"}}, "no guarantee: rows are split by groups ('day'), and rows of a group are alike"),
    ],
)
def test_rows_that_are_not_exchangeable_give_no_guarantee(data, why, tmp_path):
    checked = check(spec(data))
    assert why in [warning.message for warning in checked.data_warnings]
    assert not check(spec(data, coverage=None)).data_warnings
    assert not check(spec()).data_warnings
    with pytest.warns(UserWarning, match="no guarantee: rows are split by"):
        run = mlpkit.run(spec(data), tmp_path / "run")
    with pytest.warns(UserWarning, match="coverage has no guarantee: rows are split by"):
        run.model.predict_interval([{"area": 80}])
    regions = json.loads(mlpkit_output("evaluate", run.folder, "--json"))["test"]["regions"]
    assert f"no guarantee: {regions['doubt']}" == why
    assert regions["of"][0]["theory"] is None
    text = mlpkit_output("evaluate", run.folder)
    assert f"no guarantee: {regions['doubt']}" in text
    assert "of tests" not in text


def test_examples_in_their_order_give_no_guarantee():
    run = {
        "layers": [{"Affine": {"units": 1}}, "MeanSquaredError"],
        "epochs": 1,
        "predict": "values",
        "standardize": True,
        "scale_target": "standardize",
    }
    with pytest.warns(UserWarning, match="no guarantee: examples are split in their order"):
        mlpkit.fit(AREA[:, np.newaxis], PRICE, coverage=0.8, validation=0.2, split="in_order", **run)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mlpkit.fit(AREA[:, np.newaxis], PRICE, coverage=0.8, validation=0.2, **run)


@pytest.mark.parametrize(("data", "loss"), [({}, "MeanSquaredError"), (CLASSES, "SoftmaxWithLoss")])
def test_a_run_keeps_its_threshold_in_its_model_file_and_gives_the_same_bits_again(data, loss, tmp_path):
    run = mlpkit.run(spec(data, loss), tmp_path / "run")
    again = mlpkit.run(spec(data, loss), tmp_path / "again")
    files = [folder / "model.safetensors" for folder in (run.folder, again.folder)]
    assert files[0].read_bytes() == files[1].read_bytes()
    loaded = mlpkit.load(run.folder)
    rows = [{"area": area} for area in (30, 90, 150)]
    regions = [model.predict_set(rows) if data else model.predict_interval(rows) for model in (run.model, loaded)]
    np.testing.assert_array_equal(*regions)
    assert loaded.network.states["coverage.held_out"] == 40


def test_a_run_that_was_stopped_has_no_regions_and_a_resumed_one_those_of_the_whole(tmp_path):
    whole, watch = mlpkit.run(spec(), tmp_path / "whole"), StopAt(4)
    stopped = mlpkit.run(spec(), tmp_path / "stopped", observer=watch, stop=watch.stop)
    with pytest.raises(UsageError, match="without an interval"):
        stopped.model.predict_interval([{"area": 80}])
    mlpkit.resume(tmp_path / "stopped")
    files = [tmp_path / f"{name}/model.safetensors" for name in ("whole", "stopped")]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert whole.network.states["coverage.threshold"] > 0


def test_with_folds_the_threshold_comes_from_rows_out_of_fold(tmp_path):
    run = mlpkit.run(spec(ensemble={"folds": 3}), tmp_path / "run")
    found = run.out_of_fold
    scores = np.sort(abs(found.values - found.targets).reshape(-1))
    assert len(scores) == 160
    assert run.network.states["coverage.threshold"] == pytest.approx(scores[rank_of(0.9, 160) - 1])
    assert "coverage.threshold" not in run.members[0].network.states
    evaluated = json.loads(mlpkit_output("evaluate", run.folder, "--json"))
    assert "networks of their own" in evaluated["test"]["regions"]["doubt"]


def test_rows_of_all_folds_count_as_held_out():
    found = fault(spec(ensemble={"folds": 2}, coverage=0.994))
    assert found.message == "coverage: 0.994 needs 166 held-out rows, but csv has 160 rows in all folds"
    check(spec(ensemble={"folds": 2}, coverage=0.993))


def test_a_calibration_takes_half_of_the_held_out_rows(tmp_path):
    found = fault(spec(CLASSES, "SoftmaxWithLoss", coverage=0.96, calibration="temperature"))
    whose = "csv has 40 rows for validation, and calibration takes half of them"
    assert found.message == f"coverage: 0.96 needs 48 held-out rows, but {whose}"
    run = mlpkit.run(spec(CLASSES, "SoftmaxWithLoss", calibration="temperature"), tmp_path / "run")
    assert run.network.states["coverage.held_out"] == 20


def test_without_the_key_nothing_of_it_is_loaded_or_kept(tmp_path):
    program = (
        "import sys, mlpkit; run = mlpkit.run(mlpkit.load_spec(sys.argv[1]), sys.argv[2]);"
        "run.model.predict([{'area': 50}]);"
        "print([name for name in sys.modules if name.endswith(('coverage', 'held_out', 'regions'))]);"
        "print([*run.network.states])"
    )
    file = tmp_path / "spec.yaml"
    file.write_text(
        json.dumps(
            {
                "mlpkit": 1,
                "data": spec().document.values["data"],
                "layers": [*LAYERS, "MeanSquaredError"],
                "training": TRAINING,
            }
        )
    )
    Path(tmp_path / "homes.csv").write_bytes(Path("homes.csv").read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", program, file, tmp_path / "run"], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["[]", "[]"]
    assert "coverage" not in (tmp_path / "run/resolved.yaml").read_text()
    assert b"coverage" not in (tmp_path / "run/model.safetensors").read_bytes()


def mlpkit_output(*arguments):
    command = [sys.executable, "-m", "mlpkit", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
