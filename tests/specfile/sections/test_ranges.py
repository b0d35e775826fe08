"""The numbers that keys of a spec take, at the ends of their ranges."""

from __future__ import annotations

import pytest

from mlpkit.components.schema.context import INVALID, CheckContext
from mlpkit.components.schema.signature import schema_of
from mlpkit.specfile.sections import (
    CheckpointSection,
    ClipSection,
    EarlyStoppingSection,
    EnsembleSection,
    MovingAverageSection,
    TeacherSection,
    TopLevel,
    Training,
)

TINY, BELOW_1, ABOVE_1 = 1e-9, 1 - 1e-9, 1 + 1e-9
ABOVE_0, AT_LEAST_0 = ([TINY], [0]), ([0], [-TINY])
COUNT, FROM_0 = ([1], [0]), ([0], [-1])
INSIDE_0_AND_1 = ([TINY, BELOW_1], [0, 1])

RANGES = {
    TopLevel: {
        "seed": FROM_0,
        "seeds": ([1, 1000, [0], (3, 0)], [0, 1001, [-1]]),
        "coverage": INSIDE_0_AND_1,
        "by": ([["a"]], [[]]),
    },
    Training: {
        **dict.fromkeys(("batch_size", "accumulate", "iterations", "epochs", "evaluate_every"), COUNT),
        **dict.fromkeys(("slices", "threads"), ([1, 1024], [0, 1025])),
        "seconds": ABOVE_0,
        **dict.fromkeys(("rates", "decays"), ([{"*.W": 0}], [{"*.W": -TINY}])),
        "max_weight_norm": ([{"*.W": TINY}], [{"*.W": 0}]),
    },
    CheckpointSection: {**dict.fromkeys(("every", "every_epochs", "keep"), COUNT), "every_seconds": ABOVE_0},
    ClipSection: {"norm": ABOVE_0, "value": ABOVE_0},
    EarlyStoppingSection: {"patience": COUNT, "minimum_change": AT_LEAST_0, "after_epochs": FROM_0},
    MovingAverageSection: {"decay": INSIDE_0_AND_1},
    TeacherSection: {"weight": ([TINY, 1], [0, ABOVE_1]), "temperature": ABOVE_0},
    EnsembleSection: {"members": ([2, 100], [1, 101]), "folds": ([2, 100], [1, 101]), "member": FROM_0},
}


@pytest.mark.parametrize(
    ("section", "key"), [(section, key) for section, keys in RANGES.items() for key in keys], ids=str
)
def test_the_ends_of_ranges(section, key):
    found = schema_of(section).types[key]
    for expected, values in zip((True, False), RANGES[section][key], strict=True):
        taken = [found.check(value, (), CheckContext()) is not INVALID for value in values]
        assert taken == [expected] * len(values)
