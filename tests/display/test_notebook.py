"""Progress in a notebook: one output that is rewritten, and nothing elsewhere."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from html_tables import rows_of
from requirements import require_package

import mlpkit
from mlpkit.components.schedule import Progress
from mlpkit.display.notebook import Notebook
from mlpkit.layers import Affine, SoftmaxWithLoss
from mlpkit.training.checkpointing import BestTracker
from mlpkit.training.events import Observer, StopRequest
from mlpkit.training.health import Symptom

X = np.random.default_rng(0).normal(size=(100, 2))
T = np.where(X[:, 0] > 0, "yes", "no")
LAYERS = [{"Affine": {"units": 2}}, "SoftmaxWithLoss"]


class Cell:
    """A cell of a notebook, with a clock that stands unless it is set."""

    def __init__(self) -> None:
        self.outputs: list[list[tuple[str, str]]] = []
        self.now = 0.0
        self.progress = Notebook(self.display, lambda: 50.0 + self.now)

    def display(self, shown, display_id):
        assert display_id is True
        versions: list[tuple[str, str]] = []
        self.outputs.append(versions)

        class Handle:
            def update(self, shown):
                versions.append((repr(shown), shown._repr_html_()))

        Handle().update(shown)
        return Handle()

    @property
    def text(self):
        (versions,) = self.outputs
        return versions[-1][0]

    @property
    def html(self):
        (versions,) = self.outputs
        return versions[-1][1]


def evaluation(number, loss):
    record = {"iteration": number * 100, "epoch": float(number), "learning_rate": 0.1}
    return record | {"train_loss": loss, "validation_loss": loss + 1}


@pytest.fixture
def cell():
    cell = Cell()
    cell.progress.monitored(BestTracker("loss"))
    return cell


def test_it_is_one_output_with_a_bar_and_in_the_end_a_table(cell):
    cell.progress.started(1000)
    assert '<progress value="0" max="1000"' in cell.html
    for number in range(1, 11):
        cell.now = float(number)
        cell.progress.evaluated(evaluation(number, abs(number - 7)), cell.now)
        cell.progress.stepped(Progress(number * 100, float(number), 1000), 0.5)
    cell.now = 9.5
    cell.progress.ended()
    assert "<progress" not in cell.html
    rows = rows_of(cell.html)
    assert [row[1] for row in rows[2:]] == [str(100 * number) for number in range(1, 11)]
    assert [row[1] for row in rows if row[0] == "best"] == ["700"]
    assert cell.text == "1,000 steps in 9.5 s; best validation loss 1.0000, at iteration 700"
    assert cell.text in cell.html


def test_while_it_goes_on_it_says_how_far_and_how_long(cell):
    cell.progress.started(1000)
    assert cell.text == "0 of 1,000 steps"
    cell.now = 0.2
    cell.progress.stepped(Progress(1, 0.01, 1000), 0.5)
    assert cell.text == "1 of 1,000 steps, loss 0.5000, 3 min 20 s left"
    cell.now = 0.375
    cell.progress.stepped(Progress(2, 0.02, 1000), 0.5)
    assert cell.text.startswith("1 of 1,000 steps")
    cell.now = 2.0
    cell.progress.stepped(Progress(250, 2.5, 1000), 0.125)
    assert cell.text == "250 of 1,000 steps, loss 0.1250, 6 s left"
    assert '<progress value="250" max="1000"' in cell.html


def test_without_a_known_end_there_is_no_bar(cell):
    cell.progress.started(None)
    cell.now = 1.0
    cell.progress.stepped(Progress(250, 2.5, 1000), 0.125)
    assert cell.text == "250 steps, loss 0.1250"
    assert "<progress" not in cell.html


def test_a_resumed_run_goes_on_at_its_step(cell):
    cell.progress.resumed(600)
    cell.progress.started(1000)
    assert '<progress value="600" max="1000"' in cell.html
    cell.now = 1.0
    cell.progress.stepped(Progress(800, 8.0, 1000), 0.5)
    assert cell.text == "800 of 1,000 steps, loss 0.5000, 1 s left"


def test_a_run_that_ends_early_says_how_far_it_came(cell):
    cell.progress.started(1000)
    cell.progress.evaluated(evaluation(4, 0.5), 0.0)
    cell.now = 65.0
    cell.progress.ended()
    assert cell.text == "400 of 1,000 steps in 1 min 05 s"


def test_one_step_is_one_step(cell):
    cell.progress.started(1)
    cell.now = 0.015
    cell.progress.stepped(Progress(1, 1.0, 1), 0.5)
    cell.progress.ended()
    assert cell.text == "1 step in 0.015 s"


def test_what_ends_before_it_starts_shows_nothing(cell):
    cell.progress.diagnosed(Symptom("dead_units", "Relu1", "all of them", ("--set a=1",), 0))
    cell.progress.ended()
    assert cell.outputs == []


def test_however_often_it_evaluates_it_is_drawn_five_times_a_second_and_has_ten_rows(cell):
    cell.progress.started(10_000)
    for number in range(1, 101):
        cell.now += 0.01
        cell.progress.evaluated(evaluation(number, 1 / number), cell.now)
    cell.progress.ended()
    (versions,) = cell.outputs
    assert len(versions) <= 1 + 5 + 1
    assert len(rows_of(cell.html)) <= 2 + 10


def test_a_symptom_is_shown_even_if_no_step_follows(cell):
    cell.progress.started(1000)
    cell.now = 0.2
    cell.progress.diagnosed(Symptom("dead_units", "Relu1", "half of them", ("--set a=1",), 0))
    assert cell.html.endswith("<div>note: dead units in Relu1: half of them; try --set a=1</div>")


def test_a_symptom_stands_below_the_table(cell):
    cell.progress.started(1000)
    for layer, finding in (("Relu1", "all <b> of them"), ("Relu1", "some of them"), ("Relu2", "half of them")):
        cell.progress.diagnosed(Symptom("dead_units", layer, finding, ("--set a=1",), 0))
    cell.progress.evaluated(evaluation(1, 0.5), 0.0)
    first = "<div>note: dead units in Relu1: all &lt;b&gt; of them; try --set a=1</div>"
    notes = f"{first}<div>note: dead units in Relu2: half of them; try --set a=1</div>"
    cell.now = 0.25
    cell.progress.stepped(Progress(100, 1.0, 1000), 0.5)
    assert cell.html.startswith("<div><progress ")
    assert cell.html.endswith(f"</table>{notes}")
    cell.progress.ended()
    assert cell.html.endswith(f"</table>{notes}<div>100 of 1,000 steps in 0.25 s</div>")


def test_names_of_metrics_are_escaped(cell):
    cell.progress.started(100)
    cell.progress.evaluated(evaluation(1, 0.5) | {"train_<b>": 1.0, "validation_<b>": 1.0}, 0.0)
    cell.progress.ended()
    assert "<b>" not in cell.html
    assert "<b>" in rows_of(cell.html)[0]


class FakeShell:
    kernel = object()


def ends(shown):
    """What is shown when a training is over, without how long it took."""
    return [before for before, found, _ in (text.partition(" in ") for text in shown) if found]


def test_every_way_to_train_shows_it_in_a_kernel_and_only_there(monkeypatch, tmp_path):
    ipython = require_package("IPython")
    import IPython.display

    shown = []

    class Handle:
        def update(self, output):
            shown.append(repr(output))

    monkeypatch.setattr(IPython.display, "display", lambda output, display_id: Handle())
    spec = mlpkit.load_spec(
        {
            "mlpkit": 1,
            "data": {"csv": {"file": "example:flowers.csv", "target": "species", "ignore": ["soil", "stem_height"]}},
            "layers": [{"Affine": {"units": 3}}, "SoftmaxWithLoss"],
            "training": {"optimizer": "adam", "iterations": 2},
        }
    )
    network = mlpkit.Sequential([Affine(2), SoftmaxWithLoss()], input_shape=(2,))

    def train(**options):
        mlpkit.fit(X, T, layers=LAYERS, iterations=2, **options)
        network.fit(X, T, iterations=2, **options)
        mlpkit.run(spec, **options)

    train()  # IPython is imported, but runs nothing
    monkeypatch.setattr(ipython, "get_ipython", FakeShell)
    train(quiet=True)
    train(observer=Observer())
    assert shown == []
    train()
    assert ends(shown) == ["2 steps"] * 3
    shown.clear()
    stop = StopRequest()
    stop.stop("enough")
    mlpkit.fit(X, T, layers=LAYERS, iterations=3, directory=tmp_path / "run", stop=stop, quiet=True)
    mlpkit.resume(tmp_path / "run", examples=(X, T))
    assert ends(shown) == ["3 steps"]


def test_a_script_shows_nothing_and_imports_no_ipython():
    code = (
        "import sys, mlpkit\n"
        "mlpkit.fit([[0.0], [1.0]], [0.0, 1.0], layers=[{'Affine': {'units': 1}}, 'MeanSquaredError'], epochs=2)\n"
        "assert 'IPython' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
