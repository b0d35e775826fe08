"""Finds how many targets are in their intervals and sets, over many splits of five tables, against theory and MAPIE.

Run it as ``python benchmarks/conformal.py FOLDER``, with the tables of ``tables.py`` in FOLDER and MAPIE installed. Of
each split, half of the rows train a small network, a quarter sets the threshold, and a quarter is predicted. MAPIE gets
the same network and rows. ``--splits 5`` is a quick form. Prints the mean share of targets held; the shares of splits
below, in and above the band that should have 95 % of them; and the mean width, or number of classes in a set.
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mapie.classification import SplitConformalClassifier
from mapie.regression import ConformalizedQuantileRegressor, SplitConformalRegressor
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

import mlpkit
from mlpkit.network.coverage import band

SHARE, MOST_ROWS = 0.9, 4000
MEAN, CLASSES, QUANTILES = "MeanSquaredError", "SoftmaxWithLoss", {"Pinball": {"quantiles": [0.05, 0.5, 0.95]}}
LOSSES = {"california": QUANTILES, "concrete": MEAN, "diabetes": MEAN, "satellite": CLASSES, "vehicle": CLASSES}


class Value(RegressorMixin, BaseEstimator):
    """A column of what a model predicts, as an estimator."""

    def __init__(self, model: Any = None, column: int | None = None) -> None:
        self.model, self.column = model, column

    def fit(self, x: Any, y: Any) -> Value:
        """Do nothing: the model is trained."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, x: Any) -> Any:
        """Return that column."""
        found = self.model.predict(x)
        return (found if self.column is None else found[:, self.column]).astype(np.float64)


class Class(ClassifierMixin, Value):
    """A model of classes as an estimator."""

    @property
    def classes_(self) -> Any:  # noqa: D102
        return np.array(self.model.classes)

    def predict_proba(self, x: Any) -> Any:
        """Return probabilities that are float64 and have the sum 1, as MAPIE requires."""
        p = self.model.predict_proba(x).astype(np.float64)
        return p / p.sum(axis=1, keepdims=True)


def of_split(x: Any, t: Any, loss: Any, seed: int, last_class: Any) -> list[float]:
    """Train on a split, and return what its regions hold."""
    order = np.random.default_rng(seed).permutation(len(x))
    train, held_out, test = np.split(order, [len(x) // 2, len(x) * 3 // 4])
    units = 3 if loss == QUANTILES else len(np.unique(t)) if loss == CLASSES else 1
    run = mlpkit.fit(
        x[train],
        t[train],
        layers=[{"Affine": {"units": 32}}, "Relu", {"Affine": {"units": units}}, loss],
        validation=(x[held_out], t[held_out]),
        coverage=SHARE,
        standardize=True,
        iterations=600,
        batch_size=64,
        threads=1,
        seed=seed,
        **({} if loss == CLASSES else {"predict": "values", "scale_target": "standardize"}),
    )
    given: dict[str, Any] = {"confidence_level": SHARE, "prefit": True}
    if loss == CLASSES:
        peer = SplitConformalClassifier(Class(run.model), conformity_score="aps", **given)
        peer.conformalize(x[held_out], t[held_out])
        sets = peer.predict_set(x[test], conformity_score_params={"include_last_label": last_class})[1][..., 0]
        own, numbers = run.model.predict_set(x[test]), np.searchsorted(run.model.classes, t[test])
        held = [of[np.arange(len(test)), numbers].mean() for of in (own, sets)]
        return [held[0], own.sum(axis=1).mean(), held[1], sets.sum(axis=1).mean()]
    symmetric = {}
    peer = SplitConformalRegressor(Value(run.model), **given)
    if loss == QUANTILES:
        symmetric = {"symmetric_correction": True}
        peer = ConformalizedQuantileRegressor([Value(run.model, i) for i in (0, 2, 1)], **given)
    peer.conformalize(x[held_out], t[held_out])
    ends = peer.predict_interval(x[test], **symmetric)[1][..., 0]
    own = run.model.predict_interval(x[test])
    held = [((of[:, 0] <= t[test]) & (t[test] <= of[:, 1])).mean() for of in (own, ends)]
    return [held[0], np.diff(own).mean(), held[1], np.diff(ends).mean()]


def main() -> None:
    """Print a line for each table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--splits", type=int, default=200, help="default: %(default)s")
    parser.add_argument("--random", action="store_true", help="have MAPIE draw whether a set has its last class")
    options = parser.parse_args()
    last_class = "randomized" if options.random else True
    warnings.simplefilter("ignore")
    print("table       held    below / in / above   size     held, MAPIE   size")
    for name, loss in LOSSES.items():
        target = json.loads((options.folder / name / "table.json").read_text())["target"]
        parts = [pd.read_csv(options.folder / name / f"{part}.csv.gz") for part in ("train", "validation", "test")]
        rows = pd.concat(parts).sample(frac=1, random_state=0)[:MOST_ROWS]
        x, t = rows.drop(columns=target).to_numpy(np.float32), rows[target].to_numpy()
        t = t if loss == CLASSES else t.astype(np.float64)
        found = np.array([of_split(x, t, loss, seed, last_class) for seed in range(options.splits)])
        low, high = band(SHARE, len(x) * 3 // 4 - len(x) // 2, len(x) - len(x) * 3 // 4)
        share, size, of_mapie, size_of_mapie = found.mean(axis=0)
        below, above = (found[:, 0] < low).mean(), (found[:, 0] > high).mean()
        where = f"{below:6.1%} {1 - below - above:6.1%} {above:6.1%}"
        print(f"{name:10} {share:7.2%} {where} {size:9.4g} {of_mapie:9.2%} {size_of_mapie:12.4g}", flush=True)


if __name__ == "__main__":
    main()
