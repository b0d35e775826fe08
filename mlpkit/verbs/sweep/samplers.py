"""Which values a trial gets: at random, each combination once, or the values that look best after the trials so far."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from mlpkit.components.randomness import keyed_generator
from mlpkit.errors import UsageError
from mlpkit.runs.overview import FINISHED, PRUNED, STOPPED
from mlpkit.verbs.sweep.folder import Trial
from mlpkit.verbs.sweep.section import SearchedKey, SweepSection, combinations

Sampler: TypeAlias = Callable[[int, Sequence[Trial]], dict[str, Any] | None]
"""Returns the values of a trial, given its number and the trials before it as they are now; None after the last."""

DIGITS: Final = 6
"""Significant digits of a number that is drawn: more make no difference, and are hard to read."""

WITHOUT_OPTUNA: Final = (
    'the sampler tpe needs Optuna; install it with: pip install "mlpkit[sweep]", or take sampler: random'
)


def make_sampler(sweep: SweepSection, seed: int) -> Sampler:
    """Return the sampler of a sweep, or raise ``UsageError`` without a library that it needs."""
    if sweep.sampler == "tpe":
        return TpeSampler(sweep, seed).values
    if sweep.sampler == "grid":
        grid = [*combinations(sweep.search)]
        return lambda number, trials: grid[number] if number < len(grid) else None
    return lambda number, trials: random_values(sweep.search, seed, number)


def random_values(search: Mapping[str, SearchedKey], seed: int, number: int) -> dict[str, Any]:
    """Return random values of a trial; each depends on the seed, the trial's number and the key alone."""
    values: dict[str, Any] = {}
    for key, searched in search.items():
        if searched.holds(values):
            values[key] = value_at(searched, keyed_generator(seed, "trial", number, key).random())
    return values


def value_at(searched: SearchedKey, share: float) -> Any:
    """Return the value at a share, in [0, 1), of the range of a key."""
    if searched.finite and not (searched.of_integers and searched.log):
        return searched.at(int(share * searched.count))
    low, high = searched.ends
    half = 0.5 if searched.of_integers else 0.0  # the lowest integer stands for as much as the others
    if searched.log:
        found = math.exp(math.log(low - half) + share * (math.log(high + half) - math.log(low - half)))
    else:
        found = low + share * (high - low)
    return max(low, min(high, round(found))) if searched.of_integers else shortened(found, low, high)


def shortened(number: float, low: float, high: float) -> float:
    """Return a number with few digits, not outside its range."""
    return max(float(low), min(float(high), float(f"{number:.{DIGITS}g}")))


class TpeSampler:
    """A tree-structured Parzen estimator, by Optuna, which learns from the trials so far.

    The study is made of the trials for each choice, and the random numbers are keyed by the trial's number, so that the
    same trials lead to the same choice, also after a break.

    Raises:
        UsageError: Optuna is not installed.

    Source: Bergstra, Bardenet, Bengio and Kégl, Algorithms for Hyper-Parameter Optimization (2011).
    """

    def __init__(self, sweep: SweepSection, seed: int) -> None:
        try:
            import optuna  # noqa: PLC0415 - an extra, and slow to import
        except ImportError as error:
            raise UsageError(WITHOUT_OPTUNA) from error
        self._optuna = optuna
        self._sweep = sweep
        self._seed = seed

    def values(self, number: int, trials: Sequence[Trial]) -> dict[str, Any]:
        """Return the values that look best after the trials so far."""
        optuna = self._optuna
        seed = int(keyed_generator(self._seed, "trial", number).integers(2**31))
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # by default it prints a line for each study
        study = optuna.create_study(
            directions=["maximize" if each.maximize else "minimize" for each in self._sweep.objectives],
            sampler=optuna.samplers.TPESampler(seed=seed, constant_liar=True),
        )
        study.add_trials([self._known(trial) for trial in trials if self._counts(trial)])
        asked, values = study.ask(), dict[str, Any]()
        for key, searched in self._sweep.search.items():
            if searched.holds(values):
                values[key] = self._suggested(asked, key, searched)
        return values

    def _counts(self, trial: Trial) -> bool:
        """Whether something can be learned of a trial; of one that has only begun, that it needs no other like it."""
        return trial.state != FINISHED or all(each.key in trial.results for each in self._sweep.objectives)

    def _known(self, trial: Trial) -> Any:
        """Return a trial as Optuna knows it; one that diverged or failed is worse than all that ended."""
        optuna, states = self._optuna, self._optuna.trial.TrialState
        search = {key: searched for key, searched in self._sweep.search.items() if key in trial.values}
        known: dict[str, Any] = {
            "params": {key: _for_optuna(searched, trial.values[key]) for key, searched in search.items()},
            "distributions": {key: self._distribution(searched) for key, searched in search.items()},
        }
        if trial.state == FINISHED:
            values = [trial.results[each.key] for each in self._sweep.objectives]
            return optuna.trial.create_trial(state=states.COMPLETE, values=values, **known)
        if trial.state == STOPPED:
            return optuna.trial.create_trial(state=states.RUNNING, **known)
        value = trial.results.get(self._sweep.objectives[0].key) if trial.state == PRUNED else None
        return optuna.trial.create_trial(
            state=states.PRUNED, intermediate_values={} if value is None else {1: value}, **known
        )

    def _distribution(self, searched: SearchedKey) -> Any:
        found = self._optuna.distributions
        if searched.choices is not None:
            return found.CategoricalDistribution(range(searched.count))
        low, high = searched.ends
        if searched.of_integers:
            return found.IntDistribution(int(low), int(high), log=searched.log)
        return found.FloatDistribution(low, high, log=searched.log)

    def _suggested(self, asked: Any, key: str, searched: SearchedKey) -> Any:
        found = self._distribution(searched)
        if searched.choices is not None:
            return searched.at(asked.suggest_categorical(key, found.choices))
        suggest = asked.suggest_int if isinstance(found.low, int) else asked.suggest_float
        value = suggest(key, found.low, found.high, log=found.log)
        return value if searched.of_integers else shortened(value, *searched.ends)


def _for_optuna(searched: SearchedKey, value: Any) -> Any:
    """Return a value as Optuna knows it: a choice by its place, since Optuna takes plain choices only."""
    if searched.choices is None:
        return value
    return next(i for i, choice in enumerate(searched.choices) if repr(choice) == repr(value))
