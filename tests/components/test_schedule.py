"""Rates: numbers or schedules."""

from __future__ import annotations

import pytest

from mlpkit import Progress, Schedule
from mlpkit.components.schedule import OpenEndedProgress, rate_at
from mlpkit.errors import OpenEndedError

HALFWAY = Progress(step=50, epoch=0.5, total_steps=100)


class Linear(Schedule):
    """Goes down to nothing."""

    def __call__(self, progress):
        return 1 - progress.step // progress.total_steps


def test_a_training_that_ends_after_a_time_has_no_total_steps():
    progress = OpenEndedProgress()
    assert (progress.step, progress.epoch) == (0, 0.0)
    assert getattr(progress, "total_steps", None) is None
    assert not hasattr(progress, "steps")
    with pytest.raises(OpenEndedError, match="not known in advance: the training ends after a time"):
        rate_at(Linear(), progress)


def test_a_number_stays_what_it_is():
    assert rate_at(0.1, HALFWAY) == 0.1
    assert type(rate_at(1, HALFWAY)) is float


def test_a_schedule_is_asked():
    assert rate_at(Linear(), HALFWAY) == 1.0
    assert type(rate_at(Linear(), HALFWAY)) is float
    assert rate_at(Linear(), Progress(step=100, epoch=1.0, total_steps=100)) == 0.0


@pytest.mark.parametrize("reference", ["constant", {"constant": {"value": 1}}, None])
def test_an_unresolved_name_is_an_error(reference):
    with pytest.raises(TypeError, match="is a schedule's name, not a schedule; pass a number or a Schedule"):
        rate_at(reference, HALFWAY)
