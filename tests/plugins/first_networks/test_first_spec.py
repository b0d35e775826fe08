"""How many examples a first spec holds out."""

from __future__ import annotations

import pytest

from mlpkit_plugins.first_networks.first_spec import held_out, left_to_train


@pytest.mark.parametrize(("examples", "share", "left"), [(499, 0.2, 299), (500, 0.1, 400)])
def test_of_few_examples_a_larger_share_is_held_out(examples, share, left):
    shares = held_out(examples, [])
    assert shares == {"validation": share, "test": share}
    assert left_to_train(examples, shares) == left
    assert held_out(examples, ["validation", "file"]) == {"test": share}


def test_an_example_is_left():
    assert left_to_train(1, {"test": 0.6}) == 1
    assert left_to_train(9, {}) == 9
