"""The loss CoxLoss."""

from typing import Literal

import numpy as np

from mlpkit import Loss, ShapeError, TargetError
from survival_mlpkit.survival_times import SurvivalTimes


class CoxLoss(Loss):
    """Negative logarithm of Cox's partial likelihood: the row with an event should have had the highest risk.

        h    = exp(x)
        S(e) = Σ h of all rows whose time is at least that of event e, E(e) = Σ h of the events at exactly that time
        D(e) = S(e) - c(e) E(e)
        loss = Σ over events e of  (log D(e) - x(e)),  divided by the number of rows
        dx_j = dloss / rows (h_j (Σ over events e until time j of  1 / D(e)
                                  - Σ over events e at time j of  c(e) / D(e), if j is an event) - [j is an event])

    Breslow's approximation for tied events has c = 0. Efron's numbers the d events of a time l = 0, ..., d - 1 and
    has c = l / d. The rows of a minibatch are compared with one another, so larger minibatches estimate more exactly.

    Args:
        ties: how to treat events at the same time.

    Shapes: x (rows, 1), t (rows, 2).

    Source: Cox, Regression Models and Life-Tables (1972); Efron, The Efficiency of Cox's Likelihood Function for
        Censored Data (1977); of a network: Katzman et al., DeepSurv (2018).
    """

    couples_examples = True
    example_targets = (SurvivalTimes(),)

    ties: Literal["efron", "breslow"] = "efron"

    def build(self, input_shape, target):
        """Check that a row has one risk, and a survival time."""
        if target is not None and not isinstance(target, SurvivalTimes):
            raise TargetError(
                f"{self.path} is for survival times, but the data gives {target}",
                expected="a data set such as survival.table",
            )
        if input_shape != (1,):
            raise ShapeError(f"{self.path} gets inputs of shape {input_shape}", expected="one number, the log hazard")

    def expected_inputs(self, target):
        """Return that a row has one number."""
        return (1,)

    def prediction_names(self):
        """Name the number that is predicted, which grows as the time shrinks."""
        return ("log_hazard",)

    def best_constant(self, t, weights=None):
        """Return zero: if all risks are equal, the loss doesn't depend on them."""
        return np.zeros(1)

    def forward(self, x, t):
        """Return the loss."""
        logs = x[:, 0].astype(np.float64)
        logs -= logs.max(initial=0)
        self.h = np.exp(logs)
        times, self.time = np.unique(-t[:, 0], return_inverse=True)  # time 0 is the latest
        self.event = t[:, 1] > 0
        events = np.flatnonzero(self.event)
        self.events = events[np.argsort(self.time[events], kind="stable")]
        self.at = self.time[self.events]
        deaths = np.bincount(self.at, minlength=len(times))
        first = deaths.cumsum() - deaths
        rank = np.arange(len(self.at)) - first[self.at]
        self.c = rank / deaths[self.at] if self.ties == "efron" else np.zeros(len(rank))
        at_risk = np.bincount(self.time, self.h, len(times)).cumsum()
        dying = np.bincount(self.at, self.h[self.events], len(times))
        self.d = at_risk[self.at] - self.c * dying[self.at]
        return float((np.log(self.d) - logs[self.events]).sum() / max(1, len(x)))

    def backward(self, dloss=1.0):
        """Return dx."""
        count = self.time.max(initial=-1) + 1
        of_event = np.bincount(self.at, self.c / self.d, count)
        until = np.bincount(self.at, 1 / self.d, count)[::-1].cumsum()[::-1]
        dx = self.h * (until[self.time] - self.event * of_event[self.time]) - self.event
        return (dx * (dloss / max(1, len(dx)))).astype(self.dtype)[:, None]

    @classmethod
    def examples(cls):
        """Show both ways to treat ties."""
        return [({}, (1,)), ({"ties": "breslow"}, (1,))]
