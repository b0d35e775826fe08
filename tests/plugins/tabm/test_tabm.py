"""Whole networks are those of the package tabm 0.0.3; ``tabm_reference.py`` made the values."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from requirements import requires

import mlpkit
from mlpkit import Classes, Sequential, Values
from mlpkit.training.update import Updater
from mlpkit_plugins.kernels import COMPILED
from mlpkit_plugins.layers.batch_ensemble_affine import BatchEnsembleAffine
from mlpkit_plugins.layers.ensemble_affine import EnsembleAffine
from mlpkit_plugins.layers.ensemble_view import EnsembleView
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.losses.ensemble_loss import EnsembleLoss
from mlpkit_plugins.losses.mean_squared_error import MeanSquaredError
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss
from mlpkit_plugins.optimizers.adamw import Adamw

REFERENCE = json.loads((Path(__file__).parent / "tabm.json").read_text("utf-8"))
FEATURES, WIDTH, MEMBERS, ROWS, STEPS, CLASSES = 4, 6, 3, 7, 100, 3
SPEC = Path(__file__).parents[3] / "specs" / "tables" / "tabm.yaml"

THEIRS = {"W": "weight", "r": "r", "s": "s", "b": "bias"}


def network_of(arch, outputs, *, dtype="float64", width=WIDTH):
    mini = {"s": None, "shared_bias": True} if arch == "tabm-mini" else {}
    later = {**mini, "r": None} if mini else {}
    first = BatchEnsembleAffine(width, r="random_signs", **mini)
    others = [layer for _ in range(2) for layer in (BatchEnsembleAffine(width, **later), Relu())]
    last = [EnsembleAffine(outputs), EnsembleLoss(SoftmaxWithLoss() if outputs > 1 else MeanSquaredError())]
    target = Classes(outputs) if outputs > 1 else Values((1,))
    stack = [EnsembleView(MEMBERS), first, Relu(), *others, *last]
    return Sequential(stack, (FEATURES,), target=target, dtype=dtype)


def oriented(found):
    """Return their parameters by our names."""
    ours = {}
    for layer, block in enumerate(("blocks.0.0", "blocks.1.0", "blocks.2.0"), 1):
        for name, their_name in THEIRS.items():
            array = found.get(f"backbone.{block}.{their_name}")
            if array is not None:
                ours[f"BatchEnsembleAffine{layer}.{name}"] = np.array(array).T if name == "W" else np.array(array)
    if "backbone.affine.weight" in found:
        ours["BatchEnsembleAffine1.r"] = np.array(found["backbone.affine.weight"])
    return {**ours, "EnsembleAffine1.W": found["output.weight"], "EnsembleAffine1.b": found["output.bias"]}


def minibatch(step, outputs):
    rng = np.random.default_rng(step)
    x = rng.normal(size=(ROWS, FEATURES))
    return x, rng.integers(0, CLASSES, ROWS) if outputs > 1 else rng.normal(size=(ROWS, 1))


def trained(network, outputs):
    """Return the losses of 100 steps."""
    adamw, losses = Adamw(0.01, weight_decay=0.1), []
    update = Updater(adamw, network)
    network.set_training(True)
    for step in range(STEPS):
        losses.append(network.loss_and_gradient(*minibatch(step, outputs), step))
        update(adamw.learning_rate, step + 1)
    return losses


@pytest.mark.parametrize("case", REFERENCE)
def test_is_the_network_of_the_package_over_100_steps(case):
    arch, outputs = case.split()[0], int(case.split()[1])
    network, expected = network_of(arch, outputs), REFERENCE[case]
    before, after = oriented(expected["before"]), oriented(expected["after"])
    assert before.keys() == network.parameters.keys()
    for path, parameter in network.parameters.items():
        parameter[...] = before[path]
    losses = trained(network, outputs)
    np.testing.assert_allclose(losses, expected["losses"], rtol=1e-6)
    for path, parameter in network.parameters.items():
        np.testing.assert_allclose(parameter, after[path], rtol=1e-6, atol=1e-6, err_msg=path)
    x, _ = minibatch(STEPS, outputs)
    np.testing.assert_allclose(network.predict(x), expected["predictions"], rtol=1e-6)


def test_first_values_are_those_of_the_paper():
    network = network_of("tabm", CLASSES)
    first, second = (f"BatchEnsembleAffine{i}" for i in (1, 2))
    signs = network.parameters[f"{first}.r"]
    assert set(np.unique(signs)) == {-1, 1}
    for path in (f"{first}.s", f"{second}.r", f"{second}.s"):
        assert (network.parameters[path] == 1).all()
    biases = network.parameters[f"{second}.b"]
    assert (biases == biases[0]).all()
    assert np.unique(biases).size == WIDTH
    assert np.abs(biases).max() <= WIDTH**-0.5


@requires("kernels", COMPILED, "NumPy's order of products depends on the batch")
@pytest.mark.parametrize("arch", ["tabm", "tabm-mini"])
@pytest.mark.parametrize("outputs", [1, CLASSES])
def test_a_row_is_predicted_to_the_same_bits_alone_and_among_others(arch, outputs):
    network = network_of(arch, outputs, dtype="float32", width=300)
    x = np.random.default_rng(0).normal(size=(33, FEATURES)).astype(np.float32)
    together = network.predict(x)
    alone = [network.predict(row[None]) for row in x]
    np.testing.assert_array_equal(together, np.concatenate(alone))


def test_the_recipe_trains_and_predicts_values(tmp_path):
    small = {"layers.EnsembleView1.members": 3} | {f"layers.BatchEnsembleAffine{i}.units": 8 for i in (1, 2, 3)}
    spec = mlpkit.load_spec(SPEC, overrides=small | {"training.epochs": 30})
    run = mlpkit.run(spec, tmp_path / "run")
    assert run.history[-1]["validation_loss"] < run.history[0]["validation_loss"]
    for file in ("model.onnx", "model.c", "model.js"):
        mlpkit.export(tmp_path / "run", tmp_path / file)  # proves that the file predicts as the run does
