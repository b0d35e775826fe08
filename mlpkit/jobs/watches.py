"""What follows a training from inside, if its run is kept or shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from mlpkit.lazy_names import load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit.components.dataset import Dataset, Description, Split
    from mlpkit.network.sequential import Sequential
    from mlpkit.specfile.spec import Spec
    from mlpkit.training.events import Observer
    from mlpkit.training.watch import Watch

WATCHES: Final = ("mlpkit.verbs.doctor.health:HealthMonitor",)
"""The watches that look into each training, imported when it begins."""


class WatchedTraining(NamedTuple):
    """A training that is about to begin.

    Args:
        spec: its spec.
        steps: how many steps to do in place of the time that the spec sets; None to look at the clock.
        network: its network, with the layers frozen that are not trained.
        dataset: its data.
        description: the data's shapes.
        splits: the data, by split.
        observer: receives what a watch finds.
    """

    spec: Spec
    steps: int | None
    network: Sequential
    dataset: Dataset
    description: Description
    splits: Mapping[str, Split]
    observer: Observer


def watches_of(training: WatchedTraining) -> list[Watch]:
    """Return what follows a training."""
    return [load(place)(training) for place in WATCHES]
