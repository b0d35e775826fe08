"""Installing a plugin changes nothing for those who don't name it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from mlpkit import Sequential, UnknownComponentError
from mlpkit.registry.registry import Registry

GREEDY = """
    import os
    import numpy as np
    from mlpkit import Initializer, Layer, component, hookimpl

    class Affine(Layer):
        def forward(self, x):
            raise RuntimeError("this layer must not be used")
        backward = forward

    class Zeros(Initializer):
        def __call__(self, shape, fans, rng, dtype):
            rng.normal(size=100)
            return np.ones(shape, dtype)

    @hookimpl(tryfirst=True)
    def mlpkit_components():
        return [component("layer", "Affine", Affine), component("initializer", "zeros", Zeros)]
"""

USES_BUILT_INS = """
import sys
from mlpkit.registry.registry import Registry
registry = Registry.discover()
registry.create("layer", {"Affine": {"units": 3, "weights": "zeros"}})
registry.create("optimizer", "sgd")
print([name for name in sys.modules if name.startswith("acme")])
modules = [name for name in sys.modules if name.startswith("mlpkit_plugins.") and name.count(".") == 2]
print([name for name in modules if name.split(".")[1] not in {"kernels", "functions"}])
"""


def trained_bits():
    registry = Registry.discover()
    stack = [
        registry.create("layer", {"Affine": {"units": 4}}),
        registry.create("layer", "Sigmoid"),
        registry.create("layer", {"Affine": {"units": 3, "weights": {"normal": {"std": 0.1}}}}),
        registry.create("loss", "SoftmaxWithLoss"),
    ]
    network = Sequential(stack, (5,), seed=3, resolver=registry.create)
    x, t = np.linspace(-1, 1, 30).reshape(6, 5), np.arange(6) % 3
    network.set_training(True)
    network.loss_and_gradient(x.astype(np.float32), t)
    return network.values.tobytes() + network.gradient_values.tobytes()


def test_bits_stay_the_same_with_a_plugin_that_takes_the_same_names(distributions):
    before = trained_bits()
    distributions.install("acme", GREEDY)
    registry = Registry.discover()
    registry.components()  # even when it is loaded
    assert registry.find(("layer",), "acme.Affine").component.__module__ == "acme_plugin"
    assert trained_bits() == before


def test_naming_only_built_ins_imports_no_other_plugin_and_only_the_files_named(distributions):
    distributions.install("acme", "raise SystemExit('imported')")
    done = subprocess.run(
        [sys.executable, "-c", USES_BUILT_INS],
        capture_output=True,
        text=True,
        check=False,
        cwd=distributions.folder,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "[]",
        "['mlpkit_plugins.layers.affine', 'mlpkit_plugins.initializers.zeros', "
        "'mlpkit_plugins.optimizers.weight_decay', 'mlpkit_plugins.optimizers.sgd']",
    ]


def test_a_spec_reaches_registered_names_only(distributions):
    distributions.module("evil", "raise SystemExit('imported')")
    registry = Registry.discover()
    for name in ("evil:Layer", "evil.Layer", "os.system", "mlpkit_plugins.layers.affine:Affine"):
        with pytest.raises(UnknownComponentError, match=r"no plugin '|unknown layer '"):
            registry.find(("layer",), name)
    assert "evil" not in sys.modules
