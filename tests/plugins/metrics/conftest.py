"""What the tests of metrics share: predictions and targets in which ties and absent classes are common."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from requirements import require_package

ROWS = st.integers(1, 40)


@st.composite
def _of_classes(draw, fewest, most):
    rows, count = draw(ROWS), draw(st.integers(fewest, most))
    weights = draw(arrays.arrays(np.int64, (rows, count), elements=st.integers(1, 4)))
    t = draw(arrays.arrays(np.int64, rows, elements=st.integers(0, count - 1)))
    return weights / weights.sum(axis=1, keepdims=True), t


@st.composite
def _of_labels(draw):
    shape = draw(ROWS), draw(st.integers(2, 4))
    eighths = draw(arrays.arrays(np.int64, shape, elements=st.integers(0, 8)))
    return eighths / 8, draw(arrays.arrays(np.int64, shape, elements=st.integers(0, 1))).astype(float)


@st.composite
def _of_values(draw):
    shape = draw(st.tuples(ROWS) | st.tuples(ROWS, st.integers(1, 3)))
    values = arrays.arrays(np.int64, shape, elements=st.integers(-(2**16), 2**16) | st.integers(0, 2))
    return draw(values) / 64, draw(values) / 64


@pytest.fixture(scope="session")
def classified():
    """Probabilities of three classes or more, of which many are equal, and class numbers, of which some are absent."""
    return _of_classes(3, 6)


@pytest.fixture(scope="session")
def in_two_classes():
    """The same, of two classes."""
    return _of_classes(2, 2)


@pytest.fixture(scope="session")
def labelled():
    """Probabilities, many of them equal, and labels, some of which apply to no example or to all."""
    return _of_labels()


@pytest.fixture(scope="session")
def measured():
    """Predictions and values, of which many are equal; a mean of equal ones is exact."""
    return _of_values()


@pytest.fixture(scope="session")
def figure_of():
    """Return a function that finds a metric's figure over all examples at once.

    In minibatches, and merged from other objects, it must be the same. ``expect_target`` is called if a target is
    given.
    """

    def figure(metric, prediction, t, target=None, **parameters):
        def new():
            made = metric(**parameters)
            if target is not None:
                made.expect_target(target)
            return made

        prediction, t = np.asarray(prediction, float), np.asarray(t)
        whole, in_parts, merged = new(), new(), new()
        whole.update(prediction, t)
        for part in np.array_split(np.arange(len(t)), 4):  # some of them empty, if there are few
            other = new()
            for each in (in_parts, other):
                each.update(prediction[part], t[part])
            merged.merge(other)
        found = whole.result()
        assert type(found) is float
        assert [in_parts.result(), merged.result()] == pytest.approx([found, found], rel=1e-12, abs=1e-12)
        return found

    return figure


@pytest.fixture(scope="session")
def sklearn_metrics():
    """The metrics of scikit-learn."""
    require_package("sklearn")
    from sklearn import metrics

    return metrics
