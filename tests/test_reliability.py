"""Bins of predicted probabilities, and their expected calibration error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit import calibration_bins, expected_calibration_error

SHARES = st.floats(0, 1, width=32)


def test_the_expected_calibration_error_by_hand():
    p, happened = np.array([0.95, 0.95, 0.95, 0.05]), np.array([True, True, False, False])
    expected = pytest.approx(0.75 * (0.95 - 2 / 3) + 0.25 * 0.05)
    assert expected_calibration_error(calibration_bins(p, happened)) == expected


def test_without_rows_there_is_no_error():
    assert np.isnan(expected_calibration_error(calibration_bins(np.empty(0), np.empty(0))))


@given(st.lists(st.tuples(SHARES, st.booleans(), st.integers(0, 3)), min_size=1), st.integers(1, 20))
def test_bins_add_up_and_a_weight_counts_as_copies(rows, bins):
    p, happened, weights = (np.array(column) for column in zip(*rows, strict=True))
    whole = calibration_bins(p, happened, weights.astype(float), bins)
    copies = calibration_bins(p.repeat(weights), happened.repeat(weights), bins=bins)
    parts = sum(calibration_bins(p[part], happened[part], weights[part], bins) for part in (slice(1), slice(1, None)))
    np.testing.assert_allclose(whole, copies, atol=1e-9)
    np.testing.assert_allclose(whole, parts, atol=1e-9)
    if weights.any():
        assert 0 <= expected_calibration_error(whole) <= 1 + 1e-9
