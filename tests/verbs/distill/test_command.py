"""``mlpkit distill`` writes a spec for a small network, trains it, and compares it with its teacher."""

from __future__ import annotations

import json
import signal
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

import mlpkit
from mlpkit.jobs.load_model import load_run
from mlpkit.registry.registry import Registry
from mlpkit.training.events import Observer
from mlpkit.verbs.distill.distill import pupil_text, trained

TEACHER = """\
mlpkit: 1
seed: 3
data:
  csv: {file: rows.csv, target: kind, test: 0.3, numbers: {robust_smooth_clip: {limit: 4}}, unknown: zeros}
layers:
  - Affine: {units: 32}
  - Relu
  - Affine: {units: auto}
  - SoftmaxWithLoss: {label_smoothing: 0.1}
training: {optimizer: adam, epochs: 8, batch_size: 16, metrics: [accuracy, confusion_matrix]}
"""


@pytest.fixture
def teacher(cwd, invoke):
    """Train a network on a table, in ``runs/teacher``."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(80, 2)).round(3)
    table = [f"{a},{b},{'yes' if a * b > 0 else 'no'}" for a, b in rows]
    Path("rows.csv").write_text("\n".join(["a,b,kind", *table]))
    Path("teacher.yaml").write_text(TEACHER)
    assert invoke("run", "teacher.yaml", "--quiet").code == 0
    Path("specs").mkdir()
    return Path("runs/teacher")


@pytest.fixture
def clock(monkeypatch):
    """Let each prediction take 1234.56 microseconds."""
    made_up = SimpleNamespace(perf_counter=count(0, 0.00123456).__next__)
    monkeypatch.setattr("mlpkit.verbs.distill.distill.time", made_up)


def test_it_writes_a_spec_on_the_same_data_trains_it_and_compares(teacher, invoke):
    done = invoke("distill", teacher, "--into", "specs/small.yaml", "--json")
    assert done.code == 0, done.err
    assert "written to specs/small.yaml\n" in done.err
    written = yaml.safe_load(Path("specs/small.yaml").read_text())
    assert written["data"] == {
        "csv": {
            "file": "../rows.csv",
            "target": "kind",
            "test": 0.3,
            "numbers": {"robust_smooth_clip": {"limit": 4.0}},
            "unknown": "zeros",
        }
    }
    assert written["training"]["teacher"] == {"run": "../runs/teacher", "weight": 0.5, "temperature": 2.0}
    assert written["training"]["metrics"] == ["accuracy", "confusion_matrix"]
    found = json.loads(done.out)
    assert (found["spec"], found["folder"], found["split"]) == ("specs/small.yaml", "runs/small", "test")
    for name in ("teacher", "pupil"):
        folder = Path(f"runs/{'small' if name == 'pupil' else name}")
        metrics = json.loads((folder / "metrics.json").read_text())["test"]
        assert found[name]["metrics"]["accuracy"] == metrics["accuracy"]
        assert found[name]["bytes"] == (folder / "model.safetensors").stat().st_size
        assert found[name]["microseconds"].keys() == {"1", "1000"}
    assert "loss" not in found["teacher"]["metrics"]  # its labels are smoothed
    del written["training"]["teacher"]
    Path("specs/alone.yaml").write_text(yaml.safe_dump(written))
    alone = mlpkit.run(mlpkit.load_spec("specs/alone.yaml"), observer=Observer())
    assert found["without_teacher"]["metrics"] == alone.metrics["test"]
    costs = ("bytes", "microseconds")
    assert [found["without_teacher"][each] for each in costs] == [found["pupil"][each] for each in costs]
    assert 0 < found["pupil"]["microseconds"]["1"] < found["pupil"]["microseconds"]["1000"] < 10**6


def test_a_stopped_training_ends_without_a_comparison_and_says_how_to_resume_it(teacher, invoke, monkeypatch):
    def stopped(spec, out, interrupts, *, quiet):
        interrupts.training_began = True
        signal.raise_signal(signal.SIGTERM)
        return trained(spec, out, interrupts, quiet=quiet)

    monkeypatch.setattr("mlpkit.verbs.distill.distill.trained", stopped)
    done = invoke("distill", teacher, "--into", "specs/small.yaml", "--out", "my run", "--json")
    assert (done.code, done.out) == (128 + signal.SIGTERM, "")
    first, *_, last = done.err.splitlines()
    assert first == "written to specs/small.yaml"
    assert last == "SIGTERM: stopped; to resume it: mlpkit resume 'my run'"
    assert invoke("resume", "my run", "--quiet").code == 0


def test_a_spec_that_exists_is_taken_as_it_is_and_the_table_fits_a_terminal(teacher, invoke, clock):
    path, text = Path("specs/small.yaml"), TEACHER.replace("rows.csv", "../rows.csv")
    text = text.replace("training: {", "training: {teacher: {run: ../runs/teacher, weight: 0.9}, ")
    path.write_text(text)
    done = invoke("distill", teacher, "--into", path)
    assert done.code == 0, done.err
    assert path.read_text() == text
    assert "written to" not in done.err
    lines = done.out.splitlines()
    head = next(i for i, line in enumerate(lines) if line.split() == ["teacher", "pupil", "without", "teacher"])
    names = [line[: lines[head].index("teacher")].strip() for line in lines[head + 1 :]]
    assert names[:5] == ["test loss", "test accuracy", "bytes", "microseconds, 1 row", "microseconds, 1,000 rows"]
    assert lines[head + 4] == "microseconds, 1 row         1,235   1,235            1,235"
    assert max(map(len, lines[head:])) <= 80
    assert lines[-1] == "saved in runs/small"


def test_a_spec_without_a_teacher_is_refused_and_the_advice_works(teacher, invoke):
    path = Path("specs/small.yaml")
    spec = yaml.safe_load(TEACHER.replace("rows.csv", "../rows.csv"))
    path.write_text(yaml.safe_dump(spec))
    done = invoke("distill", teacher, "--into", path)
    assert done.code == 2
    assert "add teacher: {run: ../runs/teacher} to its section training" in done.err
    spec["training"] |= yaml.safe_load("teacher: {run: ../runs/teacher}")
    path.write_text(yaml.safe_dump(spec))
    assert invoke("distill", teacher, "--into", path).code == 0


def test_for_images_the_spec_is_the_users(cwd, invoke, clock):
    as_images = yaml.safe_load(Path("tiny.yaml").read_text())
    as_images["data"]["mnist"]["flatten"] = False
    as_images["layers"].insert(0, "Flatten")
    Path("images.yaml").write_text(yaml.safe_dump(as_images))
    assert invoke("run", "images.yaml", "--quiet", "--out", "images").code == 0
    done = invoke("distill", "images", "--into", "small.yaml")
    assert done.code == 2
    assert "training.teacher" in done.err
    assert not Path("small.yaml").exists()
    as_images["training"]["teacher"] = {"run": "images", "weight": 0.9}
    Path("small.yaml").write_text(yaml.safe_dump(as_images))
    done = invoke("distill", "images", "--into", "small.yaml", "--json")
    assert done.code == 0, done.err
    pupil = json.loads(done.out)["pupil"]
    assert pupil["metrics"]
    assert pupil["microseconds"] == {"1": 1234.6, "1000": 1234.6}


def test_data_in_memory_is_for_python(cwd, invoke):
    layers = [{"Affine": {"units": 2}}, "SoftmaxWithLoss"]
    mlpkit.fit(np.eye(4), [0, 1, 0, 1], layers=layers, epochs=1, directory="memory", quiet=True)
    done = invoke("distill", "memory", "--into", "small.yaml")
    assert done.code == 2
    assert "mlpkit.fit" in done.err


def test_rows_without_labels_teach_what_was_predicted_for_them(teacher, invoke):
    rows = np.random.default_rng(1).normal(size=(400, 2)).round(3)
    Path("new.csv").write_text("\n".join(["a,b", *(f"{a},{b}" for a, b in rows)]))
    assert invoke("predict", teacher, "new.csv", "--keep-inputs", "--out", "soft.csv").code == 0
    spec = yaml.safe_load(TEACHER)
    spec["data"] = {
        "csv": {
            "file": "soft.csv",
            "target": ["probability_no", "probability_yes"],
            "predict": "probabilities",
            "inputs": ["a", "b"],
        }
    }
    spec["layers"][-1] = "SoftmaxWithLoss"
    spec["training"] = {"optimizer": {"adam": {"learning_rate": 0.01}}, "iterations": 1000, "batch_size": 50}
    Path("pupil.yaml").write_text(yaml.safe_dump(spec))
    assert invoke("run", "pupil.yaml", "--quiet").code == 0
    expected, predicted = (mlpkit.load(run).predict_proba(rows) for run in (teacher, Path("runs/pupil")))
    assert np.abs(expected - predicted).mean() < 0.02


SMALL = """\
mlpkit: 1
SEEDdata:
  csv:
    file: ../rows.csv
    target: TARGET
    numbers:
      robust_smooth_clip: {limit: 4.0}
    DATA
    test: 0.3
layers:
- Affine: {units: 64}
- Relu
- Affine: {units: auto}
- LOSS
training:
  teacher: {run: TEACHER}
  optimizer:
    adam:
      learning_rate:
        one_cycle: {peak: 0.01}
  batch_size: BATCH
  epochs: EPOCHS
  evaluate_train: false
  metrics: [METRICS]
"""


def filled(template, **words):
    for word, text in words.items():
        template = template.replace(word.upper(), text)
    return template


@pytest.mark.parametrize(("rows_read", "epochs"), [(48 * 59, 60), (48 * 77 + 47, 77), (48 * 401, 400)])
def test_the_whole_spec_of_a_classifier(teacher, monkeypatch, rows_read, epochs):
    monkeypatch.setattr("mlpkit.verbs.distill.distill.ROWS_READ", rows_read)
    text = pupil_text(teacher, load_run(teacher, Registry.discover()), Path("specs"))
    words = {"seed": "seed: 3\n", "target": "kind", "data": "unknown: zeros", "loss": "SoftmaxWithLoss"}
    run = "../runs/teacher, weight: 0.5, temperature: 2.0"
    words |= {"teacher": run, "batch": "12", "epochs": str(epochs), "metrics": "accuracy, confusion_matrix"}
    assert text == filled(SMALL, **words) + "  best_weights: loss\n"


@pytest.mark.parametrize(("rows", "batch"), [(2, 1), (39, 9), (511, 127), (519, 128)])
def test_the_whole_spec_for_values_without_validation(teacher, rows, batch):
    made = TEACHER.replace(
        "target: kind, test: 0.3", "target: b, predict: values, ignore: [kind], validation: 0, test: 0"
    )
    made = made.replace("SoftmaxWithLoss: {label_smoothing: 0.1}", "MeanSquaredError").replace("seed: 3\n", "")
    Path("values.yaml").write_text(made.replace("[accuracy, confusion_matrix]", "[r2]"))
    mlpkit.run(mlpkit.load_spec("values.yaml", overrides={"training.epochs": 1}), "runs/values", quiet=True)
    Path("rows.csv").write_text("a,b,kind\n" + "".join(f"{i % 9},{i % 7},no\n" for i in range(rows)))
    text = pupil_text(Path("runs/values"), load_run(Path("runs/values"), Registry.discover()), Path("specs"))
    data = "predict: values\n    ignore: [kind]\n    unknown: zeros\n    validation: 0.0"
    words = {"seed": "", "target": "b", "data": data, "loss": "MeanSquaredError", "batch": str(batch)}
    words |= {"teacher": "../runs/values, weight: 0.5", "epochs": "400", "metrics": "r2"}
    assert text == filled(SMALL, **words).replace("test: 0.3", "test: 0.0")
