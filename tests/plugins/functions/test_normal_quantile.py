from __future__ import annotations

from statistics import NormalDist

import numpy as np

from mlpkit_plugins.functions.normal_quantile import normal_quantile


def test_quantiles_are_those_of_the_standard_library_over_the_whole_range():
    tail = np.logspace(-10, np.log10(0.5), 400)
    p = np.concatenate([tail, 1 - tail])
    expected = [NormalDist().inv_cdf(share) for share in p]
    np.testing.assert_allclose(normal_quantile(p), expected, rtol=1e-14, atol=1e-16)
