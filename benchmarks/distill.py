"""Measures what a small network gains from a teacher, on tables with fixed splits (see ``tables.py`` for the folder).

Run it as ``python benchmarks/distill.py FOLDER --out results.jsonl``. The teacher is an ensemble of five folds of
RealMLP-TD-S, with fewer epochs and no smoothed labels. The pupil has one hidden layer, and trains on the same rows,
alone and on mixtures of their targets with the teacher's predictions: those of the ensemble, most of whose networks
have ``seen`` the row, or that of the network which hasn't (``fold``). The file gets a line for each table and seed;
what it has already is left out. Then it prints the means of each table; ``--show`` prints them without training.
``--quick`` trains for an epoch."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from table_contestants.mlpkit_recipes import recipe_spec
from table_contestants.real_table import RealTable

from mlpkit import fit

WAYS: dict[str, tuple[str, float, float]] = {
    "alone": ("seen", 0, 1),
    "fold 0.5": ("fold", 0.5, 1),
    "seen 0.5": ("seen", 0.5, 1),
    "seen 0.9": ("seen", 0.9, 1),
    "seen 0.5 T=2": ("seen", 0.5, 2),
    "seen 0.9 T=4": ("seen", 0.9, 4),
}
"""By name: which predictions, their weight, and the temperature."""

FIRST = {"weights": "fan_in_uniform", "biases": "fan_in_uniform"}


def trained(table: RealTable, t: Any, predict: str, **options: Any) -> Any:
    """Train a network on the training rows, with these targets."""
    columns = {"categorical": table.categorical, "unknown": "zeros"} if table.categorical else {}
    options |= {"numbers": "robust_smooth_clip", "threads": 1, "evaluate_train": False, "predict": predict, **columns}
    return fit(table.inputs("train"), t, quiet=True, **options)


def own_targets(table: RealTable, split: str) -> Any:
    """Return the values of the rows, or a one-hot row for each."""
    if not table.has_classes:
        return table.targets(split).astype(float)
    return np.eye(len(table.classes))[table.class_numbers(split)]


def measured(table: RealTable, seed: int, *, quick: bool) -> dict[str, dict[str, float]]:
    """Return the results of each fit on a table, by its name."""
    target, recipe = own_targets(table, "train"), recipe_spec(table, "realmlp_td_s", seed)
    rows, loss = len(target), "SoftmaxWithLoss" if table.has_classes else "MeanSquaredError"
    settings = {key: recipe["training"][key] for key in ("optimizer", "rates", "best_weights", "ties")}
    settings |= {"metrics": ["accuracy"] if table.has_classes else [], "batch_size": min(256, rows // 4)}
    settings |= {"epochs": 1 if quick else int(np.clip(400_000 / rows, 12, 100)), "ensemble": {"folds": 5}}
    layers, predict = [*recipe["layers"][:-1], loss], "classes" if table.has_classes else "values"
    numbers = table.class_numbers("train") if table.has_classes else target
    teacher = trained(table, numbers, predict, layers=layers, seed=seed, **settings)
    x = teacher.network.encoder.encode(table.inputs("train"))
    predictions = {"seen": teacher.network.predict(x), "fold": teacher.out_of_fold.values}
    found = {"teacher": results(table, teacher.network)}
    options: dict[str, Any] = {
        "layers": [{"Affine": {"units": 64, **FIRST}}, "Relu", {"Affine": {"units": "auto", **FIRST}}, loss],
        "epochs": 1 if quick else int(np.clip(2_000_000 / rows, 60, 400)),
        "batch_size": min(128, rows // 4),
        "optimizer": {"adam": {"learning_rate": {"one_cycle": {"peak": 0.01}}}},
        "best_weights": "loss",
        "validation": (table.inputs("validation"), own_targets(table, "validation")),
    }
    for name, (source, weight, temperature) in WAYS.items():
        if temperature != 1 and not table.has_classes:
            continue
        given = predictions[source].astype(float).reshape(target.shape)
        if table.has_classes:
            given = np.maximum(given, 1e-30) ** (1 / temperature)
            given /= given.sum(axis=1, keepdims=True)
        mixed, soft = weight * given + (1 - weight) * target, "probabilities" if table.has_classes else "values"
        found[name] = results(table, trained(table, mixed, soft, seed=seed, **options).network)
    return found


def results(table: RealTable, network: Any) -> dict[str, float]:
    """Return errors on test and validation rows, log loss, bytes of parameters, and microseconds of a row."""
    x, times = network.encoder.encode(table.inputs("test")), []
    for _ in range(30):
        began = time.perf_counter()
        network.predict_encoded(x[:1])
        times.append(time.perf_counter() - began)
    found = {"bytes": sum(values.nbytes for values in network.parameters.values()), "microseconds": 1e6 * min(times)}
    predicted = network.predict(x)
    found |= {"error": error(table, "test", predicted)}
    held_back = network.predict(network.encoder.encode(table.inputs("validation")))
    found |= {"validation_error": error(table, "validation", held_back)}
    if not table.has_classes:
        return found
    t = table.class_numbers("test")
    logs = -np.log(np.maximum(predicted[np.arange(len(t)), t].astype(float), 1e-12))
    return found | {"log_loss": float(logs.mean())}


def error(table: RealTable, split: str, predicted: Any) -> float:
    """Return the percentage of wrong classes, or the root of the mean squared error."""
    if table.has_classes:
        return 100 * float(np.mean(predicted.argmax(axis=1) != table.class_numbers(split)))
    return float(np.sqrt(np.mean((predicted.reshape(-1) - table.targets(split)) ** 2)))


def show(lines: list[dict[str, Any]]) -> None:
    """Print the means of each table: of the mixture whose validation errors fell most, and of each seed's best."""

    def of(ways: dict[str, Any], way: str) -> dict[str, float]:
        return ways.get(way) or ways[way.split(" T=", maxsplit=1)[0]]

    def logs(way: str) -> list[float]:
        return [np.log(of(ways, way)["validation_error"] / ways["alone"]["validation_error"]) for ways in everywhere]

    everywhere = [each["ways"] for each in lines]
    falls = {way: float(np.expm1(np.mean(logs(way)))) for way in WAYS if way != "alone"}
    best = min(falls, key=lambda way: falls[way])
    print("\nvalidation errors:", *(f"{way} {100 * fall:+.1f} %" for way, fall in falls.items()), sep="  ")
    print(f"\nchange: {best}; chosen: the way with the lowest validation error of a seed, which can be alone")
    print("table        teacher   pupil   alone   change seeds  chosen    kB           microseconds  log losses")
    for name in sorted({each["table"] for each in lines}):
        of_table = [each["ways"] for each in lines if each["table"] == name]
        three = [[of(ways, each) for ways in of_table] for each in ("teacher", best, "alone")]
        means = [{key: float(np.mean([each[key] for each in one])) for key in one[0]} for one in three]
        teacher, pupil, alone = means
        better = sum(a["error"] < b["error"] for a, b in zip(three[1], three[2], strict=True))
        chosen = [
            min((ways[way] for way in WAYS if way in ways), key=lambda each: each["validation_error"])["error"]
            for ways in of_table
        ]
        print(
            f"{name:<12}",
            *(f"{each['error']:7.4g}" for each in means),
            f"{100 * (pupil['error'] / alone['error'] - 1):+6.1f} % {better:2d}/{len(of_table)}",
            f"{100 * (np.mean(chosen) / alone['error'] - 1):+6.1f} %",
            f"{teacher['bytes'] / 1e3:6.0f} {pupil['bytes'] / 1e3:3.0f}",
            f"{teacher['microseconds']:8.0f} {pupil['microseconds']:4.1f}  ",
            *(f"{each['log_loss']:.4f}" for each in means if "log_loss" in each),
        )


def main() -> None:
    """Fit what is missing in the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("distill.jsonl"), help="default: %(default)s")
    parser.add_argument("--tables", nargs="+", metavar="TABLE", help="default: all in the folder")
    parser.add_argument("--seeds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    lines = options.out.read_text("utf-8").splitlines() if options.out.exists() else []
    done = {(line["table"], line["seed"]) for line in map(json.loads, lines)}
    names = options.tables or sorted(path.parent.name for path in options.folder.glob("*/table.json"))
    for seed, name in ((seed, name) for seed in range(options.seeds) for name in names):
        if (name, seed) not in done and not options.show:
            ways = measured(RealTable(options.folder / name), seed, quick=options.quick)
            with options.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"table": name, "seed": seed, "ways": ways}) + "\n")
            print(name, seed, *(f"{way}: {each['error']:.4g}" for way, each in ways.items()), flush=True)
    show([json.loads(line) for line in options.out.read_text("utf-8").splitlines()])


if __name__ == "__main__":
    main()
