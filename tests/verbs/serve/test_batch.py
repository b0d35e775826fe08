"""Rows of several requests, predicted together."""

from __future__ import annotations

import numpy as np
import pytest
from requirements import require_package

from mlpkit.jobs.load_model import load_run


@pytest.fixture
def batch():
    require_package("starlette")
    from mlpkit.verbs.serve import batch

    return batch


def test_rows_of_other_types_and_of_several_rows_are_predicted_as_alone(batch, runs):
    from mlpkit.verbs.serve.rows import Rows

    model = load_run(runs / "loans")
    whole = {"amount": [4], "income": [10], "years_in_job": [13], "purpose": ["car"]}
    broken = {"amount": [4.5, 90.25], "income": [10.5, 3.0], "years_in_job": [13, 0], "purpose": ["car", "kitchen"]}
    text = b"amount,income,years_in_job,purpose\n7,8,9,kitchen\n"
    wrong = {**whole, "purpose": ["carr"]}
    requests = [batch.Request(model, Rows(content)) for content in (whole, broken, text, wrong, whole)]
    together, alone = batch.predict_all(requests), [batch.predict_all([each])[0] for each in requests]
    for number in (0, 1, 2, 4):
        np.testing.assert_array_equal(together[number].predictions.values, alone[number].predictions.values)
    assert len(together[1].predictions.values) == 2
    assert len({together[number].predictions.values.tobytes() for number in (0, 1, 2)}) == 3
    assert "carr" in str(together[3])
    assert str(together[3]) == str(alone[3])
