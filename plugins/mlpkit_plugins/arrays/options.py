"""The parameters of arrays that all file formats share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from annotated_types import Ge, Gt

from mlpkit import EncodingLike, FilePath
from mlpkit_plugins.arrays.array_targets import Predicted
from mlpkit_plugins.arrays.scaling import ScaleTarget
from mlpkit_plugins.splits.shares import Share

Files: TypeAlias = tuple[FilePath, FilePath]
"""A file of inputs, and a file of targets."""


@dataclass(kw_only=True, eq=False)
class ContentOptions:
    """The content of arrays, and the scaling of inputs.

    Args:
        numbers: the encoding of numeric inputs; by default ``standardize`` decides.
        predict: the kind of targets: ``classes``, numbers from 0; ``labels``, rows of 0 and 1; ``values``, numbers.
        flatten: give inputs as rows.
        divide_by: the number by which inputs are divided, such as 255 for bytes of images.
        standardize: scale each element of the inputs to mean 0 and standard deviation 1 over the training examples,
            for which the file is read once.
        scale_target: how the network sees values to predict: scaled to mean 0 and standard deviation 1
            (``standardize``), as logarithms scaled the same way (``log``), or unscaled (``none``). Predictions, losses
            and metrics are always in the unit of the target.
        clip_predictions: clip predictions of values to the range of the training examples' targets, if they are scaled;
            the loss of a minibatch uses unclipped predictions.
    """

    numbers: EncodingLike | None = None
    predict: Predicted = "classes"
    flatten: bool = False
    divide_by: Annotated[float, Gt(0)] = 1.0
    standardize: bool = False
    scale_target: ScaleTarget = "standardize"
    clip_predictions: bool = False


@dataclass(kw_only=True, eq=False)
class SplitOptions:
    """The split of examples; each data set decides which separate files a split may have.

    Args:
        validation: share of the examples for validation, or the two files that hold them; 0 for none.
        test: share of the examples for testing, or the two files that hold them; 0 for none.
        split: draw the examples of each split at random (``shuffle``), or keep them ``in_order``: the first for
            training, the last for testing.
        split_seed: another number gives another shuffle; the spec's seed doesn't affect the split.
    """

    validation: Share | FilePath | Files = 0.1
    test: Share | FilePath | Files = 0.1
    split: Literal["shuffle", "in_order"] = "shuffle"
    split_seed: Annotated[int, Ge(0)] = 0
