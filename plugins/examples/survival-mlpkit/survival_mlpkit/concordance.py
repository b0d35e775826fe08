"""The metric concordance."""

from bisect import bisect_left, bisect_right, insort
from itertools import groupby
from operator import itemgetter

from mlpkit import Metric, ShapeError
from survival_mlpkit.survival_times import SurvivalTimes


class Concordance(Metric):
    """Harrell's concordance index: the share of pairs of rows in which the one with the earlier event has more risk.

        concordance = (right + equal / 2) / pairs

    A pair can be compared if one row has an event, and the other is known to have lived longer. Pairs of equal risk
    count half. Without pairs, the result is 0.5.

    Source: Harrell et al., Evaluating the Yield of Medical Tests (1982).
    """

    def __init__(self):
        self.rows = []

    def expect_target(self, target):
        """Check that the target is survival times."""
        if not isinstance(target, SurvivalTimes):
            raise ShapeError(
                f"{self.registered_name} is for survival times, but the data gives {target}",
                expected="a data set such as survival.table",
            )

    def update(self, prediction, t):
        """Keep the minibatch: pairs reach across minibatches."""
        self.rows += zip(t[:, 0].tolist(), (t[:, 1] > 0).tolist(), prediction[:, 0].tolist(), strict=True)

    def merge(self, other):
        """Take the rows of another one."""
        self.rows += other.rows

    def result(self):
        """Return the share, going from the latest time to the earliest."""
        score, pairs, later = 0.0, 0, []  # later: risks of those who lived longer, sorted
        for _, same_time in groupby(sorted(self.rows, reverse=True), key=itemgetter(0)):
            deaths = []
            for _, event, risk in same_time:
                if event:
                    deaths.append(risk)
                else:
                    insort(later, risk)
            for risk in deaths:
                score += (bisect_left(later, risk) + bisect_right(later, risk)) / 2
                pairs += len(later)
            for risk in deaths:
                insort(later, risk)
        return score / pairs if pairs else 0.5

    @classmethod
    def examples(cls):
        """Show the metric on its target."""
        return [({}, SurvivalTimes())]
