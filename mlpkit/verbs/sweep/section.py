"""The section ``sweep`` of a spec: which keys to vary, what makes a trial good, and when the sweep ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Final, Literal, NamedTuple

from annotated_types import Ge, Gt, Le, MinLen

from mlpkit.components.metric import Metric
from mlpkit.components.schema.component_types import DistinctListType
from mlpkit.components.schema.context import CheckContext, correction, show
from mlpkit.components.schema.recipe import KeyPath, Recipe
from mlpkit.components.schema.signature import OneOf, Section, SectionType
from mlpkit.components.schema.types import AnyType, TextType
from mlpkit.components.schema.wording import did_you_mean
from mlpkit.specfile.key_types import check_monitored
from mlpkit.specfile.sections import GuestSection, TopLevel

MOST_TRIALS: Final = 100_000
"""Of a sweep; each has a folder."""


class ObjectiveNameType(TextType):
    """The name of a result to choose trials by, such as ``validation_loss``."""

    pattern = "^(train|validation)_."

    def describe(self) -> str:
        """Say what is expected."""
        return "a result with its split, such as validation_loss"


ObjectiveName = Annotated[str, ObjectiveNameType()]


class Objective(NamedTuple):
    """A result that trials are chosen by, such as ``validation_loss``, and whether larger values are better."""

    key: str
    maximize: bool

    @property
    def split(self) -> str:
        """The split that it is computed on."""
        return self.key.partition("_")[0]

    @property
    def name(self) -> str:
        """``loss``, or the metric's name."""
        return self.key.partition("_")[2]

    def cost(self, value: float) -> float:
        """Return a value so that lower is better."""
        return -value if self.maximize else value


@dataclass(frozen=True)
class SearchedKey(Section):
    """What a key of the spec may be in a sweep: one of some choices, or a number in a range.

    Args:
        choices: values to choose from; a list alone says the same.
        low: the lowest number of a range.
        high: the highest number; if both are integers, so are those between them.
        log: whether numbers are spread evenly on a logarithmic scale.
        when: other searched keys, and the choice that each must have for this key to be set.
    """

    title = "a searched key"
    rules = (
        OneOf(
            ("choices", "low"),
            missing="no values are given for the key",
            expected="a list of choices, or low: NUMBER and high: NUMBER",
        ),
    )
    choices: Annotated[tuple[Any, ...], MinLen(1)] | None = None
    low: int | float | None = None
    high: int | float | None = None
    log: bool = False
    when: dict[str, Any] | None = None

    @property
    def of_integers(self) -> bool:
        """Whether it is a range of integers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def finite(self) -> bool:
        """Whether it has finitely many values, as a grid needs it."""
        return self.choices is not None or self.of_integers

    @property
    def count(self) -> int:
        """How many values it has, if they are finitely many."""
        if self.choices is not None:
            return len(self.choices)
        low, high = self.ends
        return int(high) - int(low) + 1

    @property
    def ends(self) -> tuple[float, float]:
        """The lowest and the highest number of a range."""
        assert self.low is not None
        assert self.high is not None
        return self.low, self.high

    def at(self, place: int) -> Any:
        """Return the value at a place among finitely many, counted from 0."""
        return self.ends[0] + place if self.choices is None else self.choices[place]

    def holds(self, values: Mapping[str, object]) -> bool:
        """Whether the conditions hold, given the values of the keys before this one that are set."""
        return all(key in values and is_choice(values[key], wanted) for key, wanted in (self.when or {}).items())

    def check_together(self, path: KeyPath, context: CheckContext) -> None:
        """Check that what is given makes a range, or choices that differ."""
        low, high = self.low, self.high
        if self.choices is not None:
            if high is not None:
                message = "high is for a range, but choices are given"
                context.report((*path, "high"), message, remedy="keep one of the two")
            if self.log:
                context.report((*path, "log"), "log is for a range, but choices are given", remedy="leave out log")
            for i, choice in enumerate(self.choices):
                if any(repr(choice) == repr(other) for other in self.choices[:i]):
                    context.report((*path, "choices", i), f"the choice {show(choice)} is given twice")
        elif low is not None:
            if high is None:
                expected = "high: NUMBER, in addition to low"
                context.report(path, "the range has no upper end", expected=expected, at_key=True)
            elif high <= low:
                context.report((*path, "high"), f"{show(high)} is not above low: {show(low)}", expected="low < high")
            elif self.log and low <= 0:
                remedy = "start above 0, or leave out log"
                context.report((*path, "low"), f"a logarithmic scale has no {show(low)}", remedy=remedy)


def is_choice(choice: object, wanted: object) -> bool:
    """Whether a choice is one that a condition asks for, which may list several, and name a component by its name."""
    if isinstance(wanted, list):
        return any(is_choice(choice, each) for each in wanted)
    named = isinstance(wanted, str) and isinstance(choice, dict) and len(choice) == 1 and wanted in choice
    return named or (type(choice) is type(wanted) and choice == wanted)


def combinations(search: Mapping[str, SearchedKey]) -> Iterator[dict[str, Any]]:
    """Go through all combinations of what searched keys may be, the last key changing first, up to one too many."""
    return islice(_combinations([*search.items()], {}), MOST_TRIALS + 1)


def count_combinations(search: Mapping[str, SearchedKey]) -> int:
    """Return how many combinations there are; some number above ``MOST_TRIALS`` if there are too many."""
    return sum(1 for _ in combinations(search))


def _combinations(search: Sequence[tuple[str, SearchedKey]], values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if not search:
        yield values
        return
    (key, searched), *rest = search
    if not searched.holds(values):
        yield from _combinations(rest, values)
        return
    for place in range(searched.count):
        yield from _combinations(rest, {**values, key: searched.at(place)})


@dataclass(frozen=True)
class SearchedKeyType(SectionType):
    """The section, or a list of choices alone."""

    owner: type[Section] = SearchedKey
    short_form = DistinctListType(AnyType(), fewest=1)

    def describe(self) -> str:
        """Say what is expected."""
        return "a list of choices, or a mapping with low and high"

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the section."""
        if not isinstance(value, list):
            return super().check(value, path, context)
        before = len(context.faults)
        found = super().check({"choices": value}, path, context)
        for i, fault in enumerate(context.faults[before:], start=before):  # the list stands at the key itself
            inside = fault.path[len(path) :]
            if inside[:1] == ("choices",):
                context.faults[i] = fault._replace(path=(*path, *inside[1:]))
        return found


NOT_SEARCHED: Final = ("mlpkit", "name", "requires", "extends", "seeds", "ensemble", "sweep")
"""Keys of the spec that are the same in all trials."""


@dataclass(frozen=True)
class SweepSection(GuestSection):
    """Many trainings of a spec, each with other values of some keys.

    Args:
        search: the keys to vary, as ``--set`` names them, and what each may be; later ones may depend on earlier ones.
        minimize: the result, or several, that shall be low, such as `validation_loss`, the default.
        maximize: the result, or several, that shall be high, such as `validation_accuracy`.
        trials: how many trainings to do.
        seconds: the time after which no training is begun any more.
        sampler: how values are chosen: at random; by a tree-structured Parzen estimator, which learns from the trials
            so far and needs the extra `sweep`; or each combination once.
        prune: how weak trials are ended early: if they are worse than the median of the others so far, or by
            successive halving with several budgets; by default none is.
        timeout: seconds in which a trial does no step, after which its process counts as dead.
    """

    title = "sweep"
    search: dict[str, Annotated[SearchedKey, SearchedKeyType()]]
    minimize: ObjectiveName | Annotated[tuple[ObjectiveName, ...], MinLen(1)] | None = None
    maximize: ObjectiveName | Annotated[tuple[ObjectiveName, ...], MinLen(1)] | None = None
    trials: Annotated[int, Ge(1), Le(MOST_TRIALS)] | None = None
    seconds: Annotated[float, Gt(0)] | None = None
    sampler: Literal["random", "tpe", "grid"] = "random"
    prune: Literal["median", "hyperband"] | None = None
    timeout: Annotated[float, Gt(0)] = 600.0

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What trials are chosen by, the first counting most."""
        found = [objective for _, objective in self.placed_objectives()]
        return tuple(found) or (Objective("validation_loss", maximize=False),)

    def placed_objectives(self) -> Iterator[tuple[KeyPath, Objective]]:
        """Go through the objectives that are given, with the keys that lead to them."""
        for key in ("minimize", "maximize"):
            given = getattr(self, key)
            if isinstance(given, tuple):
                yield from (((key, i), Objective(name, key == "maximize")) for i, name in enumerate(given))
            elif given is not None:
                yield (key,), Objective(given, key == "maximize")

    def check_together(self, path: KeyPath, context: CheckContext) -> None:
        """Check that a key is searched, that conditions can hold, and that the sweep ends."""
        if not self.search:
            context.report((*path, "search"), "no key to search is given", expected="KEY: [CHOICE, ...]", at_key=True)
        earlier: dict[str, SearchedKey] = {}
        for key, searched in self.search.items():
            top = key.partition(".")[0]
            if top in NOT_SEARCHED:
                message = f"a sweep can't vary {top}"
                context.report((*path, "search", key), message, expected="another key of the spec", at_key=True)
            replaced = [each for each in earlier if each.startswith(f"{key}.")]
            for below in (each for each in replaced if key not in (earlier[each].when or {})):
                message = f"{key} is set after {below}, and replaces it"
                context.report((*path, "search", below), message, remedy=f"move {key} up, before this one", at_key=True)
            for other, wanted in (searched.when or {}).items():
                self._check_condition(other, wanted, earlier, (*path, "search", key, "when", other), context)
            earlier[key] = searched
        self._check_end(path, context)
        objectives = [objective.key for objective in self.objectives]
        for i, (place, objective) in enumerate(self.placed_objectives()):
            if objective.key in objectives[:i]:
                context.report((*path, *place), f"the objective {objective.key} is given twice")
        if self.prune is not None and len(self.objectives) > 1:
            message = "with several objectives, unfinished trials can't be compared"
            context.report((*path, "prune"), message, remedy="keep one objective, or leave out prune", at_key=True)

    def check_in_spec(self, spec: TopLevel, path: KeyPath, context: CheckContext) -> None:
        """Check that trials are chosen by results that they have, and not by what judges the best of them."""
        objectives, metrics = list(self.placed_objectives()), spec.training.metrics
        for below, objective in objectives:
            place = (*path, *below)
            if objective.split == "test":
                message = "choosing by the test data leaves no data that the choice hasn't seen"
                context.report(place, message, expected=f"validation_{objective.name}")
            elif objective.split not in ("validation", "train"):
                numbers = [f"validation_{metric.name}" for metric in metrics if metric.component.table is None]
                known = ("validation_loss", *numbers)
                remedy = did_you_mean(f"validation_{objective.key}", known)
                expected = "" if remedy else "a result with its split, such as validation_loss"
                context.report(place, f"{show(objective.key)} has no split", expected=expected, remedy=remedy)
            else:
                before = len(context.faults)
                check_monitored(objective.name, metrics, place, context)
                if len(context.faults) == before:
                    _check_direction(objective, metrics, place, context)
        if self.prune is not None and spec.training.seconds is not None:
            message = "trainings that end after a time can't be compared while they run"
            remedy = "give epochs or iterations, or leave out prune"
            context.report((*path, "prune"), message, remedy=remedy, at_key=True)

    def summary(self) -> str:
        """Name the keys that the sweep varies."""
        return f"sweep over {', '.join(self.search)}"

    def _check_condition(
        self, key: str, wanted: object, earlier: Mapping[str, SearchedKey], path: KeyPath, context: CheckContext
    ) -> None:
        if key not in earlier:
            below = key in self.search
            remedy = f"move {key} up, before this one" if below else did_you_mean(key, earlier)
            expected = "" if remedy else f"one of the keys before this one: {', '.join(earlier) or 'it is the first'}"
            message = f"{show(key)} is not a searched key{' before this one' if below else ''}"
            context.report(path, message, expected=expected, remedy=remedy, at_key=True)
            return
        choices = earlier[key].choices
        if choices is None:
            context.report(path, f"{key} has a range, not choices", expected="a key with choices", at_key=True)
            return
        if wanted == []:
            context.report(path, f"no choice of {key} is named", expected=f"one of {', '.join(map(_named, choices))}")
        for i, each in enumerate(wanted) if isinstance(wanted, list) else [(None, wanted)]:
            if not any(is_choice(choice, each) for choice in choices):
                place = path if i is None else (*path, i)
                expected = f"one of {', '.join(map(_named, choices))}"
                context.report(place, f"{show(each)} is not among the choices of {key}", expected=expected)

    def _check_end(self, path: KeyPath, context: CheckContext) -> None:
        endless = [key for key, searched in self.search.items() if not searched.finite]
        if self.sampler == "grid" and endless:
            remedy = "give it choices, or take another sampler"
            message = f"a grid needs finitely many values, and {endless[0]} may be any number in its range"
            context.report((*path, "sampler"), message, remedy=remedy)
        elif self.sampler == "grid" and self.trials is None and count_combinations(self.search) > MOST_TRIALS:
            message = f"the grid has more than {MOST_TRIALS:,} combinations"
            context.report((*path, "sampler"), message, remedy="take fewer values, another sampler, or give trials")
        elif self.sampler != "grid" and self.trials is None and self.seconds is None:
            expected = "trials: COUNT, seconds: TIME, or both"
            context.report(path, "the sweep has no limit", expected=expected, at_key=True)


def _check_direction(
    objective: Objective, metrics: Sequence[Recipe[Metric]], path: KeyPath, context: CheckContext
) -> None:
    higher = any(metric.name == objective.name and metric.component.higher_is_better for metric in metrics)
    if higher != objective.maximize:
        wanted, better = ("maximize", "larger") if higher else ("minimize", "smaller")
        message = f"of {objective.key}, {better} values are better"
        context.report(path, message, expected=f"{wanted}: {objective.key}")


@dataclass(frozen=True)
class SweepType(SectionType):
    """The section; for keys of the spec that stand in it directly, the error says where they belong."""

    owner: type[Section] = SweepSection

    def check(self, value: object, path: KeyPath, context: CheckContext) -> object:
        """Return the section."""
        if isinstance(value, dict) and "search" not in value:
            misplaced = [key for key in value if key not in self.schema.types]
            if misplaced:
                message = f"unknown key {show(misplaced[0])} of sweep"
                remedy = did_you_mean(misplaced[0], ["search"])
                remedy = remedy or f"keys to vary belong under search: {{{misplaced[0]}: ...}}"
                fix = correction(misplaced[0], ["search"])
                return context.report(
                    (*path, misplaced[0]), message, remedy=remedy, at_key=True, code="unknown-key", fix=fix
                )
        return super().check(value, path, context)


def _named(choice: object) -> str:
    """Write a choice as a condition may name it."""
    return next(iter(choice)) if isinstance(choice, dict) and len(choice) == 1 else show(choice).strip("'")
