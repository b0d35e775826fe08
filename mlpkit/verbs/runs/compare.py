"""What differs between runs, whether it is more than chance, and all that as a table for a terminal, or as a page."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from mlpkit.components.schema.wording import counted
from mlpkit.errors import MlpkitError, UsageError
from mlpkit.jobs import evaluate, groups_of_rows, load_model
from mlpkit.jobs.run_inputs import PLUGIN_FILES, SPEC_HASH, flattened
from mlpkit.pages import parts
from mlpkit.pages.curves import curves_of_sets
from mlpkit.pages.page import page
from mlpkit.pages.results import RunOnPage, RunSet, read_runs, results_table
from mlpkit.runs.files import write_atomically
from mlpkit.runs.layout import SPLITS, result_hashes
from mlpkit.specfile.yaml_writer import to_inline_yaml
from mlpkit.statistics import FEWEST_UNPAIRED, Interval, difference, holm, interval
from mlpkit.terminal.figures import figure, plus_minus, probability, signed
from mlpkit.terminal.formatting import GAP, LONGEST_CELL, blocks, columns, paragraph, shortened


def differences(specs: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return where specs differ by dotted key, with a value for each spec; None if it has none.

    Of different components it has their names, and the parameters that all of them have; of what only some specs have,
    the name of the component, or the value.
    """
    keys = dict.fromkeys(key for spec in specs for key in spec)
    found: dict[str, list[Any]] = {}
    for key in keys:
        values = [spec.get(key) for spec in specs]
        found |= _below(key, values) if key == "layers" else _differences(key, values)
    return found


def _differences(key: str, values: Sequence[Any]) -> Iterator[tuple[str, list[Any]]]:
    if all(value == values[0] for value in values):
        return
    shown = [_in_short(value) for value in values]
    if not all(isinstance(value, Mapping | list) for value in values):
        yield key, shown
    elif any(each != shown[0] for each in shown) and all(map(_is_of_components, values)):
        yield key, shown
        first, *others = map(_parameters, values)
        for name in first:
            if all(name in each for each in others):
                yield from _differences(f"{key}.{name}", [each[name] for each in (first, *others)])
    else:
        yield from _below(key, values)


def _below(key: str, values: Sequence[Any]) -> Iterator[tuple[str, list[Any]]]:
    """Go through the items of mappings and lists."""
    items = [dict(enumerate(value)) if isinstance(value, list) else value for value in values]
    for name in dict.fromkeys(name for each in items for name in each):
        yield from _differences(f"{key}.{name}", [each.get(name) for each in items])


def _is_of_components(value: Any) -> bool:
    """Whether a value is a component, or a list of some, or of plain values."""
    items = value if isinstance(value, list) else [value]
    return all(_is_component(each) or not isinstance(each, Mapping | list) for each in items)


def _is_component(value: Any) -> bool:
    return isinstance(value, Mapping) and len(value) == 1 and isinstance(next(iter(value.values())), Mapping | bool)


def _parameters(value: Any) -> Mapping[str, Any]:
    """Return the parameters of a component; none of a list, or of a component without any."""
    found = None if isinstance(value, list) else next(iter(value.values()))
    return found if isinstance(found, Mapping) else {}


def _in_short(value: Any) -> Any:
    """Return the name of a component, the names of several, or the value."""
    if isinstance(value, list):
        return [_in_short(each) for each in value]
    return next(iter(value)) if _is_component(value) else value


Row = dict[str, list[Any]]
"""Values by key, one a side in their order; None where a side has none."""

NOT_CURVES: Final = ("iteration", "epoch")
NOT_VERSIONS: Final = (SPEC_HASH, PLUGIN_FILES)
LEVEL: Final = 0.95


@dataclass(frozen=True)
class TestResult:
    """Whether a loss or metric, such as ``test.loss``, differs between two sides by more than chance.

    The difference is the mean of the other side minus that of the first, with the ends of its 95 % interval, not
    corrected. The p-value is corrected for the number of comparisons; below 5 %, the difference is beyond chance. If
    ``paired``, runs of the same seed were compared with each other.
    """

    metric: str
    first: str
    other: str
    difference: float
    low: float
    high: float
    p_value: float
    paired: bool
    beyond_chance: bool

    @property
    def test(self) -> str:
        """What the p-value comes from."""
        return "seed by seed, paired t-test" if self.paired else "Welch's t-test"

    @property
    def cells(self) -> list[str]:
        """The metric, the difference, its interval, and the verdict, in words."""
        value, low, high = (signed(x, self.high - self.low) for x in (self.difference, self.low, self.high))
        verdict = "more than chance" if self.beyond_chance else "may be chance"
        return [self.metric, value, f"{low} to {high}", f"{verdict}, p {probability(self.p_value)}"]


@dataclass(frozen=True)
class Comparison:
    """What differs between runs, or between sides of several runs each; what is the same in all is left out.

    Args:
        runs: the run folders, or the names of the sides.
        spec: where the resolved specs differ, layers by their names; see ``differences``.
        versions: what else the results depend on.
        results: SHA-256 of history, metrics and model; empty if a side has several runs.
        curves: last value of each loss and metric of the history; of several runs, an ``Interval``.
        metrics: loss and metrics at the end by split, without tables; of several runs, an ``Interval``.
        finished: how many of the runs are finished, and so have metrics.
        members: the run folders of each side; ``finished_members`` are how many of each are finished.
        chance: a verdict for each metric and side, each side against the first; empty unless two have several runs.
        only_seeds: whether all runs differ in their seeds alone.
        too_few: the sides with several finished runs that are not compared with the first: their seeds are others, and
            one of the two has fewer than three.
        by: for each side the split, and loss and metrics of groups of its rows, as ``mlpkit evaluate --json`` has them.
    """

    runs: list[str]
    spec: Row
    versions: Row
    results: Row
    curves: Row
    metrics: Row
    finished: int = 0
    members: list[list[str]] = field(default_factory=list)
    finished_members: list[int] = field(default_factory=list)
    chance: list[TestResult] = field(default_factory=list)
    only_seeds: bool = False
    too_few: list[str] = field(default_factory=list)
    by: list[dict[str, Any]] = field(default_factory=list)
    without_groups: str = ""

    @property
    def grouped(self) -> bool:
        """Whether a side has several runs."""
        return any(len(runs) > 1 for runs in self.members)

    @property
    def level(self) -> str:
        """How sure the verdicts are."""
        count = len(self.chance)
        return "95 %" if count < 2 else f"95 %, p corrected for {count} comparisons by Holm's method"

    @property
    def remarks(self) -> list[str]:
        """Open questions, and what would answer them; empty if nothing differs or nothing is open."""
        notes = [f"Groups of rows are left out: {self.without_groups}"] if self.without_groups else []
        if not self.metrics or self.finished < 2:
            return notes
        if self.only_seeds:
            notes.append("The runs differ only in their seeds: all differences are chance.")
        elif any(finished < 2 for finished in self.finished_members):
            text = "One run each can't tell a better spec from a lucky seed."
            notes.append(
                f"{text} Train each with several seeds, as by mlpkit run SPEC --seeds 5, and compare the folders."
            )
        if self.too_few:
            text = f"{' and '.join(self.too_few)} and {self.runs[0]} have different seeds, so a test needs "
            notes.append(f"{text}{FEWEST_UNPAIRED} on each side.")
        return notes


def compare(directories: Sequence[Path], metrics: Sequence[str] = (), by: Sequence[str] = ()) -> Comparison:
    """Compare runs and folders of several; judge the metrics, and compare the groups of rows by the columns, too."""
    return compare_sides(read_sides(directories), metrics, by)


def _groups(sides: Sequence[RunSet], by: Sequence[str]) -> dict[str, Any]:
    """Return the groups of rows of each side by some columns, or by those in all specs if their data can be read."""
    if by:
        return {"by": [_by_group(side, by) for side in sides]}
    first, *others = (run.spec.get("by") or [] for side in sides for run in side.runs)
    if not (by := [column for column in first if all(column in columns for columns in others)]):
        return {}
    try:
        return {"by": [_by_group(side, by) for side in sides]}
    except MlpkitError as error:
        return {"without_groups": str(error).partition("\n")[0]}


def _by_group(side: RunSet, by: Sequence[str]) -> dict[str, Any]:
    """Return loss and metrics of groups of rows of a side's test rows, or of another split: means over several runs."""
    found = []
    for run in side.runs:
        model = load_model.load_run(run.directory)
        description, data = evaluate.data_of_run(run.directory, model)
        split = next(name for name in SPLITS if name in data)
        found.append(groups_of_rows.metrics_by_group(model, {split: data[split]}, description, by)[split])
    return {"split": split, **(found[0] if len(found) == 1 else groups_of_rows.mean_over_runs(found)).plain()}


def read_sides(directories: Sequence[Path]) -> list[RunSet]:
    """Read runs, and group the ones that differ in nothing but their seeds, unless all runs do."""
    runs = [(directory, run) for directory in directories for run in read_runs(directory)]
    if len(runs) < 2:
        raise UsageError(f"there is nothing to compare {directories[0]} with; give two run folders or more")
    together: dict[str, list[tuple[Path, RunOnPage]]] = {}
    for directory, run in runs:
        together.setdefault(run.settings, []).append((directory, run))
    if len(together) == 1 or all(len({run.seed for _, run in side}) == 1 for side in together.values()):
        return [RunSet(str(run.directory), (run,)) for _, run in runs]
    sources = [{directory for directory, _ in side} for side in together.values()]
    mixed = {directory for directory, _ in runs if sum(directory in each for each in sources) > 1}
    return [RunSet(_name(side, mixed), tuple(run for _, run in side)) for side in together.values()]


def _name(side: Sequence[tuple[Path, RunOnPage]], mixed: set[Path]) -> str:
    """Return what to call a side: the folder that it came from, or the first of several."""
    names = list(dict.fromkeys(str(run.directory if folder in mixed else folder) for folder, run in side))
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def compare_sides(sides: Sequence[RunSet], metrics: Sequence[str] = (), by: Sequence[str] = ()) -> Comparison:
    """Compare what was read; see ``compare``."""
    runs = [run for side in sides for run in side.runs]
    alone, least = len(runs) == len(sides), FEWEST_UNPAIRED
    first, *seeds_of_others = ({run.seed for run in side.runs if run.metrics} for side in sides)
    others = zip(sides[1:], seeds_of_others, strict=True)
    return Comparison(
        runs=[side.name for side in sides],
        spec=differences([_common(run.spec for run in side.runs) for side in sides]),
        versions=_differing(
            [_common(flattened(_without(run.lock, NOT_VERSIONS)) for run in side.runs) for side in sides]
        ),
        results=_differing([result_hashes(run.directory) for run in runs]) if alone else {},
        curves=_differing(
            [_mean(_without((run.history or [{}])[-1], NOT_CURVES) for run in side.runs) for side in sides]
        ),
        metrics=_differing([_mean(flattened(_numbers(run)) for run in side.runs) for side in sides]),
        finished=sum(side.finished for side in sides),
        members=[[str(run.directory) for run in side.runs] for side in sides],
        finished_members=[side.finished for side in sides],
        chance=verdicts(sides, metrics),
        only_seeds=alone and len({run.settings for run in runs}) == 1 and len({run.seed for run in runs}) > 1,
        too_few=[side.name for side, seeds in others if seeds != first and 1 < min(len(seeds), len(first)) < least],
        **_groups(sides, by),
    )


def _numbers(run: RunOnPage) -> dict[str, dict[str, Any]]:
    """Return loss and metrics at the end by split, without tables."""
    return {
        split: {name: value for name, value in values.items() if not isinstance(value, list)}
        for split, values in run.metrics.items()
    }


def _common(runs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the values of several runs by key: one that is the same in all, or a list."""
    found = list(runs)
    values = {key: [run.get(key) for run in found] for run in found for key in run}
    return {key: each[0] if all(value == each[0] for value in each) else each for key, each in values.items()}


def _mean(runs: Iterable[Mapping[str, float]]) -> dict[str, Any]:
    """Return the values of a run by key, or the means of several."""
    found = list(runs)
    if len(found) == 1:
        return dict(found[0])
    values = {key: [run[key] for run in found if key in run] for run in found for key in run}
    return {key: interval(each) for key, each in values.items()}


def verdicts(sides: Sequence[RunSet], metrics: Sequence[str] = ()) -> list[TestResult]:
    """Test for each metric and each side but the first whether it differs from the first by more than chance.

    Runs of the same seeds are compared seed by seed, in a paired t-test; others by Welch's t-test. The p-values are
    corrected for their number by Holm's method: if all differences are chance, all results are right in 95 % of cases.

    Args:
        sides: the sides; one with fewer than two finished runs of the seeds of the first, or three of others, has no
            verdict.
        metrics: such as ``accuracy`` or ``test.loss``; by default loss and metrics of the split for testing, of the
            validation data without one, or of the training data without either.
    """
    samples = [(side.name, side.samples()) for side in sides]
    chosen = _judged({name: None for _, values in samples for name in values}, metrics)
    (first, values), *others = samples
    tests = [
        test
        for other, found in others
        for metric in chosen
        if metric in values and metric in found
        if (test := _tested(metric, first, other, values[metric], found[metric]))
    ]
    corrected = zip(tests, holm([test.p_value for test in tests]), strict=True)
    return [replace(test, p_value=p_value, beyond_chance=p_value < 1 - LEVEL) for test, p_value in corrected]


def _judged(names: Iterable[str], wanted: Sequence[str]) -> list[str]:
    """Return the metrics to judge."""
    names = list(names)
    for name in wanted:
        if not any(_is_named(metric, name) for metric in names):
            raise UsageError(f"no finished run has the metric {name}; expected {', '.join(names) or 'finished runs'}")
    if wanted:
        return [metric for metric in names if any(_is_named(metric, name) for name in wanted)]
    by_split = ([metric for metric in names if metric.startswith(f"{split}.")] for split in SPLITS)
    return next(filter(None, by_split), [])


def _is_named(metric: str, name: str) -> bool:
    return name in (metric, metric.partition(".")[2])


def _tested(
    metric: str, first: str, other: str, before: Mapping[int, float], after: Mapping[int, float]
) -> TestResult | None:
    """Test whether two sides differ, by their values by seed; return no result if that takes more values."""
    paired = before.keys() == after.keys()
    values = [after[seed] for seed in before] if paired else list(after.values())
    found = difference(values, list(before.values()), paired=paired, level=LEVEL)
    mean, low, high, p_value = found.mean, found.low, found.high, found.p_value
    if low is None or high is None or p_value is None:
        return None
    if mean and low == high:  # without any spread, t is infinite; but there are only few permutations of the values
        p_value = 2 / (2 ** len(before) if paired else math.comb(len(before) + len(after), len(before)))
    return TestResult(metric, first, other, mean, low, high, p_value, paired, beyond_chance=False)


def _without(values: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in keys}


def _differing(sides: Sequence[Mapping[str, Any]]) -> Row:
    keys = dict.fromkeys(key for side in sides for key in side)
    rows = {key: [side.get(key) for side in sides] for key in keys}
    return {key: values for key, values in rows.items() if any(value != values[0] for value in values)}


CHECKSUM: Final = re.compile("[0-9a-f]{40,}")
DIGITS_SHOWN: Final = 10
ABSENT: Final = "-"
NARROWEST_KEY: Final = 30
NARROWEST_RUN: Final = 12
NARROWEST_MEAN: Final = 15
"""Characters of a key, and of a cell beside it, which may be a mean with its interval."""


def lines_of(found: Comparison, width: int | None) -> list[str]:
    """Return the lines that ``mlpkit compare`` prints."""
    return [*blocks(_table(found, width), width=width), "", *_about_chance(found, width)]


def _table(found: Comparison, width: int | None) -> list[list[str]]:
    blank = [""] * len(found.runs)
    beside, longest = _room(found, width)
    rows = [["", *(shortened(run, longest) for run in found.runs)]]
    if found.grouped:
        counts = [(len(runs), finished) for runs, finished in zip(found.members, found.finished_members, strict=True)]
        rows.append(["", *(counted(n, "run") + ("" if n == done else f", {done} finished") for n, done in counts)])
    for title, values, shown in (
        ("spec", found.spec, to_inline_yaml),
        ("versions", found.versions, _short),
        ("curves, last values", found.curves, _figure),
        ("metrics", found.metrics, _figure),
        ("results, SHA-256", found.results, _short),
    ):
        if found.grouped and title.startswith("results"):
            continue
        same = "the same" if found.finished or title != "metrics" else "no run is finished"
        rows.append([title if values else f"{title}: {same}", *blank])
        rows += [
            [f"  {key}", *(shortened(ABSENT if value is None else shown(value), longest) for value in each)]
            for key, each in values.items()
        ]
    for title, groups in rows_by_group(found).items():
        rows += [[title, *blank], *([f"  {key}", *cells] for key, *cells in groups)]
    if width is None:
        return rows
    widest = max(len(cell) for row in rows for cell in row[1:])
    room = max(width - beside * (len(GAP) + widest), NARROWEST_KEY)
    return [[shortened(row[0], room), *row[1:]] if any(row[1:]) else row for row in rows]


def rows_by_group(found: Comparison) -> dict[str, list[list[str]]]:
    """Return a title for each column whose groups were asked for, with a row for each loss and metric of a group."""
    tables = {}
    for column in found.by[0]["columns"] if found.by else ():
        splits = dict.fromkeys(side["split"] for side in found.by)
        sides = [_estimates([("all rows", side["whole"]), *side["columns"][column].items()]) for side in found.by]
        keys = dict.fromkeys(key for side in sides for key in side)
        title = f"by {column}, rows of {' and '.join(splits)}"
        tables[title] = [[key, *(side.get(key, ABSENT) for side in sides)] for key in keys]
    return tables


def _estimates(groups: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, str]:
    return {
        f"{name}: {metric}": plus_minus(Interval(group["rows"], each["value"], None, each["low"], each["high"]))
        for name, group in groups
        for metric, each in group["metrics"].items()
    }


def _room(found: Comparison, width: int | None) -> tuple[int, int]:
    """Return how many runs fit side by side, and how long a cell of theirs may be."""
    if width is None:
        return len(found.runs), LONGEST_CELL
    narrowest = NARROWEST_MEAN if found.grouped or found.by else NARROWEST_RUN
    beside = min(len(found.runs), max(1, (width - NARROWEST_KEY) // (narrowest + len(GAP))))
    return beside, max((width - NARROWEST_KEY) // beside - len(GAP), narrowest)


def _short(value: Any) -> str:
    """Write a version, of a checksum in it the first digits."""
    return CHECKSUM.sub(lambda found: found[0][:DIGITS_SHOWN], str(value))


def _figure(value: Any) -> str:
    if isinstance(value, Interval):
        return figure(value.mean) if value.low == value.high else plus_minus(value)
    return figure(value) if isinstance(value, float) else str(value)


def _about_chance(found: Comparison, width: int | None) -> list[str]:
    """Return lines on whether the differences exceed chance, or what it takes to find out."""
    lines = [line for other in found.runs[1:] for line in _verdicts(found, other, width)]
    for remark in found.remarks:
        lines += [*paragraph(remark, width=width), ""]
    return lines


def _verdicts(found: Comparison, other: str, width: int | None) -> list[str]:
    """Return lines about what differs between a side and the first."""
    verdicts = [verdict for verdict in found.chance if verdict.other == other]
    if not verdicts:
        return []
    title = f"chance: {other} against {found.runs[0]} ({verdicts[0].test}, {found.level})"
    table = columns([verdict.cells for verdict in verdicts], right=[1], indent="  ", width=width)
    return [*paragraph(title, width=width), *table, ""]


def write_comparison(
    directories: Sequence[Path], file: Path, metrics: Sequence[str] = (), by: Sequence[str] = ()
) -> None:
    """Write a page that compares runs: one file that works from disk, without a network."""
    sides = read_sides(directories)
    found = compare_sides(sides, metrics, by)
    sections = [_chance_section(found), _results_section(sides), *_groups_section(found), curves_of_sets(sides)]
    sections.append(_differences_section(found))
    write_atomically(file, page(f"{len(sides)} {'specs' if found.grouped else 'runs'} compared", sections).encode())


def _chance_section(found: Comparison) -> str:
    headings = ["run", "metric", "difference", "95 % interval", "verdict", "test"]
    rows = [[verdict.other, *verdict.cells, verdict.test] for verdict in found.chance]
    values = [
        [verdict.other, verdict.metric, verdict.difference, verdict.difference, verdict.p_value, verdict.test]
        for verdict in found.chance
    ]
    caption = f"Differences from {found.runs[0]} ({found.level})"
    verdicts = (
        [parts.table(headings, rows, caption=caption, texts=[0, 1, 4, 5], sortable=True, values=values)] if rows else []
    )
    nothing = [] if rows or found.remarks else [parts.paragraph("No two finished runs have different results.")]
    return parts.section("More than chance?", *verdicts, *nothing, *map(parts.paragraph, found.remarks))


def _results_section(sides: Sequence[RunSet]) -> str:
    """Return loss and metrics at the end of each side, and of each run if a side has several."""
    runs = [RunSet(str(run.directory), (run,)) for side in sides for run in side.runs]
    if len(runs) == len(sides):
        return parts.section("Results", results_table(sides, "At the end"))
    each = parts.folded("Each run", results_table(runs, "Each run at its end"))
    return parts.section(
        "Results", results_table(sides, "At the end, mean ± half the width of the 95 % interval"), each
    )


def _groups_section(found: Comparison) -> list[str]:
    """Return the section about groups of rows, if some were asked for."""
    tables = [
        parts.table(["group", *found.runs], rows, caption=title, texts=[0], sortable=True)
        for title, rows in rows_by_group(found).items()
    ]
    return [parts.section("By group", *tables)] if tables else []


def _differences_section(found: Comparison) -> str:
    """Return what differs in specs and versions."""
    return parts.section(
        "What differs",
        _table_of("Spec", found.spec, found),
        _table_of("Versions", found.versions, found),
    )


def _table_of(caption: str, values: Row, found: Comparison) -> str:
    if not values:
        return parts.paragraph(f"{caption}: the same.")
    rows = [[key, *("" if each is None else to_inline_yaml(each) for each in row)] for key, row in values.items()]
    return parts.table(
        [caption.lower(), *found.runs], rows, caption=caption, texts=range(len(found.runs) + 1), sortable=True
    )
