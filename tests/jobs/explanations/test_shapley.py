"""Shapley values of functions whose values are known for all sets of parts."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit.jobs.explanations import Explanation, shapley_values


class Game:
    """A function with random values, which counts how often it is asked about each background row."""

    def __init__(self, parts, rows, seed, outputs=1, degree=None):
        rng = np.random.default_rng(seed)
        self.parts, self.asked = parts, np.zeros(rows, int)
        masks = np.arange(2**parts)[:, None] >> np.arange(parts) & 1 == 1
        self.values = rng.normal(size=(2**parts, rows, outputs))
        if degree is not None:
            terms = [number for number in range(2**parts) if number.bit_count() <= degree]
            weights = rng.normal(size=(len(terms), rows, outputs))
            inside = np.array(
                [[all(mask[i] or not term >> i & 1 for i in range(parts)) for term in terms] for mask in masks]
            )
            self.values = np.tensordot(inside.astype(float), weights, axes=1)

    def __call__(self, masks, rows):
        np.add.at(self.asked, rows, 1)
        return self.values[masks @ (1 << np.arange(self.parts)), rows]

    def explained(self, orders=8, seed=0):
        return shapley_values(
            self, self.values[-1].mean(axis=0), self.values[0], self.parts, orders, np.random.default_rng(seed)
        )

    def exact(self):
        """Return the mean over all orders of what each part adds."""
        worth, found = self.values.mean(axis=1), np.zeros((self.parts, self.values.shape[2]))
        orders = list(permutations(range(self.parts)))
        for order in orders:
            number = 0
            for part in order:
                found[part] += worth[number | 1 << part] - worth[number]
                number |= 1 << part
        return found / len(orders)


def whole_alike(game):
    """Make the value of the whole the same, whatever the background row is, as it is for a model."""
    game.values[-1] = game.values[-1].mean(axis=0)
    return game


@pytest.mark.parametrize("parts", [1, 2, 3, 4])
def test_with_few_parts_values_are_exact(parts):
    game = whole_alike(Game(parts, 5, seed=1, outputs=2))

    values, errors = game.explained(orders=100)

    np.testing.assert_allclose(values, game.exact(), atol=1e-12)
    assert not errors.any()


@given(st.integers(2, 7), st.integers(1, 6), st.integers(1, 20), st.integers(0, 99))
@settings(max_examples=25)
def test_values_add_up_to_the_value_minus_the_mean_of_the_background(parts, rows, orders, seed):
    game = whole_alike(Game(parts, rows, seed, outputs=2))

    values, _ = game.explained(orders, seed)

    np.testing.assert_allclose(values.sum(axis=0), game.values[-1, 0] - game.values[0].mean(axis=0), atol=1e-12)


@given(st.integers(5, 7), st.integers(2, 6), st.integers(1, 20), st.integers(0, 99))
@settings(max_examples=15)
def test_each_background_row_is_used_equally_often(parts, rows, orders, seed):
    game = whole_alike(Game(parts, rows, seed))

    game.explained(orders, seed)

    assert len(set(game.asked.tolist())) == 1


def test_an_order_and_its_reverse_leave_no_error_where_parts_act_in_pairs():
    game = Game(7, 3, seed=2, degree=2)
    game.values -= game.values[-1] - game.values[-1].mean(axis=0)

    values, errors = game.explained(orders=6)

    assert errors.max() < 1e-12
    np.testing.assert_allclose(values, game.exact(), atol=1e-12)


def test_stated_errors_are_those_that_are_made():
    game = whole_alike(Game(6, 30, seed=3))
    exact = game.exact()

    found = [game.explained(orders=60, seed=seed) for seed in range(200)]
    misses = np.abs(np.array([(values - exact) / errors for values, errors in found]))

    assert 0.93 < (misses < 2).mean() < 0.975
    assert (misses < 3).mean() > 0.985


def test_more_orders_have_a_smaller_error():
    game = whole_alike(Game(9, 20, seed=4))

    few, many = (game.explained(orders)[1].mean() for orders in (40, 640))

    assert many == pytest.approx(few / 4, rel=0.25)


def test_values_are_exact_once_that_is_no_dearer_than_the_orders():
    game = whole_alike(Game(6, 3, seed=5))

    sampled, enumerated = game.explained(orders=15), game.explained(orders=21)

    assert sampled[1].any()
    assert not enumerated[1].any()
    np.testing.assert_allclose(enumerated[0], game.exact(), atol=1e-12)


def explanation(values, **more):
    return Explanation(values, np.full_like(values, 0.1), np.ones(len(values)), ("a", "b"), ("price",), **more)


def test_a_row_has_its_values_behind_the_names_of_the_columns():
    found = explanation(np.array([[1.0, -2.0]]), inputs={"a": [3], "b": ["x"]})
    ((name, base, values, errors),) = found.of_row(0)

    assert (name, base, found.predictions.tolist()) == ("price", 1.0, [0.0])
    assert found.parts_of(0, values, errors) == [("b = x", -2.0, 0.1), ("a = 3", 1.0, 0.1)]


def test_beyond_eight_columns_the_least_are_shown_together():
    values = np.arange(12.0)[None]
    names = tuple(f"c{i}" for i in range(12))
    found = Explanation(values, values, np.zeros(1), names, ("price",))

    parts = found.parts_of(0, values[0], values[0])

    assert [name for name, _, _ in parts] == [*(f"c{i}" for i in range(11, 3, -1)), "4 others"]
    assert parts[-1][1:] == (6.0, None)
    for count, shown in ((9, 9), (10, 8)):  # a ninth takes no more room than a line for one other
        few = Explanation(values[:, :count], values[:, :count], np.zeros(1), names[:count], ("price",))
        parts = few.parts_of(0, values[0, :count], values[0, :count])
        assert [name for name, _, _ in parts] == [
            *(f"c{i}" for i in range(count - 1, count - 1 - shown, -1)),
            *(["2 others"] if shown < count else []),
        ]
