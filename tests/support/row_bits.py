"""Networks, and hashes of what they predict: a row's bits must not depend on how it is predicted.

As a program it prints them: ``python row_bits.py ROWS BATCH,BATCH,... NAME...``.
"""

from __future__ import annotations

import hashlib
import json
import sys

import numpy as np

import mlpkit
import mlpkit.layers
import mlpkit_plugins
from mlpkit import Classes, Sequential
from mlpkit.registry.registry import installed
from mlpkit.specfile.shipped_specs import shipped_specs
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.losses.mean_squared_error import MeanSquaredError
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

WIDE = "784-1024-1024-10"
SPECS = sorted(shipped_specs())
EXAMPLES = {
    f"{declared.name} {number}": (declared.kind, declared.name, number)
    for declared in mlpkit_plugins.mlpkit_components()
    if declared.kind in ("layer", "loss")
    for number in range(len(getattr(mlpkit.layers, declared.name).examples()))
}
"""Names of the examples of all built-in layers and losses."""
TARGETS = {"Ordinal": Classes(4)}
"""The targets of losses that have none by default."""


def network_of(name):
    """Return a network: the wide one, that of a shipped spec, or a layer or loss alone; its parameters are random."""
    if name == WIDE:
        stack = [Affine(1024), Relu(), Affine(1024), Relu(), Affine(10), SoftmaxWithLoss()]
        return Sequential(stack, input_shape=(784,), seed=0)
    if name in SPECS:
        return mlpkit.build(mlpkit.load_spec(shipped_specs()[name]))
    kind, component, number = EXAMPLES[name]
    parameters, shape = getattr(mlpkit.layers, component).examples()[number]
    member = installed().create(kind, {component: parameters})
    stack = [member] if kind == "loss" else [member, MeanSquaredError()]
    network = Sequential(stack, input_shape=shape, target=TARGETS.get(component))
    draw = np.random.default_rng(1)
    for array in network.parameters.values():
        array[...] = draw.normal(size=array.shape)
    for array in network.states.values():
        array[...] = draw.uniform(0.5, 2, array.shape)
    return network


def inputs_of(network, rows):
    """Return inputs of several sizes, among them zeros and exact ones."""
    draw = np.random.default_rng(2)
    shape = (rows, *network.input_shape)
    scales = draw.choice([0.1, 1, 1, 10], (rows, *(1 for _ in network.input_shape)))
    return (draw.normal(size=shape) * scales * (draw.random(shape) < 0.8)).astype(np.float32)


def predicted(network, x, at_once):
    """Return the predictions for rows, a batch at a time."""
    return np.concatenate([network.predict(x[begin : begin + at_once]) for begin in range(0, len(x), at_once)])


def hash_of(network, x, at_once):
    """Return a hash of the bits of all predictions."""
    return hashlib.sha256(np.ascontiguousarray(predicted(network, x, at_once)).tobytes()).hexdigest()[:16]


if __name__ == "__main__":
    rows, batches, *names = sys.argv[1:]
    for name in names:
        network = network_of(name)
        x = inputs_of(network, int(rows))
        sys.stdout.write(json.dumps({name: [hash_of(network, x, int(batch)) for batch in batches.split(",")]}) + "\n")
