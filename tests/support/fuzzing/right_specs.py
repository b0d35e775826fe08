"""Right specs, with every part of the grammar and every built-in data set in them, to make mutants of."""

from __future__ import annotations

from pathlib import Path

RICH = """\
# every part of the grammar
mlpkit: 1
name: 'rich'  # quoted
seed: 7
requires: {numpy: '>=1.0,<99'}
dtype: float64
vars: {hidden: 50, act: Relu, first: {normal: {std: 1e-2}}, rate: 0.1}
data:
  mnist: {validation: 5000, flatten: true, one_hot: no_}
layers:
  - Affine: {units: $hidden, weights: $first, name: first}
  - $act
  - Residual: {layers: [{Sequence: {layers: [{Affine: {units: $hidden, name: in}}, Relu]}}]}
  - Repeat: {times: 3, layer: {Affine: {units: 20}}}
  - Affine:
      units: ${hidden}
      bias: false
      weights: glorot_uniform
  - Sigmoid
  - Affine: {units: 10}
  - SoftmaxWithLoss
training:
  optimizer: {adam: {learning_rate: {one_cycle: {peak: $rate}}, beta1: 0.9}}
  batch_size: 128
  sampling: with_replacement
  iterations: 100
  evaluate_every: 10
  metrics: [accuracy]
  threads: 1
  accumulate: 2
  augment: [shift: {pixels: 2, image: [28, 28]}, rotation: {image: [28, 28]}]
  callbacks: [csv_logger: {file: figures.csv}]
  clip: {norm: 1.0}
  moving_average: {decay: 0.99}
  early_stopping: {metric: accuracy, patience: 5, minimum_change: 1e-3}
  best_weights: accuracy
  checkpoint: {every: 50, every_epochs: 1, every_seconds: 60, keep: 3, best: loss}
""".replace("no_", "false")

WITH_DATA = """\
mlpkit: 1
data:
  {data}
layers: [{{Affine: {{units: 8, name: hidden}}}}, Tanh, {{Affine: {{units: {units}}}}}, {loss}]
training:
  optimizer: {{sgd: {{learning_rate: 0.1}}}}
  batch_size: 20
  seconds: 3
  evaluate_every: 50
"""
CLASSES = {"units": 3, "loss": "SoftmaxWithLoss"}
OF_DATA_SETS = [
    WITH_DATA.format(
        data="csv: {file: 'example:flowers.csv', target: species, categorical: [soil], missing: fill, delimiter: ',',"
        " encoding: utf-8, missing_texts: ['', '?'], unknown: zeros, split_by: petal_length}",
        **CLASSES,
    ),
    WITH_DATA.format(
        data="csv: {file: 'example:houses.csv', target: price, predict: values, ignore: [district], split: shuffle,"
        " validation: 0.2, test: 'example:houses.csv', standardize: false, split_seed: 3}",
        units=1,
        loss="Huber",
    ),
    WITH_DATA.format(
        data="csv: {file: 'example:weather.csv', target: [rain, wind, fog], predict: labels, inputs: [pressure]}",
        units=3,
        loss="SigmoidWithLoss",
    ),
    WITH_DATA.format(
        data="npy: {inputs: 'example:shapes_x.npy', targets: 'example:shapes_t.npy', flatten: true, divide_by: 255.0,"
        " validation: ['example:shapes_x.npy', 'example:shapes_t.npy'], test: 0.5, split: in_order}",
        **CLASSES,
    ),
    WITH_DATA.format(
        data="npz: {file: 'example:shapes.npz', inputs: x, targets: t, flatten: true, standardize: true,"
        " test: 'example:shapes.npz', split: shuffle, split_seed: 1}",
        **CLASSES,
    ),
    WITH_DATA.format(
        data="idx: {images: 'example:shapes-images-idx3-ubyte', labels: 'example:shapes-labels-idx1-ubyte',"
        " normalize: false, flatten: true, validation: 0}",
        **CLASSES,
    ),
]
SHIPPED = [path.read_text("utf-8") for path in sorted((Path(__file__).parents[3] / "specs").glob("*.yaml"))]
ALL = [RICH, *OF_DATA_SETS, *SHIPPED]
