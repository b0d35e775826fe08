"""Encodings of categories that break what these promise."""

from __future__ import annotations

import numpy as np
from kill_matrix import caught_by
from sound import Frequency, Place


@caught_by("encoded_rows_have_the_declared_features")
class NamesTwo(Frequency):
    """names two features where it writes one"""

    def features(self, column, categories, learned):
        return [column, f"{column} again"]


@caught_by("encoded_rows_have_the_declared_features")
class HoldsWords(Frequency):
    """holds what no column can"""

    holds = "words"


@caught_by("a_row_needs_no_others")
class CentersTheCategories(Frequency):
    """takes off the mean of the rows at hand"""

    def encode(self, codes, categories, learned):
        rows = super().encode(codes, categories, learned)
        return rows - rows.mean(axis=0) if len(rows) else rows


@caught_by("fit_depends_on_the_rows_alone")
class CountsTheFirstRows(Frequency):
    """learns from the first rows alone"""

    def fit(self, column):
        counts = np.bincount(column.codes[:10] + 1, minlength=len(column.categories) + 1)
        return {"codebook": np.roll(counts, -1)[:, None] / 10}


@caught_by("what_was_learned_can_be_saved")
class LearnsInfinity(Frequency):
    """learns infinity"""

    def fit(self, column):
        return super().fit(column) | {"spare": np.array([np.inf])}


@caught_by("indices_count_from_0")
class CountsTheMissing(Place):
    """begins with 1 for a missing category"""

    def fit(self, column):
        return {"codebook": super().fit(column)["codebook"] + 1}


@caught_by("onnx_describes_what_rows_become")
class DescribesTwice(Frequency):
    """describes twice what it computes"""

    def onnx(self, graph, codes, categories, learned):
        return graph.op("Mul", super().onnx(graph, codes, categories, learned), np.array(2.0))


@caught_by("indices_count_from_0")
class PlacesBetween(Place):
    """places categories between two indices"""

    def fit(self, column):
        codebook = super().fit(column)["codebook"]
        return {"codebook": codebook / 2}


@caught_by("indices_count_from_0")
class CountsBackwards(Place):
    """counts places down from 0"""

    def fit(self, column):
        return {"codebook": -super().fit(column)["codebook"]}


@caught_by("encoded_rows_have_the_declared_features")
class OneHotOrMissing(Frequency):
    """encodes a missing category as what is not a number, in a column that doesn't hold numbers"""

    holds = "one_hot"

    def fit(self, column):
        codebook = super().fit(column)["codebook"]
        codebook[-1] = np.nan
        return {"codebook": codebook}
