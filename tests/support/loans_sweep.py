"""A sweep of a small network over the shipped table of loans, for tests that train its trials in their own process."""

from __future__ import annotations

from pathlib import Path

import mlpkit
from mlpkit.verbs.sweep.folder import SweepFolder
from mlpkit.verbs.sweep.specs import text_for_folder

SPEC = """\
mlpkit: 1
name: loans
data:
  csv: {file: example:loans.csv, target: paid_back, categorical: [purpose], validation: 0.2, test: 0.2}
layers:
  - Affine: {units: 4}
  - Relu
  - Affine: {units: 1}
  - SigmoidWithLoss
training:
  optimizer: {sgd: {learning_rate: 0.1}}
  iterations: 40
  evaluate_every: 10
  checkpoint: {every: 10}
  threads: 1
sweep:
  search:
    layers.Affine1.units: [2, 3, 5]
    data.csv.standardize: [true, false]
    training.optimizer.sgd.learning_rate: {low: 1.0e-6, high: 1.0}
  trials: 3
  prune: median
"""


def begun(changes=None, more=""):
    """Write ``loans.yaml``, and return the folder ``s`` of its sweep, as its writer.

    Args:
        changes: texts of the spec, and what is there in their place.
        more: lines at its end.
    """
    text = SPEC
    for old, new in (changes or {}).items():
        assert old in text
        text = text.replace(old, new)
    Path("loans.yaml").write_text(text + more)
    return SweepFolder.create(Path("s"), text_for_folder(mlpkit.load_spec("loans.yaml"), Path("s")))
