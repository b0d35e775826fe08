"""Times the concordance index against lifelines and scikit-survival, a step of Cox's loss, and a fit of rossi.

python speed.py [ROUNDS]
"""

import sys
import time

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from lifelines.utils import concordance_index
from sksurv.metrics import concordance_index_censored
from survival_mlpkit.concordance import Concordance
from survival_mlpkit.cox_loss import CoxLoss
from survival_mlpkit.survival_times import SurvivalTimes
from survival_mlpkit.table import ROSSI

import mlpkit
from mlpkit.testing import standalone

SPEC = {
    "mlpkit": 1,
    "dtype": "float64",
    "data": {"survival.table": {"file": str(ROSSI), "time": "week", "event": "arrest", "validation": 0, "test": 0}},
    "layers": [{"Affine": {"units": 1, "bias": False}}, "survival.CoxLoss"],
    "training": {"optimizer": {"sgd": {"learning_rate": 3.0}}, "batch_size": 432, "epochs": 300, "evaluate_every": 300},
}


def examples(rows):
    """Return risks and targets."""
    rng = np.random.default_rng(0)
    times = rng.exponential(100, rows).round(1)
    return rng.normal(size=(rows, 1)), np.column_stack((times, rng.uniform(size=rows) < 0.3))


def concordance(x, t):
    """Compute the metric."""
    metric = Concordance()
    metric.update(x, t)
    return metric.result()


def loss_pass(x, t):
    """Return what sends a minibatch forward and back."""
    loss = standalone(CoxLoss(), (1,), target=SurvivalTimes())
    return lambda: (loss.forward(x, t), loss.backward())


def least(rounds, *calls):
    """Return the least milliseconds of each call, which take turns."""
    times = np.empty((rounds, len(calls)))
    for row in times:
        for i, call in enumerate(calls):
            began = time.perf_counter()
            call()
            row[i] = 1000 * (time.perf_counter() - began)
    return times.min(axis=0)


def main(rounds=5):
    """Print a table."""
    print("| what | rows | ms | lifelines, ms | scikit-survival, ms |\n| --- | ---: | ---: | ---: | ---: |")
    for rows in (1_000, 10_000):
        x, t = examples(rows)
        print(f"| a pass of `CoxLoss` | {rows:,} | {least(rounds, loss_pass(x, t))[0]:.2f} | | |")
        ours, lifelines, sksurv = least(
            rounds,
            lambda x=x, t=t: concordance(x, t),
            lambda x=x, t=t: concordance_index(t[:, 0], -x[:, 0], t[:, 1]),
            lambda x=x, t=t: concordance_index_censored(t[:, 1] > 0, t[:, 0], x[:, 0]),
        )
        print(f"| `concordance` | {rows:,} | {ours:.1f} | {lifelines:.1f} | {sksurv:.1f} |")
    frame, spec = pd.read_csv(ROSSI), mlpkit.load_spec(SPEC)
    ours, lifelines = least(
        rounds, lambda: mlpkit.run(spec, quiet=True), lambda: CoxPHFitter().fit(frame, "week", "arrest")
    )
    print(f"| a linear model of rossi, 300 steps | 432 | {ours:.0f} | {lifelines:.0f} | |")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
