"""The axis of features of a minibatch."""

from __future__ import annotations

import pytest

from mlpkit import MlpkitError, Sequential, Values
from mlpkit_plugins.layers.batch_norm import BatchNorm
from mlpkit_plugins.losses.mean_squared_error import MeanSquaredError


def test_an_example_needs_an_axis_of_features():
    with pytest.raises(MlpkitError, match=r"^BatchNorm1 can't take inputs of shape \(\)"):
        Sequential([BatchNorm(), MeanSquaredError()], (), target=Values(()))
