"""A step of a run, computed again."""

from __future__ import annotations

from random import Random

import pytest

import mlpkit
from mlpkit.training.gradient import ClipByNorm, ClipByValue
from mlpkit.training.update import Updater

SPECS = {
    "dropout": {
        "layers": [{"Affine": {"units": 12}}, "Relu", "Dropout", {"Affine": {"units": 10}}, "SoftmaxWithLoss"],
        "training": {"optimizer": {"sgd": {"learning_rate": 0.1, "momentum": 0.9}}, "clip": {"norm": 1.0}},
    },
    "batch norm": {
        "layers": [
            {"Affine": {"units": 12}},
            {"Residual": {"layers": ["BatchNorm", "Tanh", {"Affine": {"units": 12}}]}},
            {"Affine": {"units": 10}},
            "SoftmaxWithLoss",
        ],
        "training": {"optimizer": "adam", "moving_average": {"decay": 0.9}, "best_weights": "accuracy"},
    },
    "augmentation": {
        "data": {"flatten": False},
        "layers": [
            {"Reshape": {"shape": [1, 28, 28]}},
            {"Conv2d": {"filters": 3, "size": 5, "stride": 2}},
            "Relu",
            "Flatten",
            {"Affine": {"units": 10}},
            "SoftmaxWithLoss",
        ],
        "training": {
            "optimizer": {"rmsprop": {"learning_rate": 0.001}},
            "augment": [{"shift": {"pixels": 2}}, "rotation"],
            "sampling": "with_replacement",
        },
    },
    "accumulation": {
        "layers": [{"Affine": {"units": 12}}, "Gelu", "Dropout", {"Affine": {"units": 10}}, "SoftmaxWithLoss"],
        "training": {
            "optimizer": {"adamw": {"learning_rate": {"cosine": {"first": 0.01}}}},
            "batch_size": 13,
            "accumulate": 4,
            "clip": {"value": 0.01},
        },
    },
}
PLANS = [(slices, threads) for slices in (1, 2) for threads in (1, 2)]
STEPS = 40
KILLED_IN = 30


class Killed(BaseException):
    """Ends a run as SIGKILL does: at once."""


class Oracle:
    """Remembers what goes into clipping and into the optimizer, and what comes of it, as a run goes on."""

    def __init__(self, monkeypatch):
        self.gradients, self.clipped, self.before, self.after, self.rates = {}, {}, {}, {}, {}
        self.killed_in = self._not_clipped = None
        update = Updater.__call__
        monkeypatch.setattr(Updater, "__call__", lambda *given: self._update(update, *given))
        for clipper in (ClipByNorm, ClipByValue):
            clip = clipper.__call__
            monkeypatch.setattr(clipper, "__call__", lambda clipper, clip=clip: self._clip(clip, clipper))

    def _clip(self, clip, clipper):
        self._not_clipped = self._gradient(clipper._network)
        clip(clipper)

    def _update(self, update, updater, learning_rate, step):
        if step == self.killed_in:
            raise Killed
        network = updater.network
        clipped = self._gradient(network)
        self._remember(self.gradients, step, self._not_clipped or clipped)
        self._remember(self.clipped, step, clipped)
        self._remember(self.before, step, bits(network.parameters))
        update(updater, learning_rate, step)
        self._remember(self.after, step, bits(network.parameters))
        self.rates[step] = learning_rate

    def _gradient(self, network):
        return bits({path: network.layout.view(network.gradient_values, path) for path in network.parameters})

    def _remember(self, where, step, found):
        assert where.setdefault(step, found) == found  # a resumed run does steps again


def bits(arrays):
    return {name: array.tobytes() for name, array in arrays.items()}


def spec_of(name, slices=None, threads=None, **training):
    given = SPECS[name]
    return mlpkit.load_spec(
        {
            "mlpkit": 1,
            "name": "traced",
            "seed": 5,
            "data": {"mnist": {"directory": "digits", "validation": 50, **given.get("data", {})}},
            "layers": given["layers"],
            "training": {
                "batch_size": 20,
                "iterations": STEPS,
                "evaluate_every": 9,
                "metrics": ["accuracy"],
                "checkpoint": {"every": 12, "keep": 9, "best": "loss"},
                "slices": slices,
                "threads": threads,
                **given["training"],
                **training,
            },
        }
    )


@pytest.mark.filterwarnings("ignore:.*slices")
@pytest.mark.parametrize(("slices", "threads"), PLANS)
@pytest.mark.parametrize("name", SPECS)
def test_random_steps_have_the_gradients_that_the_run_had(name, slices, threads, work, monkeypatch):
    with monkeypatch.context() as patch:
        oracle = Oracle(patch)
        oracle.killed_in = KILLED_IN
        with pytest.raises(Killed):
            mlpkit.run(spec_of(name, slices, threads), "run")
        oracle.killed_in = None
        assert mlpkit.resume("run").steps == STEPS == len(oracle.gradients)
    random = Random(f"{name} {slices} {threads}")
    for step in (
        random.randint(1, 12),
        random.randint(13, 29),
        random.randint(KILLED_IN, STEPS),
        random.randint(1, STEPS),
    ):
        traced = mlpkit.trace("run", step)
        assert (12 if step > 12 else 0) <= traced.began_after < step
        assert bits(traced.gradient) == oracle.gradients[step]
        assert bits(traced.clipped_gradient) == oracle.clipped[step]
        assert bits(traced.parameters_before) == oracle.before[step]
        assert bits(traced.parameters_after) == oracle.after[step]
        assert traced.learning_rate == oracle.rates[step]
