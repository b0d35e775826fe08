"""Tests whether the best of a sweep beats the spec that it began from, on test rows that no trial has seen.

    python benchmarks/sweep_gain.py [--tables FOLDER] [--only NAME ...] [--trials 60] [--seeds 20] [--json]

``mnist_fast`` is the shipped spec, searched in what takes no time: minibatch and number of steps stay, and the hidden
layers are among three that take as long. Its trials have eight seeds each, since one seed changes the accuracy by as
much as there is to gain. Tables are searched from what ``mlpkit init --data`` writes for them. ``mlpkit sweep`` chooses
by validation rows; ``mlpkit run --seeds`` trains the default and the best; ``mlpkit compare`` compares both, seed by
seed, on the test rows.
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from processes import MLPKIT, finished
from report import parser_of, print_report

from mlpkit.runs.json_files import readable_lines
from mlpkit.runs.layout import BEST

HIDDEN: Final = (
    [{"Affine": {"units": 192}}, "Relu"],
    [{"Affine": {"units": 160}}, "BatchNorm", "Relu"],
    [{"Affine": {"units": 128}}, "BatchNorm", "Relu", {"Affine": {"units": 64}}, "BatchNorm", "Relu"],
)
"""Hidden layers whose training takes as long: the first are those of the shipped spec."""

AT_EQUAL_TIME: Final[dict[str, Any]] = {
    "layers": [[*hidden, {"Affine": {"units": 10}}, "SoftmaxWithLoss"] for hidden in HIDDEN],
    "training.optimizer.adam.learning_rate.peak": {"low": 0.003, "high": 0.1, "log": True},
    "training.optimizer.adam.learning_rate.warmup": {"low": 0.05, "high": 0.5},
    "training.optimizer.adam.beta1": {"low": 0.6, "high": 0.95},
    "training.optimizer.adam.beta2": {"low": 0.9, "high": 0.999},
    "layers.SoftmaxWithLoss1.label_smoothing": {"low": 0.0, "high": 0.3},
}
OF_A_PERCEPTRON: Final[dict[str, Any]] = {
    "layers.Affine1.units": [64, 128, 256, 512],
    "layers.Dropout1.rate": {"low": 0.0, "high": 0.5},
    "training.optimizer.adamw.learning_rate": {"low": 3e-4, "high": 3e-2, "log": True},
    "training.optimizer.adamw.weight_decay": {"low": 1e-4, "high": 0.3, "log": True},
}
TABLES: Final = {"concrete": "test.loss", "vehicle": "test.accuracy"}
"""The metric that both are compared by, of each table."""


class Outcome(NamedTuple):
    """Means over the seeds of the default and of the best of the sweep, their difference, and seconds of a training."""

    metric: str
    default: float
    best: float
    chance: dict[str, Any]
    seconds: list[float]

    def __str__(self) -> str:
        """Return it as a line."""
        verdict = "more than chance" if self.chance["beyond_chance"] else "may be chance"
        interval = f"{self.chance['low']:+.4g} to {self.chance['high']:+.4g}"
        change = f"{self.metric} {self.default:.4g} to {self.best:.4g}, {self.chance['difference']:+.4g} ({interval})"
        times = " and ".join(f"{each:.2f} s" for each in self.seconds)
        return f"{change}, {verdict}, p {self.chance['p_value']:.2g}; a training takes {times}"


def spec_of_mnist(folder: Path) -> Path:
    """Write the spec of the sweep over ``mnist_fast``, and return its path."""
    finished([*MLPKIT, "init", "mnist_fast", "--out", str(folder / "default.yaml")])
    return written(folder, {"seeds": 8, "sweep": {"search": AT_EQUAL_TIME, "maximize": "validation_accuracy"}})


def spec_of_table(folder: Path, table: Path) -> Path:
    """Write the spec of the sweep over the first spec of a table, and return its path."""
    first_spec(table, folder)
    return written(folder, {"sweep": {"search": OF_A_PERCEPTRON, "minimize": "validation_loss"}})


def first_spec(table: Path, folder: Path) -> Path:
    """Write the first spec of a table, ``default.yaml``, and return its path."""
    target = json.loads((table / "table.json").read_text("utf-8"))["target"]
    files = {"--data": "train", "--validation": "validation", "--test": "test"}
    options = [text for option, split in files.items() for text in (option, str(table / f"{split}.csv.gz"))]
    finished([*MLPKIT, "init", *options, "--target", target, "--out", str(folder / "default.yaml")])
    return folder / "default.yaml"


def written(folder: Path, changes: dict[str, Any]) -> Path:
    """Write a spec that extends ``default.yaml`` by a sweep, and return its path."""
    changes["sweep"]["sampler"] = "tpe"
    path = folder / "searched.yaml"
    path.write_text(json.dumps({"extends": "default.yaml", **changes}))  # JSON is YAML
    return path


def outcome(folder: Path, searched: Path, metric: str, trials: int, seeds: int) -> Outcome:
    """Search, train the default and the best with several seeds, and compare them."""
    swept, sides = folder / "sweep", [folder / "of_default", folder / "of_best"]
    quiet = ["--no-report", "--quiet"]
    finished([*MLPKIT, "sweep", str(searched), "--set", f"sweep.trials={trials}", "--out", str(swept), *quiet])
    for spec, side in zip((folder / "default.yaml", swept / BEST), sides, strict=True):
        finished([*MLPKIT, "run", str(spec), "--seeds", str(seeds), "--out", str(side), *quiet])
    compared = finished([*MLPKIT, "compare", *map(str, sides), "--metric", metric, "--json"])
    found = json.loads(compared.stdout)
    default, best = (each["mean"] for each in found["metrics"][metric])
    (chance,) = found["chance"]
    logs = [side.glob("seed-*/timing.jsonl") for side in sides]
    seconds = [statistics.fmean(readable_lines(log)[-1]["seconds"] for log in found) for found in logs]
    return Outcome(metric, default, best, chance, seconds)


def main() -> None:
    """Search and compare all, and print it."""
    parser = parser_of(__doc__)
    parser.add_argument("--tables", type=Path, metavar="FOLDER", help="holds a folder for each table")
    parser.add_argument("--only", nargs="+", choices=["mnist_fast", *TABLES], metavar="NAME", help="default: all")
    parser.add_argument("--trials", type=int, default=60, help="of each sweep (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=20, help="of a comparison (default: %(default)s)")
    options = parser.parse_args()
    names = options.only or ["mnist_fast", *(TABLES if options.tables else ())]
    if not options.tables and any(name in TABLES for name in names):
        parser.error(f"{' and '.join(TABLES)} need --tables FOLDER")
    found = {}
    for name in names:
        with TemporaryDirectory() as temporary:
            folder = Path(temporary)
            of_table = name in TABLES
            searched = spec_of_table(folder, options.tables.resolve() / name) if of_table else spec_of_mnist(folder)
            found[name] = outcome(folder, searched, TABLES.get(name, "test.accuracy"), options.trials, options.seeds)
    plain = {name: each._asdict() for name, each in found.items()}
    print_report(options, {"found": plain}, [f"{name}: {each}" for name, each in found.items()])


if __name__ == "__main__":
    main()
