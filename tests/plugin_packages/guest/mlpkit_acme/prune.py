"""The verb prune."""

from typing import Annotated

import numpy as np
from annotated_types import Gt, Lt

import mlpkit


class Prune(mlpkit.Verb):
    """Sets the smallest weights of a trained network to zero, and shows what that costs on the test split.

    Of each matrix, the share of the weights with the smallest absolute values is set to zero. The run stays as it is;
    the pruned network is written to a model file of its own.

    Args:
        run: the run folder.
        share: which share of each matrix becomes zero.
        to: the model file to write.
    """

    def __init__(self, run: str, share: Annotated[float, Gt(0), Lt(1)] = 0.5, to: str = "pruned.safetensors"):
        self.run = run
        self.share = share
        self.to = to

    def __call__(self):
        """Prune, save, and print loss and metrics before and after."""
        model = mlpkit.load(self.run, plugins=self.plugins)
        network = model.network
        x, t, *weights = mlpkit.load_data(model.spec, "test")
        before = self._results(model, x, t, *weights)
        for name, values in network.parameters.items():
            if values.ndim >= 2:
                smallest = np.argsort(np.abs(values), axis=None, kind="stable")[: int(self.share * values.size)]
                values.flat[smallest] = 0
                print(f"{name}: {len(smallest):,} of {values.size:,} weights are zero")
        after = self._results(model, x, t, *weights)
        for name in before:
            print(f"test {name}: {before[name]:.4f} before, {after[name]:.4f} after")
        network.save(self.to)
        print(f"saved in {self.to}")

    def _results(self, model, x, t, weights=None):
        """Return loss and metrics that are numbers."""
        metrics = {recipe.name: recipe() for recipe in model.spec.training.metrics}
        found = model.network.evaluate(x, t, metrics, weights)
        return {name: value for name, value in found.items() if isinstance(value, float)}

    @classmethod
    def examples(cls):
        """Return arguments to check it with."""
        return [{"run": "runs/mnist"}]
