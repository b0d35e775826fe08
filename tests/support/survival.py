"""A plugin with a target of its own: how long until an event, or until the last observation without it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlpkit import Dataset, Description, Loss, Metric, ShapeError, Target, TargetError, component, hookimpl


@dataclass(frozen=True)
class SurvivalTimes(Target):
    """A time, and whether the event happened then (1) or the observation only ended (0).

    Args:
        unit: the unit of the times.
    """

    unit: str = "days"

    def array(self, dtype):
        """Return the shape of a pair, and the network's dtype."""
        return (2,), dtype

    def __str__(self):
        """Read as in ``survival times in days``."""
        return f"survival times in {self.unit}"

    def random_examples(self, rows, rng):
        """Return logarithms of hazards, and positive times, some of them equal, with events."""
        return rng.normal(size=(rows, 1)), np.column_stack([rng.integers(1, 9, rows), rng.integers(0, 2, rows)])


class Survival(Dataset):
    """Rows of numbers with times and events, in an .npz file with the arrays x, time and event.

    Args:
        file: the file; empty for made-up rows.
        unit: the unit of the times.
    """

    target_types = (SurvivalTimes,)

    def __init__(self, file: str = "", unit: str = "days") -> None:
        self.file, self.unit = file, unit

    def describe(self):
        """Return shapes; every fourth row is for validation."""
        self.arrays = _arrays(self.file)
        rows, width = self.arrays[0].shape
        return Description((width,), SurvivalTimes(self.unit), {"train": rows - rows // 4, "validation": rows // 4})

    def open(self, seed):
        """Return the splits."""
        x, t = self.arrays
        first = len(x) - len(x) // 4
        return {"train": _Rows(x[:first], t[:first]), "validation": _Rows(x[first:], t[first:])}

    def target_names(self):
        """Return the names of the pair."""
        return "time", "event"

    def read_examples(self, source):
        """Return the arrays of another file."""
        return _arrays(source)

    def raw_rows(self, split, indices):
        """Return inputs as they are."""
        return self.open(0)[split].x[indices]


class _Rows:
    def __init__(self, x, t):
        self.x, self.t = x, t

    def __len__(self):
        return len(self.x)

    def take(self, indices, out):
        """Copy rows."""
        out[0][...], out[1][...] = self.x[indices], self.t[indices]


def drawn(rows=400, seed=0):
    """Return inputs, times and events, of which the first input brings the event forward, and the second delays it."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3))
    time = np.ceil(20 * rng.exponential(np.exp(x @ [-1, 0.5, 0])))
    end = rng.integers(1, 60, rows)
    return {"x": x, "time": np.minimum(time, end), "event": np.float64(time <= end)}


def _arrays(file):
    arrays = np.load(file) if file else drawn()
    return arrays["x"], np.column_stack([arrays["time"], arrays["event"]])


class CoxLoss(Loss):
    """Cox's negative partial logarithmic likelihood, with Breslow's approximation for equal times.

        loss = -1/rows Σ over i with an event of (x_i - log Σ over j with time_j >= time_i of exp(x_j))

    Source: Cox, Regression Models and Life-Tables (1972).
    """

    couples_examples = True
    example_targets = (SurvivalTimes(),)

    def build(self, input_shape, target):
        """Require one input, and survival times."""
        if target is not None and not isinstance(target, SurvivalTimes):
            raise TargetError(f"{self.path} is for survival times, but the data gives {target}")
        if input_shape != (1,):
            raise ShapeError(f"{self.path} gets inputs of shape {input_shape}", expected="(1,), the log of a hazard")

    def expected_inputs(self, target):
        """Return the shape of the logarithm of a hazard."""
        return (1,) if isinstance(target, SurvivalTimes) else None

    def forward(self, x, t):
        """Return the mean over rows."""
        hazard, (time, event) = x[:, 0].astype(np.float64), t.T
        order = np.argsort(time, kind="stable")
        first, last = (np.searchsorted(time[order], time, side) for side in ("left", "right"))
        most = hazard.max()
        relative = np.exp(hazard - most)
        at_risk = np.cumsum(relative[order][::-1])[::-1][first]
        shares = np.cumsum((event / at_risk)[order])[last - 1]
        self.dx = ((relative * shares - event) / len(t))[:, np.newaxis].astype(x.dtype)
        return float((event * (np.log(at_risk) + most - hazard)).sum() / len(t))

    def backward(self, dloss=1.0):
        """Return dx."""
        return self.dx * np.asarray(dloss, self.dx.dtype)

    def prediction_names(self):
        """Return what is predicted."""
        return ("log_hazard",)

    @classmethod
    def examples(cls):
        """Show it on the logarithm of a hazard."""
        return [({}, (1,))]


class Concordance(Metric):
    """Harrell's share of the comparable pairs of rows whose order is predicted: who has the event first is riskier."""

    def __init__(self) -> None:
        self.risks, self.targets = [], []

    def expect_target(self, target):
        """Require survival times."""
        if not isinstance(target, SurvivalTimes):
            raise ShapeError(f"concordance is for survival times, but the data gives {target}")

    def update(self, prediction, t):
        """Keep the rows."""
        self.risks.append(prediction[:, 0].copy())
        self.targets.append(t.copy())

    def merge(self, other):
        """Keep another's rows, too."""
        self.risks += other.risks
        self.targets += other.targets

    def result(self):
        """Return the share; a half for a tie of risks."""
        risk, (time, event) = np.concatenate(self.risks), np.concatenate(self.targets).T
        pairs = (event[:, np.newaxis] == 1) & (time[:, np.newaxis] < time)
        difference = risk[:, np.newaxis] - risk
        right = (difference[pairs] > 0) + 0.5 * (difference[pairs] == 0)
        return float(right.mean()) if right.size else 0.5

    @classmethod
    def examples(cls):
        """Show it on survival times."""
        return [({}, SurvivalTimes())]


@hookimpl
def mlpkit_components():
    """Return the components."""
    return [
        component("dataset", "survival", Survival),
        component("loss", "CoxLoss", CoxLoss),
        component("metric", "concordance", Concordance),
    ]
