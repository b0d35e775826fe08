"""RealMLP as a spec against pytabkit's, on tables with fixed splits: errors, times, and the losses of single steps.

Run it as ``python benchmarks/realmlp.py FOLDER --tables concrete vehicle``, with pytabkit installed. FOLDER has a
folder for each table, with train.csv.gz, validation.csv.gz, test.csv.gz, and table.json, which says ``task`` (classes
or values), ``target`` and ``categorical``. An error is the percentage of wrong classes, or the root of the mean squared
error, on the test rows. The two take turns on one thread each. With ``--steps 100`` both begin with the same weights,
see the same minibatches, drop nothing, and compute in float64; the output is how far their
losses are apart.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import yaml

import mlpkit
from mlpkit.components.randomness import keyed_generator

try:
    import pandas as pd
    import pytabkit
    import torch
    from pytabkit.models.data import data as pytabkit_data
    from pytabkit.models.training.lightning_modules import TabNNModule
except ImportError as error:
    raise SystemExit(f"{error}; install the peer with: pip install pytabkit") from error

SPECS = Path(__file__).parents[1] / "specs" / "tables"
SPLITS = ("train", "validation", "test")
LARGEST_ONE_HOT = 8


def main() -> None:
    """Compare both on each table, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tables", nargs="+", default=["concrete", "vehicle"])
    parser.add_argument("--variants", nargs="+", default=["td_s", "td"], choices=("td_s", "td"))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, help="compare losses of so many steps")
    options = parser.parse_args()
    torch.set_num_threads(1)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    for name in options.tables:
        table = Table(options.folder / name)
        if options.steps and table.categorical:
            parser.error(f"{name} has categories; steps are compared on tables of numbers")
        for variant in options.variants:
            if options.steps:
                show(f"{name:12} {variant:5} {largest_difference(table, variant, options.steps)}")
            else:
                compare_fits(table, variant, options.seeds)


def show(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def compare_fits(table: Table, variant: str, seeds: int) -> None:
    """Train both with several seeds, taking turns, and print errors and times."""
    for seed in range(seeds):
        ours, seconds = timed(our_error, table, variant, seed)
        parts = [f"{table.name:12} {variant:5} seed {seed}  mlpkit {ours:8.4f} {seconds:7.1f} s"]
        for label, flush in (("flushed", True), ("as shipped", False)):
            torch.set_flush_denormal(flush)
            theirs, seconds = timed(their_error, table, variant, seed)
            parts.append(f"pytabkit {label} {theirs:8.4f} {seconds:7.1f} s")
        show("   ".join(parts))


def timed(error: Any, *arguments: Any) -> tuple[float, float]:
    """Return an error, and the processor's seconds that it takes to compute it."""
    begin = time.process_time()
    result = error(*arguments)
    return result, time.process_time() - begin


class Table:
    """A table in a folder.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name
        facts = json.loads((folder / "table.json").read_text("utf-8"))
        self.target, self.categorical, self.task = facts["target"], facts["categorical"], facts["task"]
        texts = dict.fromkeys([*self.categorical, *([self.target] if self.task == "classes" else [])], str)
        self.frames = {
            split: pd.read_csv(folder / f"{split}.csv.gz", dtype=texts, keep_default_na=False) for split in SPLITS
        }

    def inputs(self, split: str) -> Any:
        """Return the inputs of a split, as pytabkit takes them."""
        frame = self.frames[split].drop(columns=self.target)
        return frame.astype(dict.fromkeys(self.categorical, "category")) if self.categorical else frame

    def targets(self, split: str) -> Any:
        """Return the targets of a split."""
        return self.frames[split][self.target].to_numpy()

    def error(self, predicted: Any) -> float:
        """Return the percentage of wrong classes, or the root of the mean squared error, on the test rows."""
        expected = self.targets("test")
        if self.task == "classes":
            return 100 * float(np.mean(np.asarray(predicted, str) != expected))
        return float(np.sqrt(np.mean((np.asarray(predicted, float).ravel() - expected) ** 2)))

    def spec(self, variant: str, seed: int) -> dict[str, Any]:
        """Return the shipped spec of a variant, with this table for its data."""
        name = f"realmlp_{variant}{'_classes' * (self.task == 'classes')}"
        spec: dict[str, Any] = yaml.safe_load((SPECS / f"{name}.yaml").read_text("utf-8"))
        own = {
            "file": str(self.folder / "train.csv.gz"),
            "validation": str(self.folder / "validation.csv.gz"),
            "test": str(self.folder / "test.csv.gz"),
            "target": self.target,
            "predict": self.task,
            "categorical": self.categorical,
            "unknown": "zeros",
        }
        spec["data"]["csv"] |= own
        if not self.categorical:
            del spec["data"]["csv"]["unknown"]
        counts = [self.frames["train"][name].nunique() for name in self.categorical]
        if variant == "td":
            spec["data"]["csv"]["most_one_hot"] = LARGEST_ONE_HOT
        if variant == "td" and any(count > LARGEST_ONE_HOT for count in counts):
            spec["layers"][0]["Columns"]["categories"] = [{"Embedding": {"size": 8}}]
        spec["training"]["batch_size"] = min(256, len(self.frames["train"]))
        spec["training"]["threads"] = 1
        return spec | {"seed": seed}


def our_error(table: Table, variant: str, seed: int) -> float:
    """Return the error of the spec."""
    with tempfile.TemporaryDirectory() as folder:
        mlpkit.run(mlpkit.load_spec(table.spec(variant, seed)), f"{folder}/run", quiet=True)
        model = mlpkit.load(f"{folder}/run")
        frame = table.frames["test"].drop(columns=table.target)
        return table.error(model.predict({name: frame[name].tolist() for name in frame}))


def their_model(table: Table, variant: str, seed: int, **parameters: Any) -> Any:
    """Return pytabkit's estimator."""
    kind = "Classifier" if table.task == "classes" else "Regressor"
    model = getattr(pytabkit, f"RealMLP_{variant.upper()}_{kind}")
    return model(device="cpu", random_state=seed, n_threads=1, verbosity=0, **parameters)


def fit_theirs(table: Table, model: Any) -> Any:
    """Fit pytabkit's estimator on a table."""
    with contextlib.redirect_stdout(io.StringIO()):
        rows = [table.inputs(split) for split in SPLITS]
        for column in table.categorical:  # the same categories everywhere
            known = sorted(set().union(*(frame[column].cat.categories for frame in rows)))
            for frame in rows:
                frame[column] = frame[column].cat.set_categories(known)
        train, validation, test = rows
        model.fit(
            train, table.targets("train"), validation, table.targets("validation"), cat_col_names=table.categorical
        )
        return model, test


def their_error(table: Table, variant: str, seed: int) -> float:
    """Return the error of pytabkit's."""
    model, test = fit_theirs(table, their_model(table, variant, seed))
    with contextlib.redirect_stdout(io.StringIO()):
        return table.error(model.predict(test))


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


def largest_difference(table: Table, variant: str, steps: int) -> str:
    """Return how far losses of the same steps are apart, and how large they are."""
    spec = table.spec(variant, 0)
    spec["layers"] = [layer for layer in spec["layers"] if "Dropout" not in layer]
    rows = len(table.frames["train"])
    epochs = -(-steps // (rows // spec["training"]["batch_size"]))
    spec["training"] |= {"epochs": epochs, "callbacks": [f"{__name__}.first_steps"]}
    spec["dtype"] = "float64"
    loaded = mlpkit.load_spec(spec, plugins=[sys.modules[__name__]])
    mlpkit.run(loaded, quiet=True)
    ours = np.array(FirstSteps.losses[:steps])
    if table.task == "values":
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


def their_losses(table: Table, variant: str, epochs: int, rows: Any) -> list[float]:
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
        if table.task == "values":
            exact["y"] = torch.as_tensor(table.targets("train"))[places][None, :, None]
        loss = train(module, {**in_float64(batch), **exact}, index)
        losses.append(float(loss))
        return loss

    TabNNModule.training_step, pytabkit_data.batch_randperm = our_step, our_order
    TabNNModule.validation_step = lambda module, batch, index: validate(module, in_float64(batch), index)
    try:
        fit_theirs(table, their_model(table, variant, 0, n_epochs=epochs, p_drop=0.0))
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


def take_over_statistics(module: Any, table: Table) -> None:
    """Set what pytabkit computed from the training rows in float32 to the same in float64."""
    targets, inputs = table.targets("train"), table.inputs("train").to_numpy(np.float64)
    low, median, high = np.quantile(inputs, (0.25, 0.5, 0.75), axis=0)
    exact = {"mean": targets.mean(), "std": targets.std()} if table.task == "values" else {}
    exact |= {"bias": -median, "scale": 1 / (high - low)}  # parameters of these names aren't buffers
    for layer in module.model.modules():
        for name, value in layer.named_buffers(recurse=False):
            if name in exact:
                value[...] = torch.as_tensor(exact[name])


if __name__ == "__main__":
    main()
