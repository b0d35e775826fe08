"""The process that draws charts."""

from __future__ import annotations

import builtins
import io
import json
import os
import subprocess
import sys
from contextlib import suppress
from types import SimpleNamespace

import pytest

from mlpkit.errors import ChartError
from mlpkit.pages import charts
from mlpkit.pages.charts import engine
from mlpkit.second_process import start_process

pytest.importorskip("vl_convert")
LOSSES = [{"iteration": i, "loss": 1.0 / i, "series": "train"} for i in (1, 2, 3)]


FORKS = """
import os, sys
from mlpkit.pages import charts
losses = [{"iteration": i, "loss": 1.0 / i, "series": "train"} for i in (1, 2, 3)]
draw = lambda: charts.figure("Loss", charts.curves(losses, "iteration", "loss"))
picture = draw()
child = os.fork()
if child == 0:
    sys.exit(3)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), draw() == picture)
"""


def draw():
    return charts.figure("Loss", charts.curves(LOSSES, "iteration", "loss"))


@pytest.fixture
def started(monkeypatch):
    """Return the processes that are started from now on, which end with the test."""
    processes = []

    def start(*command, **options):
        processes.append(start_process(*command, **options))
        return processes[-1]

    monkeypatch.setattr(engine, "_engines", {})
    monkeypatch.setattr(engine, "start_process", start)
    yield processes
    for process in processes:
        process.kill()
        with suppress(ValueError):  # its pipes are closed
            process.communicate()


def test_one_process_draws_all_charts(started):
    assert draw() == draw()
    assert len(started) == 1


def test_a_process_that_was_started_early_loads_meanwhile_and_draws(started):
    charts.prepare_charts()
    (process,) = started

    assert "svg" in draw()
    assert started == [process]


def test_a_dead_process_costs_a_chart_and_not_the_next(started):
    picture = draw()
    started[0].kill()

    with pytest.raises(ChartError, match=r"^charts can't be drawn: .* \(vl-convert\) ended by SIGKILL$"):
        draw()

    assert draw() == picture
    assert len(started) == 2


def test_what_the_library_refuses_is_one_line_and_no_trace(started, capfd):
    with pytest.raises(ChartError, match=r"^a chart can't be drawn: .*") as refused:
        charts.figure("None", {"mark": "no such mark"})

    assert "\n" not in str(refused.value)
    assert capfd.readouterr() == ("", "")
    assert "svg" in draw()
    assert len(started) == 1


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system can't fork")
def test_a_forked_child_draws_with_a_process_of_its_own(started):
    picture = draw()
    child = os.fork()
    if child == 0:
        same = draw() == picture
        started[-1].kill()
        os._exit(0 if same and len(started) == 2 else 1)

    assert os.waitpid(child, 0)[1] == 0
    assert draw() == picture
    assert len(started) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system can't fork")
def test_a_forked_child_ends_without_its_parents_process():
    done = subprocess.run([sys.executable, "-c", FORKS], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("3 True\n", "")


def test_an_error_without_a_message_is_answered_with_its_type_and_the_next_chart_is_drawn(monkeypatch):
    def vegalite_to_svg(vl_spec, vl_version):
        asked.append((vl_spec, vl_version))
        if "error" in vl_spec:
            raise getattr(builtins, vl_spec["error"])(*vl_spec["words"])
        return f"svg of {vl_spec['mark']}"

    def question(**spec):
        return json.dumps(["vegalite_to_svg", {"vl_spec": spec, "vl_version": "5"}]) + "\n"

    asked, answers = [], io.StringIO()
    questions = [
        question(error="OverflowError", words=[]),
        question(mark="bar"),
        question(error="OverflowError", words=["too wide"]),
        question(error="SystemExit", words=["left"]),
        question(mark="line"),
    ]
    monkeypatch.setitem(sys.modules, "vl_convert", SimpleNamespace(vegalite_to_svg=vegalite_to_svg))
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(questions)))
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(fileno=lambda: 2))
    monkeypatch.setattr(engine, "take_answers", {2: answers}.get)
    engine.serve()
    assert asked[0] == ({"mark": "point"}, engine.VERSION)  # which loads the library before the first question
    assert [json.loads(line) for line in answers.getvalue().splitlines()] == [
        [None, "OverflowError"],
        ["svg of bar", None],
        [None, "too wide"],
        [None, "left"],
        ["svg of line", None],
    ]
