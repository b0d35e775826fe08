"""Log loss and calibration error of a network on ten tables: as trained, calibrated, and calibrated by scikit-learn.

Run it as ``python benchmarks/calibration.py FOLDER``; FOLDER has the eight tables of classes that ``tables.py``
describes, and scikit-learn brings the other two. The network has two hidden layers of 128 units and trains for 30
epochs, so that it is too sure of itself. All calibrations get the probabilities of the same weights, and are fitted on
the validation rows; scikit-learn's ``CalibratedClassifierCV`` wraps the network in a ``FrozenEstimator``. Figures are
means over the seeds, on the test rows: log loss, and expected calibration error in percent. ``--quick`` takes one seed
of the small tables.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import log_loss
from table_contestants.real_table import SPLITS, RealTable

from mlpkit import calibration_bins, expected_calibration_error, fit

TABLES = ("letter", "magic", "penbased", "satellite", "shuttle", "spam", "vehicle", "wa_churn")
SMALL = ("spam", "vehicle", "digits", "cancer")
OF_SKLEARN = {"digits": load_digits, "cancer": load_breast_cancer}
OURS = ("none", "temperature", "isotonic")
THEIRS = ("sigmoid", "temperature", "isotonic")
LAYERS = [{"Affine": {"units": 128}}, "Relu", {"Affine": {"units": 128}}, "Relu"]


class Network(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A trained network as a classifier, whose inputs are encoded."""

    def __init__(self, network: Any = None, classes: Any = None) -> None:
        self.network, self.classes = network, classes
        self.classes_ = classes

    def predict_proba(self, X: Any) -> Any:
        """Return the network's probabilities."""
        return self.network.predict(X)

    def predict(self, X: Any) -> Any:
        """Return the most probable classes."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def fit(self, X: Any, y: Any) -> Network:
        """Stay as it is."""
        return self


def examples(name: str, folder: Path, seed: int) -> dict[str, tuple[Any, Any]]:
    """Return inputs and class numbers by split."""
    if name not in OF_SKLEARN:
        table = RealTable(folder / name)
        return {split: (table.inputs(split), table.class_numbers(split)) for split in SPLITS}
    x, t = OF_SKLEARN[name](return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(t))
    parts = np.split(order, [int(0.64 * len(t)), int(0.8 * len(t))])
    return {split: (x[rows], t[rows]) for split, rows in zip(SPLITS, parts, strict=True)}


def trained(data: dict[str, tuple[Any, Any]], calibration: str | None, seed: int) -> Any:
    """Return the run of a network."""
    (x, t), classes = data["train"], int(data["train"][1].max()) + 1
    return fit(
        x,
        t,
        layers=[*LAYERS, {"Affine": {"units": classes}}, "SoftmaxWithLoss"],
        validation=data["validation"],
        calibration=calibration,
        standardize=True,
        epochs=30,
        batch_size=64,
        threads=1,
        evaluate_every=10**9,
        seed=seed,
        quiet=True,
    )


def judged(p: Any, t: Any) -> tuple[float, float]:
    """Return log loss and calibration error of probabilities."""
    bins = calibration_bins(p.max(axis=1).astype(float), p.argmax(axis=1) == t)
    p = p / p.sum(axis=1, keepdims=True, dtype=float)
    return float(log_loss(t, p, labels=range(p.shape[1]))), 100 * expected_calibration_error(bins)


def measured(name: str, folder: Path, seed: int) -> list[tuple[float, float]]:
    """Return what each way of calibrating gives."""
    data, found = examples(name, folder, seed), []
    runs = {way: trained(data, None if way == "none" else way, seed) for way in OURS}
    network, encode = runs["none"].network, runs["none"].network.encoder.encode
    (validation, of_validation), (test, t) = ((encode(x), t) for x, t in (data["validation"], data["test"]))
    for way in OURS:
        assert all((runs[way].network.parameters[key] == array).all() for key, array in network.parameters.items())
        found.append(judged(runs[way].network.predict(test), t))
    classes = np.arange(network.predict(test[:1]).shape[1])
    for method in THEIRS:
        once = [(np.arange(len(validation)),) * 2]  # a frozen estimator needs no folds
        theirs = CalibratedClassifierCV(FrozenEstimator(Network(network, classes)), method=method, cv=once)
        p = np.zeros((len(t), len(classes)))
        theirs.fit(validation, of_validation)
        p[:, theirs.classes_] = theirs.predict_proba(test)
        found.append(judged(p, t))
    return found


def main() -> None:
    """Print a row for each table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--quick", action="store_true", help="one seed of the small tables")
    options = parser.parse_args()
    ways = [*OURS, *(f"sklearn {method}" for method in THEIRS)]
    print("| table |", " | ".join(ways), "|\n|", " | ".join(["---"] * (len(ways) + 1)), "|")
    for name in SMALL if options.quick else (*TABLES, *OF_SKLEARN):
        seeds = range(1 if options.quick else options.seeds)
        means = np.mean([measured(name, options.folder, seed) for seed in seeds], axis=0)
        print("|", name, "|", " | ".join(f"{loss:.4f}, {error:.1f} %" for loss, error in means), "|", flush=True)


if __name__ == "__main__":
    main()
