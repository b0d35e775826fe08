"""The runs in a folder, filtered and sorted; runs of several seeds as one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Final

from mlpkit.errors import MlpkitError, RunFolderError, UsageError
from mlpkit.runs.files import LARGEST_DOCUMENT, folders_in, natural_order, read_limited
from mlpkit.runs.json_files import decisive_split, decode
from mlpkit.runs.kinds import is_run_folder, runs_in
from mlpkit.runs.layout import HISTORY, LOCK, MODEL, SEEDS
from mlpkit.runs.overview import BY_URGENCY, DAMAGED, FINISHED, RunOverview, overview_of
from mlpkit.statistics import Interval, interval


@dataclass(frozen=True)
class RunGroup:
    """A run, or a folder of several."""

    directory: Path
    runs: tuple[RunOverview, ...]
    grouped: bool = False
    planned: int = 1

    @property
    def state(self) -> str:
        """Its state; of several runs the one that asks most for attention."""
        states = {run.state for run in self.runs}
        return next(state for state in BY_URGENCY if state in states)

    @property
    def spec(self) -> str:
        """The name of the spec; of several runs, the names that differ."""
        return ", ".join(dict.fromkeys(run.spec for run in self.runs if run.spec))

    @property
    def seeds_of_one_spec(self) -> bool:
        """Whether the runs differ in their seeds alone."""
        return len({run.settings for run in self.runs}) == 1 and len({run.seed for run in self.runs}) == len(self.runs)

    @property
    def steps(self) -> int:
        """Steps done, by all runs together."""
        return sum(run.steps for run in self.runs)

    @property
    def total(self) -> int | None:
        """Steps of all runs together; None if one run's are unknown."""
        totals = [run.total for run in self.runs]
        return None if None in totals else sum(filter(None, totals))

    @property
    def began(self) -> float:
        """When the last of its runs began, in seconds since 1970."""
        return max(run.began for run in self.runs)

    def value(self, key: str) -> Interval | None:
        """Return a loss or metric, or its mean over the finished runs of a folder; None without a value."""
        if self.grouped and not self.seeds_of_one_spec:
            return None
        counting = [run for run in self.runs if run.state == FINISHED or not self.grouped]
        known = [value for run in counting if (value := figure_of(run, key)) is not None]
        return interval(known) if known else None


def figure_of(run: RunOverview, key: str) -> float | None:
    """Return a loss or metric of a run, at its end or else at its last evaluation; None if it has no such value.

    Without a split, as in ``test_loss``, the key is of the validation data, or else of the training data.
    """
    results = {f"{split}_{name}": value for split, values in run.results.items() for name, value in values.items()}
    known = {**run.last, **results}
    return known.get(key, known.get(f"{decisive_split(known)}_{key}"))


@cache
def higher_is_better(name: str) -> bool | None:
    """Return whether larger values of a metric are better, or of the loss; None if it is not installed."""
    if name == "loss":
        return False
    from mlpkit.components.metric import Metric  # noqa: PLC0415 - loads NumPy, which the loss doesn't need
    from mlpkit.registry.registry import Registry  # noqa: PLC0415 - for the same reason

    try:
        found = Registry.discover().find((Metric.kind,), name).component
    except MlpkitError:
        return None
    return issubclass(found, Metric) and found.higher_is_better


def runs_listed(directory: Path) -> list[RunGroup]:
    """Return the runs in a folder as they are now, or raise ``RunFolderError``."""
    if not directory.is_dir():
        what = "is a file" if directory.is_file() else "no such folder"
        raise RunFolderError(f"{directory}: {what}; expected a folder with runs in it, such as runs")
    if is_run_folder(directory):
        return [RunGroup(directory, (overview_of(directory),))]
    return [entry for folder in folders_in(directory) if (entry := _entry(folder))]


def _entry(folder: Path) -> RunGroup | None:
    """Return a run, or a folder of runs; None for a folder that holds none."""
    if is_run_folder(folder):
        return RunGroup(folder, (overview_of(folder),))
    try:
        inside = runs_in(folder)
    except RunFolderError as error:
        return RunGroup(folder, (RunOverview(folder, DAMAGED, str(error)),))
    if inside:
        return RunGroup(folder, tuple(map(overview_of, inside)), True, max(len(inside), _seeds_in(folder)))
    remains = any((folder / name).exists() for name in (HISTORY, LOCK, MODEL))
    return RunGroup(folder, (overview_of(folder),)) if remains else None


def _seeds_in(folder: Path) -> int:
    """Return how many seeds a folder is for; 0 if that isn't recorded."""
    with suppress(OSError, ValueError, AttributeError, TypeError):
        return len(decode(read_limited(folder / SEEDS, LARGEST_DOCUMENT)).get("seeds"))
    return 0


def chosen(entries: Iterable[RunGroup], states: Sequence[str] = (), specs: Sequence[str] = ()) -> list[RunGroup]:
    """Return the entries with a run in one of the states, and one of a spec's pattern."""
    return [
        entry
        for entry in entries
        if (not states or any(run.state in states for run in entry.runs))
        and (not specs or any(fnmatchcase(run.spec, spec) for run in entry.runs for spec in specs))
    ]


ORDERS: Final[Mapping[str, Callable[[RunGroup], tuple[object, ...]]]] = {
    "age": lambda entry: (-entry.began,),
    "name": lambda entry: tuple(natural_order(entry.directory.name)),
    "state": lambda entry: (entry.state, -entry.began),
    "spec": lambda entry: (entry.spec, -entry.began),
    "steps": lambda entry: (-entry.steps,),
}
"""What entries can be sorted by, beside their losses and metrics."""


def in_order(entries: Sequence[RunGroup], key: str = "age", *, reverse: bool = False) -> list[RunGroup]:
    """Return entries, the youngest, furthest or best first and those without a value last, or raise ``UsageError``."""
    if key in ORDERS:
        return sorted(entries, key=ORDERS[key], reverse=reverse)
    values = [(entry, entry.value(key)) for entry in entries]
    known = [(entry, value.mean) for entry, value in values if value is not None]
    if entries and not known:
        keys = ", ".join([*ORDERS, *names_of_figures(entries)])
        raise UsageError(f"--sort {key}: no run has such a value; expected {keys}")
    downwards = higher_is_better(re.sub("^(train|validation|test)_", "", key)) is not False
    known.sort(key=lambda pair: pair[1], reverse=downwards != reverse)
    return [entry for entry, _ in known] + [entry for entry, value in values if value is None]


def names_of_figures(entries: Iterable[RunGroup]) -> list[str]:
    """Return the names of the losses and metrics that runs have, the loss first."""
    runs = [run for entry in entries for run in entry.runs]
    names = dict.fromkeys(key.partition("_")[2] for run in runs for key in run.last)
    names |= dict.fromkeys(name for run in runs for values in run.results.values() for name in values)
    return sorted(names, key=lambda name: name != "loss")
