"""Measures what a small network gains from a teacher, on tables with fixed splits (see ``tables.py`` for the folder).

Run it as ``python benchmarks/distill.py FOLDER --out results.jsonl``. The teacher is an ensemble of five folds of
RealMLP-TD-S, with fewer epochs; the pupil has one hidden layer, and trains on the same rows with the same settings
alone, and with the teacher: on a mixture of the labels with the teacher's out-of-fold predictions (``fold``), or with
the ensemble's, most of whose networks have seen the row (``seen``). ``--labelled 0.2`` keeps the labels of a fifth of
the training rows: the teacher learns from these, and the pupil from its predictions for the others, too (``all``).
The file gets a line for each fit; what it has already is left out. ``--show`` prints a row for each table.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from table_contestants.mlpkit_recipes import recipe_spec
from table_contestants.real_table import RealTable

from mlpkit import fit
from mlpkit.jobs.train import train_spec
from mlpkit.registry.registry import Registry
from mlpkit.training.events import Observer
from mlpkit.verbs.run.fit import spec_in_memory

WAYS: dict[str, tuple[str, float, float]] = {
    "alone": ("seen", 0, 1),
    "fold 0.5": ("fold", 0.5, 1),
    "fold 0.9 T=2": ("fold", 0.9, 2),
    "seen 0.5": ("seen", 0.5, 1),
    "seen 0.9": ("seen", 0.9, 1),
    "seen 0.5 T=2": ("seen", 0.5, 2),
    "seen 0.9 T=2": ("seen", 0.9, 2),
    "seen 0.9 T=4": ("seen", 0.9, 4),
}
"""By name: which predictions, the teacher's weight, and the temperature."""


class Mixed:
    """A split whose classes are rows of probabilities."""

    def __init__(self, split: Any, classes: int, soft: Any = None) -> None:
        self.split, self.classes, self.soft = split, classes, soft

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.split)

    def take(self, indices: Any, out: tuple[Any, Any]) -> None:
        """Write the examples at positions."""
        numbers = np.empty(len(indices), np.int64)
        self.split.take(indices, (out[0], numbers))
        out[1][:] = np.eye(self.classes)[numbers] if self.soft is None else self.soft[indices]


def trained(table: RealTable, x: Any, t: Any, soft: Any, **options: Any) -> Any:
    """Train a network on labels or values, or on probabilities in place of the labels."""
    columns = {"categorical": table.categorical, "unknown": "zeros"} if table.categorical else {}
    options = columns | {"numbers": "robust_smooth_clip", "threads": 1, "evaluate_train": False} | options
    options["predict"] = "classes" if table.has_classes else "values"
    if soft is None:
        return fit(x, t, quiet=True, **options)
    top = {key: options.pop(key) for key in ("layers", "seed")}
    examples = {"train": (x, t), "validation": options.pop("validation")}
    spec, dataset = spec_in_memory(Registry.discover(), examples, {**top, "name": "pupil"}, options, {})
    plain, opened = dataset.describe(), dataset.open
    described = plain._replace(target=replace(plain.target, one_hot=True))  # type: ignore[type-var]
    count = described.target.count  # type: ignore[union-attr]
    dataset.describe = lambda: described  # type: ignore[method-assign]
    dataset.open = lambda seed: {  # type: ignore[method-assign]
        name: Mixed(split, count, soft if name == "train" else None) for name, split in opened(seed).items()
    }
    return train_spec(spec, None, dataset=dataset, observer=Observer())


def fits(table: RealTable, seed: int, share: float, hidden: int) -> Any:
    """Yield the name and the results of each fit on a table."""
    x, t = table.inputs("train"), table.targets("train")
    known = np.random.default_rng(seed).permutation(len(t)) < max(100, share * len(t))
    validation = (table.inputs("validation"), table.targets("validation"))
    t = table.class_numbers("train") if table.has_classes else t
    if table.has_classes:
        validation = (validation[0], table.class_numbers("validation"))
    recipe = recipe_spec(table, "realmlp_td_s", seed)
    settings = {key: recipe["training"][key] for key in ("optimizer", "rates", "best_weights", "ties")}
    epochs = int(np.clip(400_000 / known.sum(), 12, 100))
    batch = int(min(256, known.sum() // 4))
    began = time.process_time()
    settings |= {"epochs": epochs, "batch_size": batch, "metrics": ["accuracy"] if table.has_classes else []}
    loss = "SoftmaxWithLoss" if table.has_classes else "MeanSquaredError"
    recipe["layers"][-1] = loss  # with smoothed labels it would teach less
    teacher = trained(
        table, x[known], t[known], None, layers=recipe["layers"], ensemble={"folds": 5}, seed=seed, **settings
    )
    yield "teacher", results(table, teacher) | {"seconds": time.process_time() - began}
    whole = teacher.network.predict(teacher.network.encoder.encode(columns_of(x)))
    seen, fold = whole.copy(), whole.copy()
    fold[known] = teacher.out_of_fold.values
    first = {"weights": "fan_in_uniform", "biases": "fan_in_uniform"}
    layers = [{"Affine": {"units": hidden, **first}}, "Relu", {"Affine": {"units": "auto", **first}}, loss]
    target = np.eye(whole.shape[1])[t] if table.has_classes else t.astype(float)
    for name, (source, weight, temperature) in WAYS.items():
        if temperature != 1 and not table.has_classes:
            continue
        given = (seen if source == "seen" else fold).astype(float)
        given = given if table.has_classes else given.reshape(len(t))
        if temperature != 1:
            given = np.maximum(given, 1e-30) ** (1 / temperature)
            given /= given.sum(axis=1, keepdims=True)
        mixed = weight * given + (1 - weight) * target
        mixed[~known] = given[~known]
        for rows in ("labelled", "all") if share < 1 and weight else ("labelled",):
            used = known if rows == "labelled" else np.ones(len(t), bool)
            options: dict[str, Any] = {
                "epochs": int(np.clip(2_000_000 / used.sum(), 60, 400)),
                "batch_size": int(min(128, used.sum() // 4)),
                "optimizer": {"adam": {"learning_rate": {"one_cycle": {"peak": 0.01}}}},
                "best_weights": "loss",
                "metrics": ["accuracy"] if table.has_classes else [],
            }
            soft = mixed[used] if table.has_classes else None
            values = t[used] if table.has_classes else mixed[used]
            began = time.process_time()
            pupil = trained(table, x[used], values, soft, layers=layers, seed=seed, validation=validation, **options)
            seconds = time.process_time() - began
            yield name + (" all" if rows == "all" else ""), results(table, pupil) | {"seconds": seconds}


def columns_of(frame: Any) -> dict[str, Any]:
    """Return the columns of a frame as lists."""
    return {name: frame[name].tolist() for name in frame}


def results(table: RealTable, run: Any) -> dict[str, float]:
    """Return error and log loss on the test rows, bytes of parameters, and microseconds of a row."""
    network = run.network
    x = network.encoder.encode(columns_of(table.inputs("test")))
    predicted = network.predict(x)
    found: dict[str, float] = {"bytes": sum(values.nbytes for values in network.parameters.values())}
    for name, rows in (("one", x[:1]), ("thousand", x[:1000])):
        times = []
        for _ in range(30):
            began = time.perf_counter()
            network.predict_encoded(rows)
            times.append(time.perf_counter() - began)
        found[f"microseconds_{name}"] = 1e6 * min(times)
    if not table.has_classes:
        return found | {"error": table.error(predicted)}
    t = table.class_numbers("test")
    logs = -np.log(np.maximum(predicted[np.arange(len(t)), t].astype(float), 1e-12))
    return found | {"error": 100 * float(np.mean(predicted.argmax(axis=1) != t)), "log_loss": float(logs.mean())}


def main() -> None:
    """Fit what is missing in the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("distill.jsonl"), help="default: %(default)s")
    parser.add_argument("--tables", nargs="+", metavar="TABLE", help="default: all in the folder")
    parser.add_argument("--seeds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--labelled", type=float, default=1.0, help="share of the labels that are kept")
    parser.add_argument("--hidden", type=int, default=64, help="units of the pupil (default: %(default)s)")
    options = parser.parse_args()
    lines = options.out.read_text("utf-8").splitlines() if options.out.exists() else []
    done = {(line["table"], line["seed"]) for line in map(json.loads, lines)}
    names = options.tables or sorted(path.parent.name for path in options.folder.glob("*/table.json"))
    for seed in range(options.seeds):
        for name in names:
            if (name, seed) in done:
                continue
            found = {}
            for way, result in fits(RealTable(options.folder / name), seed, options.labelled, options.hidden):
                found[way] = result
                shown = " ".join(f"{key} {value:.4g}" for key, value in result.items())
                print(f"{name:12} {seed} {way:16} {shown}", flush=True)
            with options.out.open("a", encoding="utf-8") as file:
                file.write(
                    json.dumps({"table": name, "seed": seed, "labelled": options.labelled, "ways": found}) + "\n"
                )


if __name__ == "__main__":
    main()
