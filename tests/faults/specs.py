"""The specs of these tests: each has something of its own that a resumed run must bring back."""

from __future__ import annotations

STEPS = 120

OPTIMIZERS = {
    "sgd": "{sgd: {learning_rate: 0.05, momentum: 0.9, nesterov: true}}",
    "adam": "{adam: {learning_rate: {one_cycle: {peak: 0.02}}}}",
    "adamw": "{adamw: {learning_rate: 0.01, weight_decay: 0.1}}",
}

MOST = {"sgd": 75, "adam": 145, "adamw": 110}
"""Sums of losses that are exceeded some steps after the 120th."""

COMMON = """\
mlpkit: 1
seed: {seed}
dtype: {dtype}
data: acme.blobs
layers:
  - Affine: {{units: 12}}
  - acme.Restless
  - Relu
  - Affine: {{units: 4}}
  - SoftmaxWithLoss
training:
  optimizer: {optimizer}
  callbacks: [acme.remembering: {{most: {most}}}]
  metrics: [accuracy, acme.mean_error]
"""

VARIANTS = {
    "shuffled": """\
  batch_size: 16
  iterations: 120
  evaluate_every: 25
""",
    "drawn": """\
  batch_size: 20
  sampling: with_replacement
  augment: [acme.jitter]
  slices: 3
  iterations: 120
  evaluate_every: 40
  checkpoint: {every: 7, keep: 3}
""",
    "best": """\
  batch_size: 21
  epochs: 12
  checkpoint: {every_epochs: 2, best: acme.mean_error}
""",
    "averaged": """\
  batch_size: 8
  accumulate: 3
  slices: 2
  clip: {norm: 1.0}
  moving_average: {decay: 0.9}
  augment: [acme.jitter]
  iterations: 120
  evaluate_every: 15
  early_stopping: {metric: accuracy, patience: 6}
  best_weights: loss
  checkpoint: {every: 50, best: accuracy}
""",
    "stopped": """\
  batch_size: 30
  slices: 2
  iterations: 300
  evaluate_every: 30
  checkpoint: {every: 50, best: loss, keep: 1}
""",
}


def spec_text(variant: str, optimizer: str) -> str:
    """Return the text of a spec that trains for 120 steps, or some more."""
    place = list(VARIANTS).index(variant)
    common = COMMON.format(
        seed=place,
        dtype=("float32", "float64")[place % 2],
        optimizer=OPTIMIZERS[optimizer],
        most=MOST[optimizer] if variant == "stopped" else 1e9,
    )
    return common + VARIANTS[variant]
