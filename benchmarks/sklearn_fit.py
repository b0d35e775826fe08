"""How long a fit takes beside scikit-learn's own multilayer perceptron, epoch for epoch.

    python benchmarks/sklearn_fit.py [ROUNDS [NAME...]]

Both train on the same rows with the same layers, batch size and number of epochs, one after the other in each round, on
all cores, or on one with OPENBLAS_NUM_THREADS=1. It prints the medians of the rounds: seconds by the clock, which are
what a person waits, and seconds of the processor, which with one thread hardly depend on what else runs.
"""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from machine import heading, machine
from mnist_arrays import read_arrays, write_arrays
from sklearn.datasets import load_digits, make_classification
from sklearn.neural_network import MLPClassifier as OfScikitLearn

from mlpkit.sklearn import MLPClassifier as OfMlpkit

if TYPE_CHECKING:
    from collections.abc import Sequence

EPOCHS = {"digits": 100, "wide": 20, "mnist": 5}


def examples(name: str) -> tuple[Any, Any]:
    """Return inputs and classes."""
    if name == "digits":
        digits, classes = load_digits(return_X_y=True)
        return digits / 16, classes
    if name == "wide":
        wide: tuple[Any, Any] = make_classification(5000, 500, n_informative=50, random_state=0)
        return wide
    with TemporaryDirectory() as folder:
        write_arrays(Path(folder))
        images, numbers = read_arrays(Path(folder), "train")
    return images / np.float32(255), numbers


def seconds(kind: type, x: Any, t: Any, epochs: int, seed: int) -> tuple[float, float]:
    """Return how long a fit takes, by the clock and of the processor's time."""
    began = time.perf_counter(), time.process_time()
    kind(max_iter=epochs, n_iter_no_change=epochs, random_state=seed).fit(x, t)
    return time.perf_counter() - began[0], time.process_time() - began[1]


def main(rounds: int, names: Sequence[str]) -> None:
    """Print a line for each data set."""
    warnings.simplefilter("ignore")
    print(heading(machine()))
    for name in names:
        x, t = examples(name)
        pairs = [[seconds(kind, x, t, EPOCHS[name], i) for kind in (OfScikitLearn, OfMlpkit)] for i in range(rounds)]
        for measured, times in zip(("clock", "processor"), np.moveaxis(pairs, 2, 0), strict=True):
            theirs, ours = np.median(times, axis=0)
            ratio = np.median(times[:, 0] / times[:, 1])
            print(
                f"{name:6} {measured:9} scikit-learn {theirs:7.3f} s   mlpkit {ours:7.3f} s   "
                f"{ratio:5.1f} times as fast"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, sys.argv[2:] or list(EPOCHS))
