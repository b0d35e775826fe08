"""The curves of a run."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from requirements import require_package

import mlpkit
from mlpkit.training.checkpointing import BestTracker
from mlpkit.training.events import StopRequest

require_package("matplotlib", 'run.plot() needs matplotlib: pip install "mlpkit[plot]"')
from mlpkit.display.plot import curves

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 4))
T = np.where(X[:, 0] > 0, "yes", "no")
LAYERS = [{"Affine": {"units": 8}}, "Relu", {"Affine": {"units": 2}}, "SoftmaxWithLoss"]
FIVE = ["accuracy", "f1", "precision", "recall", "roc_auc"]


def fit(**options):
    return mlpkit.fit(X, T, layers=LAYERS, **{"epochs": 5, "validation": 0.2, **options})


def lines_of(axes):
    """Return the points of each curve by its label."""
    return {line.get_label(): np.stack(line.get_data(), axis=1).tolist() for line in axes.get_lines()}


@pytest.mark.parametrize("metrics", [FIVE[:count] for count in (0, 1, 2, 5)], ids=len)
@pytest.mark.parametrize("x", ["epoch", "iteration"])
def test_loss_and_each_metric_have_a_panel_with_the_history(metrics, x):
    run = fit(metrics=metrics)
    figure = run.plot(x=x)
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss (nats)", *metrics]
    assert {axes.get_xlabel() for axes in figure.axes} == {f"{x}s"}
    for axes in figure.axes:
        curves = lines_of(axes)
        for split in ("train", "validation"):
            key = f"{split}_{axes.get_ylabel().partition(' ')[0]}"
            assert curves[split] == [[record[x], record[key]] for record in run.history]


def made_up(count, *metrics):
    keys = [f"{split}_{name}" for split in ("train", "validation") for name in ("loss", *metrics)]
    return [{"iteration": 7 * i, "epoch": 0.25 * i, **dict.fromkeys(keys, 1 / i)} for i in range(1, count + 1)]


@pytest.mark.parametrize(
    ("metrics", "size", "grid"), [(0, (4.8, 3), (1, 1)), (1, (9.6, 3), (1, 2)), (2, (9.6, 6), (2, 2))]
)
def test_panels_are_in_two_columns(metrics, size, grid):
    figure = curves(made_up(3, *FIVE[:metrics]), BestTracker("loss"))
    assert figure.get_size_inches() == pytest.approx(size)
    assert [axes.get_subplotspec().get_geometry() for axes in figure.axes] == [
        (*grid, i, i) for i in range(1 + metrics)
    ]
    assert [axes.get_legend() is not None for axes in figure.axes] == [True, *[False] * metrics]


@pytest.mark.parametrize(("evaluations", "marker"), [(30, "."), (31, "")])
def test_evaluations_have_points_if_they_are_few(evaluations, marker):
    (axes,) = curves(made_up(evaluations), BestTracker("loss")).axes
    assert {line.get_marker() for line in axes.get_lines()} == {marker}
    assert axes.get_xlim()[0] == 0


@pytest.mark.parametrize(
    ("count", "x", "title", "whole"),
    [
        (3, "epoch", "best validation loss 0.3333, at epoch 0.75", False),
        (4, "epoch", "best validation loss 0.2500, at epoch 1", True),
        (200, "iteration", "best validation loss 0.0050, at iteration 1,400", True),
    ],
)
def test_the_title_has_the_place_of_the_best_and_whole_epochs_are_marked_alone(count, x, title, whole):
    tracker, history = BestTracker("loss"), made_up(count)
    for record in history:
        tracker.improved(record)
    figure = curves(history, tracker, x)
    ticks = figure.axes[0].get_xticks()
    assert (figure.get_suptitle(), bool((ticks == ticks.round()).all())) == (title, whole)
    assert curves(history, BestTracker("loss"), x).get_suptitle() == ""


def test_the_best_evaluation_is_marked_in_each_panel():
    run = fit(metrics=["accuracy"], best_weights="accuracy", epochs=30)
    best = max(run.history, key=lambda record: record["validation_accuracy"])
    figure = run.plot()
    assert figure.get_suptitle() == (
        f"best validation accuracy {best['validation_accuracy']:.4f}, at epoch {best['epoch']:.0f}"
    )
    for axes in figure.axes:
        assert lines_of(axes)["best"] == [[best["epoch"], best[f"validation_{axes.get_ylabel().partition(' ')[0]}"]]]


@pytest.mark.parametrize(
    ("loss", "labels"),
    [
        ("MeanSquaredError", ["loss (price²)", "mean_absolute_error (price)", "r2"]),
        ("MeanAbsoluteError", ["loss (price)", "mean_absolute_error (price)", "r2"]),
    ],
)
def test_what_has_the_unit_of_the_target_says_so(tmp_path, monkeypatch, loss, labels):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("a,price\n" + "".join(f"{n},{n * n}\n" for n in range(200)))
    spec = {
        "mlpkit": 1,
        "data": {"csv": {"file": "t.csv", "target": "price", "predict": "values"}},
        "layers": [{"Affine": {"units": 1}}, loss],
        "training": {"optimizer": "adam", "epochs": 2, "metrics": ["mean_absolute_error", "r2"]},
    }
    assert [axes.get_ylabel() for axes in mlpkit.run(mlpkit.load_spec(spec)).plot().axes] == labels
    run = mlpkit.fit(X, X[:, 0], layers=[{"Affine": {"units": 1}}, "Huber"], epochs=1)
    assert [axes.get_ylabel() for axes in run.plot().axes] == ["loss (target²)"]


def test_without_validation_the_curve_of_training_is_marked():
    run = fit(validation=0)
    (axes,) = run.plot().axes
    curves = lines_of(axes)
    assert "validation" not in curves
    assert curves["best"] == [min(curves["train"], key=lambda point: point[1])]


def test_a_loss_that_spans_a_hundredfold_is_drawn_logarithmically():
    run = fit()
    assert run.plot().axes[0].get_yscale() == "linear"
    run.history[0]["train_loss"] = 500.0
    assert run.plot().axes[0].get_yscale() == "log"


def test_a_run_that_was_stopped_has_the_curves_so_far(tmp_path):
    stop = StopRequest()
    stop.stop("enough")
    run = fit(stop=stop, directory=tmp_path / "run")
    figure = run.plot()
    assert (figure.get_suptitle(), len(figure.axes)) == ("no evaluation yet", 1)
    assert figure._repr_png_()[0]
    resumed = mlpkit.resume(tmp_path / "run", examples=(X, T))
    assert len(lines_of(resumed.plot().axes[0])["train"]) == 5


UNDEFINED = """
import mlpkit

class Undefined(mlpkit.Metric):
    def update(self, prediction, t): pass
    def merge(self, other): pass
    def result(self): return float("nan")

@mlpkit.hookimpl
def mlpkit_components():
    return [mlpkit.component("metric", "undefined", Undefined)]
"""


def test_a_finished_run_has_the_same_curves_when_it_is_opened_again(tmp_path):
    plugin, kept = tmp_path / "mine.py", tmp_path / "run"
    plugin.write_text(UNDEFINED)
    run = fit(metrics=["mine.undefined", "accuracy"], directory=kept, plugins=[plugin])
    assert math.isnan(run.history[0]["validation_mine.undefined"])
    again = mlpkit.resume(kept, plugins=[plugin])
    assert [list(record) for record in again.history] == [list(record) for record in run.history]
    for first, second in zip(run.plot().axes, again.plot().axes, strict=True):
        assert repr(lines_of(first)) == repr(lines_of(second))


def test_marks_have_the_colours_of_the_style():
    import matplotlib.style

    run = fit()
    with matplotlib.style.context("dark_background"):
        figure = run.plot()
    (best,) = [line for line in figure.axes[0].get_lines() if line.get_label() == "best"]
    assert (best.get_markeredgecolor(), figure.get_facecolor()) == ("white", (0, 0, 0, 1))


def test_what_curves_cannot_be_drawn_over_is_refused():
    with pytest.raises(mlpkit.UsageError, match="curves can't be drawn over 'step'; expected 'epoch' or 'itera"):
        fit().plot(x="step")


FIT = """
import sys
import mlpkit
run = mlpkit.fit([[0.0], [1.0]], [0.0, 1.0], layers=[{"Affine": {"units": 1}}, "MeanSquaredError"], epochs=2)
"""


def python(code):
    return subprocess.run([sys.executable, "-c", FIT + code], capture_output=True, text=True, check=False)


def test_it_is_a_picture_for_a_notebook_without_pyplot():
    done = python(
        "content, size = run.plot()._repr_png_()\n"
        "assert content.startswith(b'\\x89PNG') and size == {'width': 480, 'height': 300}, size\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    assert done.returncode == 0, done.stderr


def test_training_does_not_import_matplotlib():
    assert python("print('matplotlib' in sys.modules, 'IPython' in sys.modules)").stdout == "False False\n"


def test_without_matplotlib_the_error_says_what_to_install():
    done = python("sys.modules['matplotlib'] = None\ntry: run.plot()\nexcept mlpkit.UsageError as error: print(error)")
    assert done.stdout == 'run.plot() needs matplotlib; install it with: pip install "mlpkit[plot]"\n'
