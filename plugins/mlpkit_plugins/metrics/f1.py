"""The F1 score."""

from __future__ import annotations

from mlpkit_plugins.metrics.averaged_over_classes import AveragedOverClasses, Counts


class F1(AveragedOverClasses):
    """Harmonic mean of precision and recall.

        f1 = 2 precision recall / (precision + recall) = 2 right / (predicted + actual)

    where right counts the right predictions of a class, predicted all its predictions, and actual all its examples. For
    a class, 0 / 0 counts as 0.

    Shapes: prediction (rows, classes), t (rows,) or one-hot (rows, classes); or prediction and t (rows, labels); or,
        for class 1 of two, prediction (rows,) or (rows, 1), t (rows,) or (rows, 1).

    Raises:
        ParameterError: the average or the threshold doesn't suit the target.
        ShapeError: the target is real values.

    Source: van Rijsbergen, Information Retrieval (1979), chapter 7, where it is 1 - E with α = ½; its averages are
        named as in scikit-learn.
    """

    def fraction(self, right: Counts, predicted: Counts, actual: Counts) -> tuple[Counts, Counts]:
        """Return 2 right / (predicted + actual)."""
        return 2 * right, predicted + actual
