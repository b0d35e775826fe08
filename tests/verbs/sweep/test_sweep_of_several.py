"""``mlpkit sweep`` whose trials train several seeds, looked at from all sides."""

from __future__ import annotations

import json
from pathlib import Path

from swept_folders import trials_in

SWEEP = """\
seeds: 2
sweep:
  search:
    layers.Affine1.units: {low: 4, high: 16}
    training.optimizer.sgd.learning_rate: {low: 0.001, high: 0.5, log: true}
  maximize: validation_accuracy
  trials: 2
"""


def test_a_sweep_of_two_seeds_a_trial(invoke, cwd):
    """The objective is the mean; the end says what the best won by, and other commands know the folders."""
    Path("tiny.yaml").write_text(Path("tiny.yaml").read_text() + SWEEP)
    checked = invoke("check", "tiny.yaml").out
    assert "  sweep over layers.Affine1.units, training.optimizer.sgd.learning_rate\n" in checked
    done = invoke("sweep", "tiny.yaml", "--workers", 1)
    assert (done.code, done.err) == (0, "")
    folder = Path("runs/tiny")
    metrics = [json.loads((trial / "metrics.json").read_text()) for trial in trials_in(folder)]
    means = [each["validation"]["accuracy"]["mean"] for each in metrics]
    best = means.index(max(means))
    lines = done.out.splitlines()
    assert lines[best].startswith(f"trial {best}: validation_accuracy {means[best]:.4f}, the best so far;")
    lead = f"trial {best} leads trial {1 - best} by {abs(means[0] - means[1]):.4f}, "
    assert lines[-3].startswith(lead)
    assert "(seed by seed, paired t-test, 95 %: " in lines[-3]
    heading = (folder / "best.yaml").read_text().splitlines()[:2]
    assert heading[0].startswith(f"# The best of 2 finished trials: trial {best}, validation_accuracy")
    assert heading[1] == f"# In the sweep, {lines[-3]}."
    assert "seeds: 2" in (folder / "best.yaml").read_text()
    assert invoke("check", folder / "best.yaml").code == 0
    events = [json.loads(line) for line in invoke("sweep", "--resume", folder, "--json").out.splitlines()]
    told = events[-1]["lead"]
    assert (told["trial"], told["over"], told["paired_by"]) == (best, 1 - best, "seed")
    assert told["low"] <= told["by"] <= told["high"]
    assert told["beyond_chance"] is (told["p_value"] < 0.05)
    assert invoke("runs", "runs").out.count("tiny") >= 1
    assert invoke("compare", folder / "trial-0", folder / "trial-1").code == 0
    assert "give one of them: runs/tiny/trial-0" in invoke("predict", folder, "x.csv").err
