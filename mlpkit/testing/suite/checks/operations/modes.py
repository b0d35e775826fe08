"""Training and evaluation: in evaluation nothing is learned and nothing is left to chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlpkit.testing.suite.check import checks_examples
from mlpkit.testing.suite.comparison import expect_same_bits
from mlpkit.testing.suite.examples.operation import OUTPUTS

if TYPE_CHECKING:
    from mlpkit.testing.suite.examples.layer import LayerExample


@checks_examples("layer")
def evaluation_changes_no_state(example: LayerExample) -> None:
    """Is all state the same after ``forward`` in evaluation as before?

    Evaluating more often must not change the training.
    """
    layer, batch = example.ready(training=False), example.batch()
    example.forward(layer, batch)
    before = {f"the state {state.path}": np.full(state.shape, state.initial) for state in layer.declared_states()}
    found = {f"the state {state.path}": state.value.copy() for state in layer.declared_states()}
    expect_same_bits(found, before, "in evaluation", "change state only if self.training is true")


@checks_examples("layer")
def evaluation_draws_no_random_numbers(example: LayerExample) -> None:
    """In evaluation, does ``forward`` give the same bits whatever the random numbers are?

    A prediction must not be different each time it is asked for.
    """
    layer, batch = example.ready(training=False), example.batch()
    first = np.array(example.forward(layer, batch))
    for each in layer.operations():
        each._position.step += 1
    found = np.array(example.forward(layer, batch))
    remedy = "use self.rng only if self.training is true"
    expect_same_bits({OUTPUTS: found}, {OUTPUTS: first}, "in evaluation, with other random numbers", remedy)
