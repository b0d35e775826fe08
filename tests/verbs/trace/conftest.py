"""A traced step, made up."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mlpkit import Classes
from mlpkit.verbs.trace.trace import Trace, TracedLayer


@pytest.fixture
def made_up():
    """Return a function that makes up a step of some examples, the later the worse, with some fields changed."""

    def traced(examples, **changed):
        i = np.arange(examples)
        inputs, hidden = np.stack([i, -i], axis=1) / 4, np.stack([i, 2 * i, 3 * i], axis=1) * 0.5
        predictions = np.stack([1 - i / 64, i / 64, 0 * i], axis=1)
        layers = (
            TracedLayer("Affine1", "Affine", inputs, hidden, hidden / 8, None),
            TracedLayer("SoftmaxWithLoss1", "SoftmaxWithLoss", hidden, None, None, hidden / 8),
        )
        step = Trace(
            folder=Path("runs/a"),
            step=1234,
            epoch=2.345,
            began_after=1200,
            learning_rate=0.0125,
            loss=1.25,
            rows=10 * i,
            sources=None,
            columns={},
            inputs=inputs,
            targets=i % 3,
            weights=None,
            predictions=predictions,
            losses=(i + 1) / 2,
            shares=(i + 1) / (i + 1).sum(),
            parameters_before={"Affine1.W": np.array([1.0, 3.0])},
            parameters_after={"Affine1.W": np.array([0.0, 3.5])},
            gradient={"Affine1.W": np.array([3.0, 4.0]), "Affine1.b": np.array([0.0])},
            clipped_gradient={"Affine1.W": np.array([3.0, 4.0]), "Affine1.b": np.array([0.0])},
            update={"Affine1.W": np.array([-1.0, 0.5])},
            layers=layers,
            target=Classes(3),
        )
        return replace(step, **changed)

    return traced
