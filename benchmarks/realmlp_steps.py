"""RealMLP as a recipe against pytabkit's: how far the losses of the same steps are apart, on tables with fixed splits.

Run it as ``python benchmarks/realmlp_steps.py FOLDER --tables concrete vehicle``, with pytabkit installed; FOLDER is as
for ``tables.py``. Both begin with the same weights, see the same minibatches, drop nothing, and compute in float64.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from table_contestants.mlpkit_recipes import recipe_spec
from table_contestants.real_table import RealTable

import mlpkit
from mlpkit.components.randomness import keyed_generator

try:
    import torch
    from pytabkit.models.data import data as pytabkit_data
    from pytabkit.models.training.lightning_modules import TabNNModule
    from table_contestants.pytabkit_networks import estimator, fit
except ImportError as error:
    raise SystemExit(f"{error}; install the peer with: pip install pytabkit") from error


def main() -> None:
    """Compare both on each table, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tables", nargs="+", default=["concrete", "vehicle"])
    parser.add_argument("--variants", nargs="+", default=["td_s", "td"], choices=("td_s", "td"))
    parser.add_argument("--steps", type=int, default=100)
    options = parser.parse_args()
    for name in options.tables:
        table = RealTable(options.folder / name)
        if table.categorical:
            parser.error(f"{name} has categories; steps are compared on tables of numbers")
        for variant in options.variants:
            print(f"{name:12} {variant:5} {largest_difference(table, variant, options.steps)}", flush=True)


class FirstSteps(mlpkit.Callback):
    """Keeps the first parameters, and the loss of each step."""

    parameters: ClassVar[dict[str, Any]] = {}
    losses: ClassVar[list[float]] = []

    def on_start(self, training: Any) -> None:
        """Keep the parameters."""
        self.parameters.clear()
        self.parameters.update({name: value.copy() for name, value in training.parameters.items()})
        self.losses.clear()

    def on_step(self, training: Any, loss: float) -> None:
        """Keep a loss."""
        self.losses.append(loss)


@mlpkit.hookimpl
def mlpkit_components() -> list[Any]:
    """Return the callback: this file is a plugin, too."""
    return [mlpkit.component("callback", "first_steps", FirstSteps)]


def largest_difference(table: RealTable, variant: str, steps: int) -> str:
    """Return how far losses of the same steps are apart, and how large they are."""
    spec = recipe_spec(table, f"realmlp_{variant}", 0)
    spec["layers"] = [layer for layer in spec["layers"] if "Dropout" not in layer]
    rows = len(table.frames["train"])
    epochs = -(-steps // (rows // spec["training"]["batch_size"]))
    spec["training"] |= {"epochs": epochs, "callbacks": [f"{__name__}.first_steps"]}
    spec["dtype"] = "float64"
    loaded = mlpkit.load_spec(spec, plugins=[sys.modules[__name__]])
    mlpkit.run(loaded, quiet=True)
    ours = np.array(FirstSteps.losses[:steps])
    if not table.has_classes:
        ours /= np.var(table.targets("train"))
    theirs = np.array(their_losses(table, variant, epochs, encoded_rows(loaded))[:steps])
    apart = np.abs(ours - theirs) / np.maximum(theirs, 1e-12)
    at = ", ".join(f"{apart[:step].max():.0e} in {step}" for step in (1, 3, 10, 30, len(ours)) if step <= len(ours))
    return f"losses from {ours[0]:.4f} to {ours[-1]:.4f}; largest relative difference {at} steps"


def encoded_rows(spec: Any) -> Any:
    """Return the training rows as the network gets them, in float64."""
    data = spec.data()
    data.dtype = "float64"
    data.describe()
    split = data.open(0)["train"]
    frame = data.raw_rows("train", np.arange(len(split)))
    return torch.as_tensor(np.asarray(data.encode(data.from_columns(frame)), np.float64))


def their_losses(table: RealTable, variant: str, epochs: int, rows: Any) -> list[float]:
    """Return the losses of pytabkit's steps from our first parameters, on our minibatches, without dropout."""
    losses: list[float] = []
    order = torch.empty(0)
    if variant == "td":  # which encodes them itself
        rows = torch.as_tensor(table.inputs("train").to_numpy(np.float64))
    epoch = iter(range(epochs))
    train, validate, permute = TabNNModule.training_step, TabNNModule.validation_step, pytabkit_data.batch_randperm

    def in_float64(batch: Any) -> Any:
        return {name: value.double() if value.is_floating_point() else value for name, value in batch.items()}

    def our_order(parallel: int, samples: int, device: Any = None) -> Any:
        nonlocal order
        order = torch.as_tensor(keyed_generator(0, "shuffle", next(epoch)).permutation(samples))
        return order[None]

    def our_step(module: Any, batch: Any, index: int) -> Any:
        if not losses:
            module.model.double()
            take_over(module, FirstSteps.parameters)
            take_over_statistics(module, table)
        size = batch["y"].shape[-2]
        places = order[index * size : (index + 1) * size]
        exact = {"x_cont": rows[places][None]}
        if not table.has_classes:
            exact["y"] = torch.as_tensor(table.targets("train"))[places][None, :, None]
        loss = train(module, {**in_float64(batch), **exact}, index)
        losses.append(float(loss))
        return loss

    TabNNModule.training_step, pytabkit_data.batch_randperm = our_step, our_order
    TabNNModule.validation_step = lambda module, batch, index: validate(module, in_float64(batch), index)
    try:
        fit(table, estimator(table, f"RealMLP_{variant.upper()}", 0, n_epochs=epochs, p_drop=0.0))
    finally:
        TabNNModule.training_step, pytabkit_data.batch_randperm = train, permute
        TabNNModule.validation_step = validate
    return losses


def take_over(module: Any, parameters: dict[str, Any]) -> None:
    """Set pytabkit's parameters, which come in the order of the layers, to ours."""
    waves = "Columns1.numbers.Periodic1."
    theirs = list(module.model.parameters())
    with_waves = f"{waves}w" in parameters
    columns = len(parameters[f"{waves}w"]) if with_waves else 0
    names = [f"{waves}{name}" for name in ("w", "W2", "b", "b2")] if with_waves else []
    names.append("Scale1.s")
    for layer in range(1, 5):
        names += [f"Affine{layer}.W", f"Affine{layer}.b"]
        names += [f"Parametric{layer}.alpha"] * (f"Parametric{layer}.alpha" in parameters)
    theirs = [value for value in theirs if value.requires_grad]
    order = np.arange(4 * columns).reshape(columns, 4)
    order = np.concatenate([order[:, 1:].ravel(), order[:, 0]])  # theirs has the numbers after all waves
    with torch.no_grad():
        for name, value in zip(names, theirs, strict=True):
            array = parameters[name]
            if name in ("Scale1.s", "Affine1.W"):
                array = np.concatenate([array[order], array[4 * columns :]])
            value.copy_(torch.as_tensor(array).reshape(value.shape))


def take_over_statistics(module: Any, table: RealTable) -> None:
    """Set what pytabkit computed from the training rows in float32 to the same in float64."""
    targets, inputs = table.targets("train"), table.inputs("train").to_numpy(np.float64)
    low, median, high = np.quantile(inputs, (0.25, 0.5, 0.75), axis=0)
    exact = {"mean": targets.mean(), "std": targets.std()} if not table.has_classes else {}
    exact |= {"bias": -median, "scale": 1 / (high - low)}  # parameters of these names aren't buffers
    for layer in module.model.modules():
        for name, value in layer.named_buffers(recurse=False):
            if name in exact:
                value[...] = torch.as_tensor(exact[name])


if __name__ == "__main__":
    main()
