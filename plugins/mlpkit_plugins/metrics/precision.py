"""Precision."""

from __future__ import annotations

from mlpkit_plugins.metrics.averaged_over_classes import AveragedOverClasses, Counts


class Precision(AveragedOverClasses):
    """Share of the predictions of a class that are right.

        precision = right / predicted

    where right counts the right predictions of a class, and predicted all of them. For a class, 0 / 0 counts as 0. The
    classes are averaged in one of four ways:

        binary    only class 1, of two
        macro     the mean over the classes that occur, in the targets or in the predictions
        micro     the same ratio, of the sums over all classes
        weighted  the mean, in which each class counts as many times as it occurs in the targets

    The predicted class is the most probable one, the first if several are equal; with a threshold it is class 1, of
    two, if its probability is at least the threshold. A single column holds the probability of class 1. Labels are
    predicted one by one; they need a threshold, and all of them count as occurring.

    Shapes: prediction (rows, classes), t (rows,) or one-hot (rows, classes); or prediction and t (rows, labels); or,
        for class 1 of two, prediction (rows,) or (rows, 1), t (rows,) or (rows, 1).

    Raises:
        ParameterError: the average or the threshold doesn't suit the target.
        ShapeError: the target is real values.

    Source: van Rijsbergen, Information Retrieval (1979), chapter 7; its averages are named as in scikit-learn.
    """

    def fraction(self, right: Counts, predicted: Counts, actual: Counts) -> tuple[Counts, Counts]:
        """Return right / predicted."""
        return right, predicted
