"""Which of many items are looked at."""

import pytest

from mlpkit.jobs.spec_data import evenly_spaced, most_rows


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
    ("inputs", "outputs", "expected"),
    [((784,), (10,), 10_000), ((3, 1024, 1024), (10,), 10), ((1 << 26,), (1,), 1), ((20,), (100_000,), 335)],
)
def test_of_large_inputs_and_of_many_classes_fewer_rows_are_predicted(inputs, outputs, expected):
    assert most_rows(inputs, outputs) == expected
