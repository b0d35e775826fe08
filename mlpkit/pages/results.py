"""Results of runs as tables: sets of runs that are compared, loss and metrics, evaluations; and how to repeat a run."""

from __future__ import annotations

import json
import math
import shlex
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mlpkit.errors import RunFolderError
from mlpkit.jobs.run_inputs import DATA, PLUGIN_FILES, PLUGINS
from mlpkit.pages.evaluations import rows_worth_reading
from mlpkit.pages.notebook_tables import rows_of_results
from mlpkit.pages.parts import folded, heading, paragraph, preformatted, section, table
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import is_run_folder, runs_in
from mlpkit.runs.layout import LOCK, RESOLVED, SPLITS
from mlpkit.specfile.document import parse_document
from mlpkit.statistics import interval
from mlpkit.terminal.figures import figure, plus_minus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlpkit.training.evaluation import Record


@dataclass(frozen=True)
class RunOnPage:
    """A run as it is compared: its resolved spec, layers by their names, its lock, evaluations, and final results."""

    directory: Path
    spec: Mapping[str, Any]
    lock: Mapping[str, Any]
    history: Sequence[Record]
    metrics: Mapping[str, Mapping[str, Any]]

    @property
    def seed(self) -> int:
        """Its seed; of a network of an ensemble, its own."""
        ensemble = self.spec.get("ensemble") or {}
        return int(self.spec.get("seed", 0)) + int(ensemble.get("member", 0))

    @property
    def settings(self) -> str:
        """What is the same in two runs that differ in their seeds alone."""
        spec = {key: value for key, value in self.spec.items() if key not in {"name", "about", "seed", "seeds"}}
        return json.dumps([spec, self.lock.get(DATA)], default=str)


@dataclass(frozen=True)
class RunSet:
    """What is compared as one: a run, or several that differ in their seeds alone."""

    name: str
    runs: tuple[RunOnPage, ...]

    @property
    def finished(self) -> int:
        """How many of the runs are finished."""
        return sum(bool(run.metrics) for run in self.runs)

    def samples(self) -> dict[str, dict[int, float]]:
        """Return loss and metrics at the end by name, such as ``test.loss``, and seed; each seed counts once."""
        found: dict[str, dict[int, float]] = {}
        for run in self.runs:
            for split, values in run.metrics.items():
                for name, value in values.items():
                    if not isinstance(value, list):
                        found.setdefault(f"{split}.{name}", {}).setdefault(run.seed, float(value))
        return found


def read_runs(directory: Path) -> list[RunOnPage]:
    """Read a run, or those in a folder of several that have begun, or raise ``RunFolderError``."""
    if is_run_folder(directory):
        return [_read(directory)]
    try:
        inside = runs_in(directory)
    except RunFolderError:  # opening it as a run reports what is wrong, and what was expected
        inside = []
    begun = [folder for folder in inside if (folder / LOCK).exists()]
    return [_read(folder) for folder in begun or [directory]]


def _read(directory: Path) -> RunOnPage:
    folder = RunFolder.open(directory)
    metrics = folder.read_metrics() if folder.finished else {}
    return RunOnPage(directory, _spec(folder), folder.read_lock(), folder.read_history(), metrics)


def _spec(folder: RunFolder) -> dict[str, Any]:
    """Return the resolved spec, its layers by their names."""
    values = parse_document(folder.resolved_text(), str(folder.directory / RESOLVED)).values
    layers = {}
    for member in values.get("layers", ()):
        ((kind, parameters),) = member.items()
        layers[parameters["name"]] = {kind: {key: value for key, value in parameters.items() if key != "name"} or True}
    return {**values, "layers": layers}


def result_section(metrics: Mapping[str, Mapping[str, Any]], units: Mapping[str, str], *remarks: str) -> str:
    """Return loss and metrics by split, with remarks."""
    names, rows = rows_of_results(metrics)
    headings = ["split", *(with_unit(name, units) for name in names)]
    results = [table(headings, rows, caption="At the end", texts=[0])] if rows else []
    return section("Result", *map(paragraph, remarks), *results)


def with_unit(name: str, units: Mapping[str, str]) -> str:
    """Return a name, followed by its unit if it has one."""
    return f"{name} ({units[name]})" if units.get(name) else name


def evaluations_table(records: Sequence[Record], best: int | None) -> str:
    """Return the evaluations that are worth a row as a table, the best one set off."""
    positions = rows_worth_reading(len(records), best)
    keys = list(dict.fromkeys(key for i in positions for key in records[i]))
    rows = [[_number(key, records[i].get(key, math.nan)) for key in keys] for i in positions]
    return table(
        [key.replace("_", " ") for key in keys],
        rows,
        caption=f"{len(rows):,} of {len(records):,} evaluations" if len(rows) < len(records) else "All evaluations",
        marked=positions.index(best) if best in positions else None,
    )


def _number(key: str, value: float) -> str:
    return f"{value:,.0f}" if key == "iteration" else f"{value:,.2f}" if key == "epoch" else figure(value)


def results_table(sides: Sequence[RunSet], caption: str) -> str:
    """Return a table of loss and metrics at the end, a row for each side."""
    samples = [side.samples() for side in sides]
    found = Counter(name for values in samples for name in values)
    names = sorted(found, key=lambda name: (_place_of_split(name), -found[name], not name.endswith(".loss")))
    several = any(len(side.runs) > 1 for side in sides)
    rows, keys = [], []
    for side, values in zip(sides, samples, strict=True):
        means = [interval(list(values[name].values())) if name in values else None for name in names]
        steps = max(_steps(run) for run in side.runs)
        which = f"{side.finished} of {len(side.runs)}" if several else str(side.runs[0].seed)
        rows.append([side.name, which, f"{steps:,}", *("" if mean is None else plus_minus(mean) for mean in means)])
        first = side.finished if several else side.runs[0].seed
        keys.append([side.name, first, steps, *(None if mean is None else mean.mean for mean in means)])
    titles = ["run", "finished" if several else "seed", "steps", *(name.replace(".", " ", 1) for name in names)]
    return table(titles, rows, caption=caption, texts=[0], sortable=True, values=keys)


def _place_of_split(name: str) -> int:
    split = name.partition(".")[0]
    return SPLITS.index(split) if split in SPLITS else len(SPLITS)


def _steps(run: RunOnPage) -> int:
    return int(run.history[-1]["iteration"]) if run.history else 0


OF_A_FILE: Final = "sha256 "
"""How the version of a plugin starts that isn't a package."""
LONGEST_SPEC: Final = 60_000
"""Characters of a spec that are shown."""


def spec_section(written: str, resolved: str) -> str:
    """Return the spec as its author wrote it, and with every default filled in, both folded."""
    return section(
        "Spec",
        folded("As written", preformatted(_cut(written))),
        folded("With every default filled in", preformatted(_cut(resolved))),
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SPEC else f"{text[:LONGEST_SPEC]}\n... cut here; the rest is in the run folder"


def repeating_section(name: str, lock: Mapping[str, Any], plan: Mapping[str, Any]) -> str:
    """Return commands that repeat a run, and what its results depend on."""
    plugins = {name: str(version) for name, version in lock.get(PLUGINS, {}).items()}
    packages = {
        "mlpkit": lock.get("mlpkit"),
        "numpy": lock.get("environment", {}).get("numpy"),
        **lock.get("requires", {}),
    }
    packages |= {each: version for each, version in plugins.items() if not version.startswith(OF_A_FILE)}
    with_files = plugin_options(lock)
    commands = [
        f"pip install {' '.join(f'{each}=={version}' for each, version in packages.items() if version)}",
        *(f"mlpkit {command}{with_files}" for command in _commands(name, lock)),
    ]
    return section(
        "To repeat this run",
        paragraph(
            "Run these commands in the folder that contains the run folder; repro trains again and compares every "
            "byte of the results."
        ),
        preformatted("\n".join(commands)),
        heading("What the results depend on"),
        table(["name", "value"], [*_flat(plan), *_flat(lock)], caption="Plan, versions and checksums", texts=[0, 1]),
    )


def _commands(name: str, lock: Mapping[str, Any]) -> list[str]:
    """Return the commands that repeat a run; one that continues another is continued from there again."""
    again, origin = shlex.quote(f"{name}-again"), lock.get("continues")
    if origin:
        return [f"resume {shlex.quote(origin['run'])} {origin.get('until', '')} --out {again}"]
    return [f"repro {shlex.quote(name)}", f"run {shlex.quote(f'{name}/resolved.yaml')} --out {again}"]


def plugin_options(lock: Mapping[str, Any]) -> str:
    """Return the options that name the plugins of a run that are files, with a space before each; or nothing."""
    return "".join(f" --plugin {shlex.quote(str(file))}" for file in lock.get(PLUGIN_FILES, {}).values())


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return the values of nested mappings, each after its dotted key; what is empty is left out."""
    found: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found += _flat(value, f"{name}.")
        elif value not in (None, [], ""):
            found.append((name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)))
    return found
