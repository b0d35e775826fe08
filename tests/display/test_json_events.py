"""The events of ``--json``, as golden files: their names, keys and order, with figures left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlpkit.display.display import Outcome
from mlpkit.display.json_events import JsonEvents
from mlpkit.terminal.output import message

HERE = Path(__file__).parent
DEAD = "layers.Affine1.weights={normal: {std: 0.01, mean: -5.0}}"
SWEEP = "sweep={search: {layers.Affine1.units: {low: 4, high: 16}}, minimize: validation_loss, trials: 2}"
WRONG = "layers.Affine2.weights={normal: {std: 1.0e+38}}"
COMMANDS = {
    "run": ["run", "tiny.yaml", "--set", DEAD],
    "resumed": ["resume", "begun"],
    "seeds": ["run", "tiny.yaml", "--seeds", "3,5", "--workers", 1, "--set", DEAD],
    "seeds_that_fail": ["run", "tiny.yaml", "--seeds", "3,5", "--workers", 1, "--set", WRONG],
    "specs": ["run", "tiny.yaml", "both.yaml", "seeds.yaml", "bad.yaml", "--workers", 1],
    "ensemble": ["run", "tiny.yaml", "--set", "ensemble.members=2", "--workers", 1],
    "sweep": ["sweep", "tiny.yaml", "--workers", 1, "--set", SWEEP],
}


def without_figures(value):
    """Return JSON whose figures are 0.0, and sentences "...": their figures may differ from processor to processor."""
    if isinstance(value, dict):
        return {key: without_figures(each) for key, each in value.items()}
    if isinstance(value, list):
        return [without_figures(each) for each in value]
    if isinstance(value, str) and value.count(" ") > 4:
        return "..."
    return 0.0 if isinstance(value, float) else value


@pytest.fixture
def specs(cwd, invoke):
    """Write what the commands need."""
    tiny = Path("tiny.yaml").read_text()
    Path("both.yaml").write_text(f"ensemble: {{members: 2}}\n{tiny}".replace("name: tiny", "name: both"))
    Path("seeds.yaml").write_text(f"seeds: 2\n{tiny}")
    Path("bad.yaml").write_text(tiny.replace("units: 10", "units: 10, weights: {normal: {std: 1.0e+38}}"))
    invoke("run", "tiny.yaml", "--out", "begun", "--set", "training.checkpoint={every: 2}")
    for name in ("metrics.json", "model.safetensors"):
        Path("begun", name).unlink()


@pytest.mark.usefixtures("specs")
@pytest.mark.parametrize("name", COMMANDS)
def test_events(name, invoke, golden):
    printed = invoke(*COMMANDS[name], "--json").out
    events = [json.dumps(without_figures(json.loads(line))) for line in printed.splitlines()]
    golden(HERE / "json_events" / f"{name}.txt", "".join(f"{event}\n" for event in events))


@pytest.mark.parametrize(
    ("stopped", "print_stop", "event", "said"),
    [
        (
            "SIGINT",
            lambda: message("resume it with: mlpkit resume runs"),
            "stopped",
            "resume it with: mlpkit resume runs\n",
        ),
        ("SIGINT", None, "stopped", ""),
        ("", None, "done", ""),
    ],
)
def test_the_hint_how_to_resume_follows_the_last_event(stopped, print_stop, event, said, capsys):
    JsonEvents().finished(Outcome(stopped, {"reason": stopped, "folder": "runs"}, pytest.fail, print_stop))
    found = capsys.readouterr()
    assert (json.loads(found.out), found.err) == ({"event": event, "reason": stopped, "folder": "runs"}, said)
