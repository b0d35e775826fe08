"""The specs of these tests: each has something of its own that a resumed run must bring back."""

from __future__ import annotations

STEPS = 120

OPTIMIZERS = {
    "sgd": "{sgd: {learning_rate: 0.05, momentum: 0.9, nesterov: true}}",
    "adam": "{adam: {learning_rate: {one_cycle: {peak: 0.02}}}}",
    "adamw": "{adamw: {learning_rate: 0.01, weight_decay: 0.1}}",
}

WITHOUT_END = {"adam": "{adam: {learning_rate: {exponential: {first: 0.02, factor: 0.99}}}}"}
"""What stands for an optimizer whose schedule must know how many steps there are, where a clock decides."""

MOST = {
    "stopped": {"sgd": 75, "adam": 145, "adamw": 110},
    "timed": {"sgd": 75, "adam": 145, "adamw": 110},
}
"""Sums of losses that are exceeded some steps after the 120th."""

DATA = {
    "table": "{csv: {file: 'example:flowers.csv', target: species, categorical: [soil], missing: fill}}",
    "images": "{npy: {inputs: 'example:shapes_x.npy', targets: 'example:shapes_t.npy', flatten: true, divide_by: 255.0,"
    " standardize: true}}",
}
"""Data sets of three classes, where the plugin's own, of four, doesn't serve."""

COMMON = """\
mlpkit: 1
seed: {seed}
dtype: {dtype}
data: {data}
layers:
  - Affine: {{units: 12}}
  - acme.Restless
  - Relu
  - Affine: {{units: {classes}}}
  - SoftmaxWithLoss
training:
  optimizer: {optimizer}
  callbacks: [acme.remembering: {{most: {most}}}, csv_logger]
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
    "timed": """\
  batch_size: 30
  seconds: 1000000
  evaluate_every: 35
  moving_average: {decay: 0.99}
  best_weights: accuracy
  checkpoint: {every: 11}
""",
    "table": """\
  batch_size: 20
  iterations: 120
  evaluate_every: 13
  clip: {value: 0.01}
  moving_average: {decay: 0.95}
  checkpoint: {every: 7, best: loss}
""",
    "images": """\
  batch_size: 12
  accumulate: 2
  slices: 2
  clip: {norm: 0.5}
  moving_average: {decay: 0.9}
  augment: [rotation: {degrees: 20, image: [8, 8]}, elastic: {alpha: 9, image: [8, 8]}]
  iterations: 300
  evaluate_every: 20
  early_stopping: {metric: loss, patience: 6, minimum_change: 100}
  best_weights: accuracy
  checkpoint: {every_epochs: 3, best: accuracy}
""",
    "frozen": """\
  batch_size: 14
  slices: 2
  clip: {norm: 0.3}
  moving_average: {decay: 0.9}
  freeze: [Affine1, "Restless*"]
  iterations: 120
  evaluate_every: 22
  best_weights: loss
  checkpoint: {every: 9, best: loss}
""",
}


def spec_text(variant: str, optimizer: str) -> str:
    """Return the text of a spec that trains for 120 steps, or some more."""
    place = list(VARIANTS).index(variant)
    common = COMMON.format(
        seed=place,
        dtype=("float32", "float64")[place % 2],
        data=DATA.get(variant, "acme.blobs"),
        classes=3 if variant in DATA else 4,
        optimizer=WITHOUT_END.get(optimizer, OPTIMIZERS[optimizer]) if variant == "timed" else OPTIMIZERS[optimizer],
        most=MOST.get(variant, {}).get(optimizer, 1e9),
    )
    return common + VARIANTS[variant]
