"""Run folders made up, with whatever history and results a test needs."""

from __future__ import annotations

import json
from pathlib import Path

RESULTS = ("model.safetensors", "history.jsonl", "metrics.json", "resolved.yaml")
ALL_FILES = ("spec.yaml", "lock.json", *RESULTS)


def results(folder, names=RESULTS):
    """Return the bytes of files of a run."""
    return {name: Path(folder, name).read_bytes() for name in names}


RESOLVED = """\
mlpkit: 1
name: {name}
seed: {seed}
dtype: float32
data:
  mnist: {{validation: 50}}
layers:
- Affine:
    units: {units}
    name: Affine1
- SoftmaxWithLoss: {{name: SoftmaxWithLoss1}}
training:
  optimizer:
    sgd: {{learning_rate: 0.1}}
  {length}
  metrics:
  - accuracy: {{}}
{more}  slices: 1
"""


def made_up_run(
    folder,
    *,
    name="made_up",
    seed=0,
    units=10,
    length="iterations: 200",
    more="",
    losses=(0.5, 0.25),
    results=None,
    failure=None,
):
    """Write the folder of a run.

    Args:
        folder: where.
        name: the spec's name.
        seed: its seed.
        units: of its only layer.
        length: the line of the spec that says how long to train.
        more: further lines of the section on training.
        losses: on the validation data, by evaluation, of which there is one each 100 steps.
        results: loss and metrics at the end by split; None for a run that is not finished.
        failure: what failure.json says.
    """
    folder.mkdir(parents=True)
    text = RESOLVED.format(name=name, seed=seed, units=units, length=length, more=more)
    (folder / "spec.yaml").write_text(text)
    (folder / "resolved.yaml").write_text(text)
    (folder / "lock.json").write_text(json.dumps({"mlpkit": "0.1.0", "spec_hash": "0"}))
    lines = [
        {
            "iteration": 100 * (i + 1),
            "epoch": 0.5 * (i + 1),
            "learning_rate": 0.1,
            "train_loss": loss / 2,
            "validation_loss": loss,
            "train_accuracy": 1 - loss / 4,
            "validation_accuracy": 1 - loss / 2,
        }
        for i, loss in enumerate(losses)
    ]
    history = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    (folder / "history.jsonl").write_text(history)
    if results is not None:
        (folder / "metrics.json").write_text(json.dumps(results))
        (folder / "model.safetensors").write_bytes(b"")
    if failure is not None:
        (folder / "failure.json").write_text(json.dumps(failure))
    return folder
