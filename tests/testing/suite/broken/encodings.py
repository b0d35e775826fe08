"""Encodings that break what encodings promise."""

from __future__ import annotations

import numpy as np
from kill_matrix import caught_by
from sound import Halved


@caught_by("encoded_rows_have_the_declared_features")
class NamesTooFew(Halved):
    """names a feature less than it writes"""

    def features(self, columns, learned):
        return [(), *((name,) for name in columns[1:])]


@caught_by("a_row_needs_no_others")
class CentersTheBatch(Halved):
    """takes off the mean of the rows at hand"""

    def encode(self, numbers, learned):
        return numbers - numbers.mean(axis=0) if len(numbers) else numbers


@caught_by("fit_depends_on_the_rows_alone")
class LooksAtTheFirstPart(Halved):
    """learns from the first rows alone"""

    def fit(self, columns):
        return {"mean": np.nan_to_num(next(columns.parts())).mean(axis=0)}


@caught_by("what_was_learned_can_be_saved")
class LearnsNaN(Halved):
    """learns NaN"""

    def fit(self, columns):
        return super().fit(columns) | {"spare": np.array([np.nan])}


@caught_by("onnx_describes_what_rows_become")
class DescribesAnother(Halved):
    """describes a third where it computes a half"""

    def onnx(self, graph, numbers, learned):
        return graph.op("Div", graph.op("Sub", numbers, learned["mean"]), np.array(3.0))


@caught_by("encoded_rows_have_the_declared_features")
class FailsWithoutRows(Halved):
    """divides by the number of rows"""

    def encode(self, numbers, learned):
        return super().encode(numbers, learned) / (len(numbers) / len(numbers))


@caught_by("encoded_rows_have_the_declared_features")
class InfiniteFarAway(Halved):
    """is infinite where a number is far from the mean"""

    def encode(self, numbers, learned):
        distance = super().encode(numbers, learned)
        return np.where(np.abs(distance) > 1000, np.inf, distance)


@caught_by("encoded_rows_have_the_declared_features")
class ReturnsAList(Halved):
    """returns a list"""

    def encode(self, numbers, learned):
        return super().encode(numbers, learned).tolist()


@caught_by("fit_depends_on_the_rows_alone")
class RemembersItsRows(Halved):
    """keeps the number of its rows in an attribute"""

    def fit(self, columns):
        self.rows = sum(len(part) for part in columns.parts())
        return super().fit(columns)


@caught_by("what_was_learned_can_be_saved")
class LearnsAList(Halved):
    """learns a list"""

    def fit(self, columns):
        return super().fit(columns) | {"spare": [1.0, 2.0]}


@caught_by("encoded_rows_have_the_declared_features")
class NamesFewerColumns(Halved):
    """has names for all columns but the last"""

    def features(self, columns, learned):
        return [(name,) for name in columns[:-1]]


@caught_by("encoded_rows_have_the_declared_features")
class EncodesNoRowsAsOne(Halved):
    """makes a row of none"""

    def encode(self, numbers, learned):
        return super().encode(numbers, learned) if len(numbers) else np.zeros((1, len(learned["mean"])))


@caught_by("encoded_rows_have_the_declared_features")
class EncodesAloneInAColumn(Halved):
    """makes a column of a single row"""

    def encode(self, numbers, learned):
        found = super().encode(numbers, learned)
        return found.T if len(found) == 1 else found
