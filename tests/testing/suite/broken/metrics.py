"""Metrics that break what metrics promise."""

from __future__ import annotations

import numpy as np
from kill_matrix import caught_by
from sound import Share, WeightedShare

from mlpkit import Labels, ShapeError


@caught_by("result_is_a_finite_number")
class SpreadOfOne(Share):
    """is not a number for one example"""

    def result(self):
        return super().result() if self.seen > 1 else float("nan")


@caught_by("result_is_a_finite_number")
class TableUndeclared(Share):
    """gives a table without a word"""

    def result(self):
        return [[self.right, self.seen]]


@caught_by("result_is_a_finite_number")
class TableOfShares(Share):
    """says that it gives a table of counts, and gives shares"""

    table = ("target", "predicted")

    def result(self):
        return [[self.right / max(self.seen, 1)]]


@caught_by("parts_make_the_whole")
class MeanOfMeans(Share):
    """takes the mean of each minibatch's share, whatever its size"""

    def update(self, prediction, t):
        self.right += float((prediction.argmax(axis=1) == t).mean())
        self.seen += 1


@caught_by("merged_parts_make_the_whole")
class MergesHalf(Share):
    """forgets a count when it merges"""

    def merge(self, other):
        self.right += other.right


@caught_by("merged_parts_make_the_whole")
class BeginsAtOne(Share):
    """starts with one example counted"""

    def __init__(self) -> None:
        self.right = 0
        self.seen = 1

    def merge(self, other):
        self.right += other.right
        self.seen += other.seen


@caught_by("parts_make_the_whole")
class ForgetsWhenAsked(Share):
    """starts again after result was called"""

    def result(self):
        result = super().result()
        self.right = self.seen = 0
        return result


@caught_by("leaves_predictions_alone")
class SortsInPlace(Share):
    """sorts the targets in place"""

    def update(self, prediction, t):
        super().update(prediction, t)
        t.sort()


@caught_by("keeps_no_array_that_is_not_its_own")
class LooksLater(Share):
    """keeps the arrays and looks at them when it is asked"""

    def __init__(self) -> None:
        self.parts = []

    def update(self, prediction, t):
        self.parts.append((prediction, t))

    def merge(self, other):
        self.parts += other.parts

    def result(self):
        return float(np.mean(np.concatenate([p.argmax(axis=1) == t for p, t in self.parts])))


@caught_by("parts_make_the_whole")
class CountsInTheClass(Share):
    """counts in a list of the class, which all objects share"""

    counts: list[int] = []

    def __init__(self) -> None:
        pass

    def update(self, prediction, t):
        self.counts.extend((prediction.argmax(axis=1) == t).tolist())

    def merge(self, other):
        pass

    def result(self):
        return sum(self.counts) / len(self.counts)


@caught_by("refuses_targets_it_can_not_judge")
class JudgesEverything(Share):
    """has nothing against targets that it can't compare with predictions, and fails"""

    def expect_target(self, target):
        pass


@caught_by("refuses_targets_it_can_not_judge")
class RefusesItsExample(Share):
    """refuses the target that it is shown with"""

    @classmethod
    def examples(cls):
        return [({}, Labels(3))]


@caught_by("refuses_targets_it_can_not_judge")
class StumblesOverTargets(Share):
    """takes every target for one with a number of classes, and fails to refuse others"""

    def expect_target(self, target):
        if target.one_hot:
            raise ShapeError("no rows")


@caught_by("can_be_loaded")
class PromisesToTakeWeights(Share):
    """says that it takes weights of examples, and has no parameter for them"""

    takes_weights = True


@caught_by("result_counts_a_row_as_often_as_its_weight_says")
class LeavesWeightsAside(WeightedShare):
    """takes weights, and counts all rows alike"""

    def update(self, prediction, t, weights=None):
        super().update(prediction, t)


@caught_by("result_counts_a_row_as_often_as_its_weight_says")
class SeesRowsWithoutWeight(WeightedShare):
    """counts a row without weight among those seen"""

    def update(self, prediction, t, weights=None):
        super().update(prediction, t, weights)
        self.seen += 0 if weights is None else int((weights == 0).sum())


@caught_by("result_counts_a_row_as_often_as_its_weight_says")
class SmoothsByARow(WeightedShare):
    """adds half a row if weights are no whole numbers"""

    def update(self, prediction, t, weights=None):
        super().update(prediction, t, weights)
        self.seen += 0 if weights is None or not (weights % 1).any() else 0.5


@caught_by("result_is_a_finite_number")
class SeesQuantiles(Share):
    """says that it sees what no metric gets"""

    sees = "quantiles"


class _Table(Share):
    """A table of counts."""

    table = ("target", "predicted")

    def result(self):
        return [[self.right, self.seen - self.right], [self.seen, 0]]


@caught_by("result_is_a_finite_number")
class RaggedTable(_Table):
    """gives a table whose rows differ in length for one example"""

    def result(self):
        return [[self.right], [self.right, self.seen]] if self.seen == 1 else super().result()


@caught_by("result_is_a_finite_number")
class EmptyTable(_Table):
    """gives a table without rows"""

    def result(self):
        return []


@caught_by("result_is_a_finite_number")
class TableOfTuples(_Table):
    """gives a table whose rows are tuples"""

    def result(self):
        return [tuple(row) for row in super().result()]


@caught_by("leaves_predictions_alone")
class WritesAndRestores(Share):
    """writes into the predictions, and writes the old values back"""

    def update(self, prediction, t):
        prediction += 1
        super().update(prediction, t)
        prediction -= 1


@caught_by("leaves_predictions_alone")
class NegatesPredictions(Share):
    """writes into the predictions"""

    def update(self, prediction, t):
        super().update(prediction, t)
        np.negative(prediction, out=prediction)


@caught_by("keeps_no_array_that_is_not_its_own")
class KeepsPredictions(LooksLater):
    """copies the targets, and keeps the predictions"""

    def update(self, prediction, t):
        super().update(prediction, t.copy())


@caught_by("keeps_no_array_that_is_not_its_own")
class KeepsTargets(LooksLater):
    """copies the predictions, and keeps the targets"""

    def update(self, prediction, t):
        super().update(prediction.copy(), t)


@caught_by("merged_parts_make_the_whole")
class CanNotMergeNothing(Share):
    """divides when it merges, also by nothing"""

    def merge(self, other):
        share = other.right / other.seen
        self.seen += other.seen
        self.right += share * other.seen


@caught_by("refuses_targets_it_can_not_judge")
class FailsAtTheEnd(Share):
    """takes labels, and fails when it is asked for the result"""

    def expect_target(self, target):
        if not isinstance(target, Labels):
            super().expect_target(target)

    def update(self, prediction, t):
        self.labels = t.ndim == 2
        if not self.labels:
            super().update(prediction, t)

    def result(self):
        return self.labels["share"] if self.labels else super().result()


@caught_by("result_is_a_finite_number")
class OverflowsInMany(Share):
    """is infinite for more than one example in float64"""

    def update(self, prediction, t):
        super().update(prediction, t)
        if len(t) > 1 and prediction.dtype == np.float64:
            self.right = float("inf")


@caught_by("result_is_a_finite_number")
class TableOfTruth(Share):
    """gives a table of truth values"""

    table = ("wrong", "right")

    def result(self):
        return [[False, True]]
