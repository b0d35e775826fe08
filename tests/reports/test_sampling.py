"""Which of many items are looked at."""

import pytest

from mlpkit.reports.sampling import evenly_spaced, rows_to_predict


@pytest.mark.parametrize(("count", "most"), [(7, 10), (10, 10), (0, 5), (1, 1)])
def test_of_few_items_all_are_chosen(count, most):
    assert evenly_spaced(count, most).tolist() == list(range(count))


@pytest.mark.parametrize(("count", "most"), [(11, 10), (10_000, 7), (10**9, 24)])
def test_of_many_the_first_and_the_last_and_others_at_nearly_equal_distances(count, most):
    chosen = evenly_spaced(count, most)
    gaps = chosen[1:] - chosen[:-1]
    assert (len(chosen), chosen[0], chosen[-1]) == (most, 0, count - 1)
    assert gaps.min() >= 1
    assert gaps.max() - gaps.min() <= 1


@pytest.mark.parametrize(
    ("rows", "shape", "expected"),
    [(70, (784,), 70), (60_000, (784,), 10_000), (60_000, (3, 1024, 1024), 10), (5, (1 << 26,), 1)],
)
def test_of_large_inputs_fewer_rows_are_predicted(rows, shape, expected):
    assert len(rows_to_predict(rows, shape)) == expected
