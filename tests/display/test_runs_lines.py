"""What is said while several seeds are trained, beside the figures."""

from __future__ import annotations

from mlpkit.cli.interrupt import Interrupts
from mlpkit.display.display import Display, RunNames
from mlpkit.display.lines import Lines
from mlpkit.training.events import Event, TrainingEnd
from mlpkit.training.health import Symptom

SYMPTOM = Symptom("dead_units", "Relu1", "9 of 10 units", ("--set training.optimizer.sgd.learning_rate=0.01",), 100)


def record_of(iteration):
    return {"iteration": iteration, "epoch": iteration / 10, "learning_rate": 0.1, "train_loss": 0.5}


def test_what_several_runs_have_is_written_out_once(capsys):
    display = Display(RunNames("seed"))
    for seed in (3, 5):
        display.noticed(seed, "other versions")
        display.over(seed, TrainingEnd(failure="not a number"))
    assert capsys.readouterr().err.splitlines() == [
        "warning: seed 3: other versions",
        "error: seed 3: not a number",
        "warning: seed 5: the same as seed 3",
        "error: seed 5: the same as seed 3",
    ]


def test_a_symptom_of_several_runs_is_said_once(capsys):
    lines = Lines(RunNames("seed"))
    for seed in (3, 5):
        lines.diagnosed(seed, SYMPTOM)
    assert capsys.readouterr().err.splitlines() == [f"note: seed 3: {SYMPTOM}"]


def test_from_the_beginning_of_the_first_run_on_there_is_something_to_finish(capsys):
    interrupts = Interrupts()
    interrupts(Event(0, "noticed", ("other versions",)))
    assert not interrupts.training_began
    interrupts(Event(0, "began", ({3: "group/seed-3"}, 2)))
    assert interrupts.training_began
    assert capsys.readouterr() == ("", "")


def test_each_run_has_ever_fewer_lines_and_its_last(capsys):
    lines = Lines(RunNames("seed"))
    lines.resumed(8, 40)
    for iteration in range(1, 16):
        for seed in (3, 8):
            lines.evaluated(seed, record_of(iteration), 0.0)
    lines.over(3, TrainingEnd(15, metrics={"test": {"loss": 0.25}}))
    lines.over(8, TrainingEnd(15, stopped="a signal"))
    printed = capsys.readouterr()
    assert printed.err == "seed 8: resuming after step 40\n"
    heading, *rows = printed.out.splitlines()
    assert heading.split() == ["seed", "iteration", "epoch", "train_loss"]
    figures = [row.split() for row in rows if not row.startswith("seed")]
    for seed in ("3", "8"):
        iterations = [int(row[1]) for row in figures if row[0] == seed]
        assert iterations == [*range(1, 11), 12, 14, 15]
    assert "seed 3: test loss 0.2500" in rows
    assert rows[-1].split()[:2] == ["8", "15"]
