"""Times the concordance index against lifelines and scikit-survival, and a pass of Cox's loss.

python speed.py [ROUNDS]
"""

import sys
from timeit import repeat

import numpy as np
from lifelines.utils import concordance_index
from sksurv.metrics import concordance_index_censored
from survival_mlpkit.concordance import Concordance
from survival_mlpkit.cox_loss import CoxLoss
from survival_mlpkit.survival_times import SurvivalTimes

from mlpkit.testing import standalone


def main(rounds=5):
    """Print the least milliseconds of each call."""
    rng = np.random.default_rng(0)
    loss = standalone(CoxLoss(), (1,), target=SurvivalTimes())
    print("| what | rows | ms |\n| --- | ---: | ---: |")
    for rows in (1_000, 10_000):
        x, times, event = rng.normal(size=(rows, 1)), rng.exponential(100, rows).round(1), rng.uniform(size=rows) < 0.3
        t = np.column_stack((times, event))
        calls = {
            "a pass of `CoxLoss`": lambda x=x, t=t: (loss.forward(x, t), loss.backward()),
            "`concordance`": lambda x=x, t=t: (metric := Concordance(), metric.update(x, t), metric.result()),
            "lifelines": lambda x=x, t=t: concordance_index(t[:, 0], -x[:, 0], t[:, 1]),
            "scikit-survival": lambda x=x, t=t: concordance_index_censored(t[:, 1] > 0, t[:, 0], x[:, 0]),
        }
        for what, call in calls.items():
            print(f"| {what} | {rows:,} | {1000 * min(repeat(call, number=1, repeat=rounds)):.2f} |")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
