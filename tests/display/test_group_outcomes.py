"""How seeds, ensembles and several specs ended, as lines and as plain data."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from mlpkit.display.group_outcomes import of_ensemble, of_seeds, of_specs
from mlpkit.groups.folders import summary_of
from mlpkit.groups.seeds import SeedRuns
from mlpkit.groups.several_specs import SpecResult, SpecResults

SUMMARY = summary_of([{"test": {"loss": loss, "accuracy": 0.75}} for loss in (0.25, 0.5)])


def seeds(**how):
    return of_seeds(SeedRuns((3, 5, 8), SUMMARY, folder=Path("my runs"), _load=dict, **how))


def test_seeds_when_one_failed(capsys):
    outcome = seeds(failures={5: "it was infinite"})
    outcome.print_results("", 65.0)
    assert capsys.readouterr() == (
        "                   mean ± 95 %     std  runs\n"
        "test loss      0.3750 ± 1.5883  0.1768     2\n"
        "test accuracy  0.7500 ± 0.0000  0.0000     2\n"
        "saved in my runs\nafter 1 min 05 s\n",
        "1 of 3 runs failed: seed 5\n",
    )
    assert (outcome.stopped, outcome.print_stop, outcome.plain["failed"], outcome.plain["folder"]) == (
        "",
        None,
        [5],
        Path("my runs"),
    )
    outcome.print_results("", None)
    assert capsys.readouterr().out.endswith("\nsaved in my runs\n")


def test_seeds_that_were_stopped(capsys):
    outcome = seeds(unfinished=(5, 8), stopped="SIGINT")
    outcome.print_results("", 65.0)
    said = capsys.readouterr()
    assert said == (
        "",
        "stopped by SIGINT, with 1 of 3 runs finished; saved in my runs\nresume it with: mlpkit resume 'my runs'\n",
    )
    outcome.print_stop()
    assert capsys.readouterr() == said
    assert (outcome.stopped, outcome.plain) == ("SIGINT", {"reason": "SIGINT", "folder": Path("my runs")})


def test_an_ensemble_has_its_own_results_beside_those_of_its_networks(capsys):
    """Tables are left out, and so is what the networks don't have, such as a coverage."""
    metrics = {"test": {"loss": 0.125, "accuracy": 0.875, "table": [[1, 2], [3, 4]], "coverage": 0.9}}
    found = SimpleNamespace(metrics=metrics, spread=SUMMARY, size=2, stopped="", unfinished=(), folder=Path("kept"))
    outcome = of_ensemble(found)
    outcome.print_results("", 7.0)
    assert capsys.readouterr() == (
        "               average  each of 2, ± 95 %\n"
        "test loss       0.1250    0.3750 ± 1.5883\n"
        "test accuracy   0.8750    0.7500 ± 0.0000\n"
        "saved in kept\nafter 7 s\n",
        "",
    )
    assert outcome.plain["metrics"] is metrics


SPECS = [
    SpecResult(
        "a.yaml", Path("many/a"), {"test": {"loss": 0.25, "accuracy": 0.75, "table": [[1]]}, "train": {"f1": 1}}
    ),
    SpecResult("b.yaml", Path("many/b"), problem="it was infinite"),
    SpecResult("c.yaml", Path("many/c"), SUMMARY),
    SpecResult("d.yaml", Path("many/my d"), stopped="SIGINT"),
]
TABLE = """\
              test loss    test accuracy
many/a           0.2500           0.7500
many/b: failed
many/c  0.3750 ± 1.5883  0.7500 ± 0.0000
"""


def test_several_specs_when_one_failed(capsys):
    outcome = of_specs(SpecResults(SPECS[:3]))
    outcome.print_results("", 65.0)
    out, err = capsys.readouterr()
    lines = [line.rstrip() for line in out.splitlines()]
    assert (lines, err) == ([*TABLE.splitlines(), "after 1 min 05 s"], "1 of 3 specs failed: many/b\n")
    assert (outcome.stopped, outcome.print_stop) == ("", None)
    assert outcome.plain.keys() == {"specs"}
    first, second, third = outcome.plain["specs"]
    assert first == {"spec": "a.yaml", "state": "finished", "metrics": SPECS[0].metrics, "folder": Path("many/a")}
    assert second == {
        "spec": "b.yaml",
        "state": "failed",
        "problem": "it was infinite",
        "metrics": {},
        "folder": Path("many/b"),
    }
    assert third["metrics"]["test"]["loss"].items() >= {"n": 2, "mean": 0.375}.items()


def test_several_specs_that_were_stopped(capsys):
    outcome = of_specs(SpecResults(SPECS, "SIGINT"))
    outcome.print_results("", 65.0)
    out, err = capsys.readouterr()
    stop = "stopped by SIGINT, with 3 of 4 specs done\nresume it with: mlpkit resume 'many/my d'\n"
    assert out.splitlines()[-1].strip() == "many/my d: stopped"
    assert err == f"{stop}1 of 4 specs failed: many/b\n"
    outcome.print_stop()
    assert capsys.readouterr() == ("", stop)
    assert (outcome.stopped, outcome.plain["reason"]) == ("SIGINT", "SIGINT")
