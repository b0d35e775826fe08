"""Times a fit of ``mlpkit.sklearn.MLPClassifier`` against scikit-learn's, epoch for epoch.

    python benchmarks/sklearn_fit.py [digits wide mnist] [--rounds 5] [--json]

Both train on the same rows with the same layers, batch size and number of epochs, in turns, on all cores, or on one
with OPENBLAS_NUM_THREADS=1. Seconds by the clock are what a person waits; seconds of the processor, with one thread,
hardly depend on other load.
"""

from __future__ import annotations

import statistics
import warnings
from functools import partial
from typing import Any

from mnist_arrays import SPEC
from report import add_names, parser_of, print_report
from rounds import interleaved, ratio, timed
from sklearn.datasets import load_digits, make_classification
from sklearn.neural_network import MLPClassifier as OfScikitLearn

import mlpkit
from mlpkit.sklearn import MLPClassifier as OfMlpkit

EPOCHS = {"digits": 100, "wide": 20, "mnist": 5}


def examples(name: str) -> tuple[Any, Any]:
    """Return inputs and classes."""
    if name == "digits":
        digits, classes = load_digits(return_X_y=True)
        return digits / 16, classes
    if name == "wide":
        wide: tuple[Any, Any] = make_classification(5000, 500, n_informative=50, random_state=0)
        return wide
    images, numbers = mlpkit.load_data(mlpkit.load_spec(SPEC))
    return images, numbers


def measured(name: str, rounds: int) -> dict[str, Any]:
    """Return the medians of both, and of their ratio."""
    x, t = examples(name)
    settings = {"max_iter": EPOCHS[name], "n_iter_no_change": EPOCHS[name], "random_state": 0}

    def fit(kind: type) -> dict[str, float]:
        return timed(lambda: kind(**settings).fit(x, t))

    found = interleaved({"sklearn": partial(fit, OfScikitLearn), "mlpkit": partial(fit, OfMlpkit)}, rounds)
    clocks = {}
    for clock in ("seconds", "processor_seconds"):
        times = {side: [each[clock] for each in runs] for side, runs in found.items()}
        medians = {side: statistics.median(seconds) for side, seconds in times.items()}
        clocks[clock] = {**medians, "ratio": ratio(times["sklearn"], times["mlpkit"]).median}
    return clocks


def main() -> None:
    """Print two lines for each data set."""
    parser = parser_of(__doc__, rounds=5)
    add_names(parser, "names", EPOCHS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    found = {name: measured(name, options.rounds) for name in options.names}
    lines = [
        f"{name:7}{clock:18} scikit-learn {each['sklearn']:7.3f} s   mlpkit {each['mlpkit']:7.3f} s   "
        f"{each['ratio']:5.1f} times as fast"
        for name, clocks in found.items()
        for clock, each in clocks.items()
    ]
    print_report(options, found, lines)


if __name__ == "__main__":
    main()
