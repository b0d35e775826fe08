"""The card of a run: what its folder and its data tell of the model, each part with its source."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import numpy as np

from mlpkit.components.dataset import Split
from mlpkit.components.schema.context import CheckContext, ValueType
from mlpkit.components.schema.recipe import written
from mlpkit.components.schema.signature import schema_of
from mlpkit.components.schema.types import PathType
from mlpkit.components.schema.wording import counted
from mlpkit.components.target import Classes, Labels
from mlpkit.errors import DataError, MlpkitError, SpecSchemaError, printable
from mlpkit.jobs.evaluate import data_of_run, evaluate, in_order, warning_of_changed_data
from mlpkit.jobs.groups_of_rows import metrics_by_group
from mlpkit.jobs.leaks import WholeColumn, leaks_in
from mlpkit.jobs.load_model import load_run
from mlpkit.jobs.run_inputs import DATA, ENVIRONMENT, PLUGINS, flattened
from mlpkit.jobs.spec_data import count_classes, data_warnings, names_of_target, raw_rows, why_not_exchangeable
from mlpkit.jobs.train import units_of
from mlpkit.network.sequential import EVALUATION_ROWS
from mlpkit.network.summary import row_of
from mlpkit.pages.images import image_shape
from mlpkit.registry.discovery import PluginOptions
from mlpkit.registry.distributions import license_of
from mlpkit.registry.registry import Registry
from mlpkit.runs import layout
from mlpkit.runs.files import file_hash, require_writable, write_atomically
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.json_files import encode_pretty, read_object, readable_lines
from mlpkit.runs.kinds import members_of
from mlpkit.specfile.document import read_document
from mlpkit.specfile.spec import Spec
from mlpkit.specfile.yaml_writer import to_inline_yaml, to_yaml
from mlpkit.system import real_path
from mlpkit.terminal.figures import figure, promise, regions_table
from mlpkit.terminal.output import message, result
from mlpkit.training.health import recorded_symptoms
from mlpkit.training.minibatches import BatchReader
from mlpkit.verbs.card.section import AboutSection, AboutType

MOST_SHOWN: Final = 60
"""Rows of a table, and names in a list, that card.md has; card.json has all."""


class Code(str):
    """A text that is shown as code."""

    __slots__ = ()


class Part(NamedTuple):
    """Markdown, or the rows of a table: the cells by the column's heading.

    Args:
        source: the file of the run folder that its facts are from, or what else; empty if each row has its own.
        rows: they have the same columns.
        text: the Markdown, if there are no rows.
    """

    source: str
    rows: Sequence[Mapping[str, Any]] = ()
    text: str = ""

    def __str__(self) -> str:
        """Return it as Markdown; a table tells its source."""
        if not self.rows:
            return self.text
        right = ["---" if isinstance(value, str | list) else "---:" for value in self.rows[0].values()]
        cells = [map(cell, row.values()) for row in self.rows[:MOST_SHOWN]]
        table = [f"| {' | '.join(line)} |" for line in (map(text, self.rows[0]), right, *cells)]
        more = f"; all {len(self.rows):,} rows are in card.json" if len(self.rows) > MOST_SHOWN else ""
        return "\n".join([*table, *(["", f"From {text(self.source)}{more}."] if self.source else [])])


def text(value: object) -> str:
    """Return a text so that Markdown shows it as it is, on one line."""
    return re.sub(r"(?<!\w)_|_(?!\w)|[\\`*\[\]<>|~#&$]", r"\\\g<0>", printable(str(value)))


def names(values: Sequence[object]) -> str:
    """Return names in a list, the first of many."""
    more = len(values) - MOST_SHOWN
    return ", ".join(map(text, values[:MOST_SHOWN])) + (f" and {more:,} more" if more > 0 else "")


def cell(value: Any) -> str:
    """Return a result with its interval, names, code, a number or a text for a table."""
    match value:
        case {"value": middle, "low": None}:
            return figure(middle)
        case {"value": middle, "low": low, "high": high}:
            return rf"{figure(middle)} \[{figure(low)}, {figure(high)}\]"
        case list():
            return names(value)
        case Code():
            ticks = "`" * (1 + max(map(len, re.findall("`+", value)), default=0))
            space = " " if len(ticks) > 1 else ""
            return f"{ticks}{space}{printable(value).replace('|', chr(92) + '|')}{space}{ticks}"
        case float() | int():
            return figure(value) if isinstance(value, float) else f"{value:,}"
    return text(value)


def markdown(front_matter: str, title: str, sections: Mapping[str, Iterable[Part]]) -> str:
    """Return a card; sections without parts are left out."""
    parts = [f"---\n{front_matter}---", f"# {text(title)}"]
    for heading, inside in sections.items():
        written = [found for found in map(str, inside) if found]
        parts += [*([f"## {heading}"] if heading and written else []), *written]
    return "\n\n".join(parts) + "\n"


HOLD_ROWS: Final = (layout.REPORT, layout.OUT_OF_FOLD, layout.BACKGROUND)
"""Files of a run folder with values of single rows."""
FEW_ROWS: Final = 10
"""Rows of a class from which on results tell something about it."""
MOST_CLASSES: Final = 20
"""Classes up to which the table of the splits has a column for each."""
ELSEWHERE: Final = {"mlpkit", "name", "about", "data", "layers", "training"}
"""Keys of a spec that other parts of a card show."""
THE_DATA: Final = f"the data, whose checksum is in {layout.LOCK}"


def write_card(
    directory: Path, to: Path | None, about: Path | None, plugin_options: PluginOptions
) -> tuple[Path, dict[str, str]]:
    """Write a finished run's card, and next to it the same as JSON; return the file, and the questions left open.

    The same run gives the same bytes. ``about`` is a file with a section ``about`` in place of the run's own.

    Raises:
        MlpkitError: the run isn't finished, a file of it is damaged, ``about`` is wrong, or a file can't be written.
    """
    file = to or directory / layout.CARD
    if to is not None:
        require_writable(to)
    run = _Run(directory, Registry.discover(**plugin_options), about)
    name, questions = run.spec.name, run.about.questions()
    sections = {title: [*section(run)] for title, section in SECTIONS.items()}
    plain = {title: [part._asdict() for part in parts] for title, parts in sections.items()}
    content = encode_pretty({"name": name, "questions": questions, "sections": plain})
    write_atomically(file.with_suffix(".json"), content.encode())
    write_atomically(file, markdown(to_yaml(_front_matter(run), with_names=True), name, sections).encode())
    return file, questions


def card_in_words(file: Path, questions: Mapping[str, str]) -> str:
    """Return where a card is, and what is left to do."""
    left = f"; {counted(len(questions), 'question')} to be answered under about: in the spec"
    return f"card in {file}{left if questions else ''}"


def card_at_the_end(directory: Path, plugin_options: PluginOptions, *, shown: bool) -> None:
    """Write the card of a run that was just trained. If that fails, warn; the run still succeeds."""
    try:
        line = card_in_words(*write_card(directory, None, None, plugin_options))
    except Exception as error:  # the run is finished, whatever went wrong with a text about it
        message(f"warning: no {layout.CARD}: {error}")
    else:
        if shown:
            result(line)


class _Run:
    """What a card is made from; without ``splits`` if the data can't be read, and ``unread`` is why."""

    def __init__(self, directory: Path, registry: Registry, about: Path | None) -> None:
        folder = RunFolder.open(directory)
        self.directory, self.metrics, self.lock = directory, folder.read_metrics(), folder.read_lock()
        self.model = model = load_run(directory, registry)
        self.spec, self.dataset = model.spec, model.dataset
        self.members = [RunFolder(path) for path in members_of(directory).values()]
        self.of_members = f"{layout.MEMBERS}/*/" if self.spec.trains_ensemble else ""
        self.about, self.about_source = _about(self.spec, about)
        self.splits: Mapping[str, Split] = {}
        self.unread = ""
        try:
            self.description, self.splits = data_of_run(directory, model)
            if changed := warning_of_changed_data(directory, model):
                raise DataError(directory, changed)
        except MlpkitError as error:
            self.splits, self.unread = {}, str(error)
        has_classes = isinstance(model.target, Classes | Labels)
        self.classes = names_of_target(self.dataset, model.target) if has_classes else ()
        raw = raw_rows(self.dataset, "train", np.zeros(1, np.intp), self.splits["train"]) if self.splits else None
        self.image = image_shape(raw)
        recipe, types = self.spec.data, schema_of(self.spec.data.component).types
        named = [
            name for key, name in recipe.arguments.items() if isinstance(name, str) and name and _is_path(types[key])
        ]
        files = {name: self.dataset.locate(name) for name in named}
        self.files = {name: path for name, path in files.items() if self.splits and path.is_file()}
        self.columns = [*map(WholeColumn, (self.dataset.raw_columns() or ()) if self.splits else ())]
        self.counts = {name: self._counts(split) for name, split in self.splits.items() if self.classes}
        held_out = {name: split for name, split in self.splits.items() if name != "train" and name in self.metrics}
        by = self.spec.top_level.by or ()
        self.results = metrics_by_group(model, held_out, self.description, by) if held_out else {}

    def _counts(self, split: Split) -> dict[str, int]:
        """Return how many rows of a split each class or label has."""
        rows = min(EVALUATION_ROWS, len(split))
        batches = BatchReader(split, self.description, self.model.network.dtype, rows).in_order()
        counts = np.sum([count_classes(self.model.target, t) for _, t, _ in batches], axis=0)
        return dict(zip(self.classes, counts.tolist(), strict=True))


def _is_path(kind: ValueType) -> bool:
    """Whether a parameter's value can be the path of a file."""
    return any(isinstance(each, PathType) for each in getattr(kind, "alternatives", (kind,)))


def _about(spec: Spec, file: Path | None) -> tuple[AboutSection, str]:
    """Return the section ``about`` of a file, or of the run's spec, and where it is."""
    if file is None:
        return cast("AboutSection", spec.top_level.about or AboutSection()), layout.RESOLVED
    document, context = read_document(file), CheckContext()
    section = AboutType().check(document.values.get("about", {}), ("about",), context)
    if context.faults:
        raise SpecSchemaError(tuple(map(document.located, context.faults)))
    return cast("AboutSection", section), str(file)


def _facts(source: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return rows of a table of facts; what is empty is left out."""
    return [{"what": key, "value": each, "from": source} for key, each in values.items() if each not in (None, "", [])]


def _chosen(owner: type, values: Mapping[str, Any]) -> dict[str, Code]:
    """Return the values that aren't the defaults, as a spec writes them."""
    defaults = {field.name: written(field.default) for field in schema_of(owner).fields}
    plain = {key: written(value) for key, value in values.items()}
    chosen = {key: each for key, each in plain.items() if each not in (defaults[key], {str(defaults[key]): {}}, [])}
    return {key: Code(to_inline_yaml(value)) for key, value in chosen.items()}


def _front_matter(run: _Run) -> dict[str, Any]:
    """Return the metadata of the hub.

    Source: https://github.com/huggingface/hub-docs/blob/main/modelcard.md
    """
    of = "tabular" if run.dataset.column_names() else "image" if run.image and run.classes else ""
    task = f"{of}-{'classification' if run.classes else 'regression'}" if of else "other"
    metrics = [metric.name for metric in run.spec.training.metrics if metric.component.table is None]
    name = next(iter(run.files), run.spec.data.name)
    results = [
        {
            "task": {"type": task},
            "dataset": {
                "type": [*run.about.datasets, run.spec.data.name][0],
                "name": own if (own := run.spec.data.arguments.get(split)) in run.files else name,
                "split": split,
            },
            "metrics": [{"type": key, "value": values[key]} for key in ("loss", *metrics) if key in values],
        }
        for split, values in in_order(run.metrics, run.spec).items()
        if split != "train"
    ]
    content = {
        "library_name": "mlpkit",
        "license": re.sub(r"[^a-z0-9.+]+", "-", (run.about.license or "").lower()).strip("-"),
        "pipeline_tag": task if of else "",
        "tags": ["mlpkit", *([task] if of else [])],
        "datasets": [*run.about.datasets],
        "metrics": metrics,
        "model-index": [{"name": run.spec.name, "results": results}],
    }
    return {key: value for key, value in content.items() if value}


def _summary(run: _Run) -> Iterator[Part]:
    targets = [each.name for each in run.columns if each.role == "target"] or run.dataset.target_names()
    which = "any" if isinstance(run.model.target, Labels) else "one"
    kind = f", {which} of {names(run.classes)}," if run.classes else ""
    columns, shape = run.dataset.column_names(), " x ".join(map(str, run.image or run.model.network.input_shape))
    source = f"the columns {names(columns)}" if columns else f"{'images' if run.image else 'arrays'} of {shape}"
    what = f"**{names(targets) if targets else 'a class' if run.classes else 'values'}**{kind}"
    yield Part(layout.MODEL, text=f"A neural network that predicts {what} from {source}.")
    yield Part(run.about_source, text=run.about.description or "")
    if left := run.about.questions():
        line = f"> {counted(len(left), 'question')} can only be answered by a person: look for **To be answered**."
        yield Part(run.about_source, text=line)


def _answers(run: _Run, *, of_data: bool) -> Part:
    """Return what a person told of the model, or of its data, and the questions that are left."""
    told = asdict(run.about) | {key: f"**To be answered:** {each}" for key, each in run.about.questions().items()}
    keys = [key for key in told if key not in {"description", "datasets"} and key.startswith("data") == of_data]
    lines = [f"**{key.replace('_', ' ').capitalize()}:** {told[key]}" for key in keys]
    return Part(run.about_source, text="\n\n".join(lines))


def _use(run: _Run) -> Iterator[Part]:
    yield _answers(run, of_data=False)
    load = f"model = mlpkit.load({json.dumps(real_path(run.directory).name)})"
    predict = "model.predict(rows)  # raw, as in the data: a frame, dicts or an array"
    yield Part("the run folder", text=f"```python\nimport mlpkit\n\n{load}\n{predict}\n```")


def _data(run: _Run) -> Iterator[Part]:
    recipe = run.spec.data
    yield _answers(run, of_data=True)
    digests = {f"SHA-256 of {name}": Code(file_hash(path)) for name, path in run.files.items()}
    facts = {"data set": recipe.name, **_chosen(recipe.component, recipe.arguments)}
    whole = {"checksum of the data": Code(run.lock.get(DATA) or "none")}
    yield Part("", [*_facts(layout.RESOLVED, facts), *_facts(layout.LOCK, whole), *_facts("the file", digests)])
    if run.unread:
        yield Part(THE_DATA, text=f"Rows, columns and intervals are left out: {text(run.unread)}")
        return
    shown = dict.fromkeys(run.classes) if len(run.classes) <= MOST_CLASSES else {}
    sizes = run.dataset.describe().sizes  # before rows are cut into folds
    rows = [
        {"split": split, "rows": size} | {name: run.counts.get(split, {}).get(name) for name in shown}
        for split, size in sizes.items()
    ]
    yield Part(THE_DATA, rows)
    columns = [
        {
            "column": each.name,
            "role": each.role,
            "type": each.kind,
            "missing": len(each.codes) - each.rows,
            "distinct values": each.distinct,
        }
        for each in run.columns
    ]
    yield Part(THE_DATA, columns)


def _network(run: _Run) -> Iterator[Part]:
    count, several = sum(int(array.size) for array in run.model.network.parameters.values()), len(run.members)
    of = f" in {several} networks, whose predictions are averaged. The layers of one" if several > 1 else ""
    yield Part(layout.MODEL, text=f"{count:,} parameters{of}:")
    network = (load_run(run.members[0].directory, run.spec.registry) if several > 1 else run.model).network
    rows = [row_of(each)._asdict() for each in (*network.layers, network.loss_layer)]
    yield Part(layout.MODEL, [{key: value for key, value in row.items() if key != "flops"} for row in rows])


def _training(run: _Run) -> Iterator[Part]:
    others = {key: value for key, value in run.spec.resolved().items() if key not in ELSEWHERE}
    settings = {key: Code(to_inline_yaml(value)) for key, value in others.items()}
    settings |= _chosen(type(run.spec.training), vars(run.spec.training))
    last = [line for member in run.members for line in member.read_history()[-1:]]
    done = {f"{key}s done": sum(line[key] for line in last) for key in ("iteration", "epoch")}
    lines = [line for member in run.members for line in readable_lines(member.directory / layout.TIMING)]
    seconds = {"processor seconds, evaluations included": sum(line["processor_seconds"] for line in lines)}
    machine = {"processor": run.lock.get(ENVIRONMENT, {}).get("processor")}
    facts = _facts(layout.RESOLVED, settings) + _facts(run.of_members + layout.HISTORY, done)
    yield Part("", [*facts, *_facts(run.of_members + layout.TIMING, seconds), *_facts(layout.LOCK, machine)])
    yield Part(
        layout.RESOLVED,
        text="Other settings have their defaults. Processor time stands for energy, which isn't measured.",
    )


def _results(run: _Run) -> Iterator[Part]:
    units = {"loss": "", **units_of(run.model)}

    def row(values: Mapping[str, Any]) -> dict[str, Any]:
        single = {name: value for name, value in values.items() if not isinstance(value, list)}
        return {f"{name} ({units[name]})" if units.get(name) else name: value for name, value in single.items()}

    rows = []
    for split, values in in_order(run.metrics, run.spec).items():
        again = run.results[split].whole.metrics if split in run.results else {}
        rows.append({"split": split, **row(values | {name: each._asdict() for name, each in again.items()})})
    intervals = f"; intervals from {layout.MODEL} and {THE_DATA}" if run.results else ""
    yield Part(f"{layout.METRICS}{intervals}", rows)
    if run.results:
        meaning = "95 % intervals, for other rows drawn like these. Another seed may change results by more."
        held_out = (
            "Test rows had no part in training; those of validation may have chosen weights or fitted a calibration."
        )
        yield Part(THE_DATA, text=f"In brackets: {meaning} {held_out}")
    if run.results and (run.spec.calibration is not None or run.spec.coverage is not None):
        yield from _adjusted(run)
    if run.spec.folds is not None:
        meaning = "the rows of train and validation together, each predicted by the network that wasn't trained on it."
        yield Part(layout.RESOLVED, text=f"Of these results, those of validation are for {meaning}")
    if layout.has_file(run.directory, layout.SPREAD):
        spread = in_order(read_object(run.directory / layout.SPREAD), run.spec)
        means = {
            split: {name: {**each, "value": each["mean"]} for name, each in spread[split].items()} for split in spread
        }
        yield Part(layout.SPREAD, text="One network alone, as the mean of all, with the 95 % interval of that mean:")
        yield Part(layout.SPREAD, [{"split": split, **row(values)} for split, values in means.items()])
    for split, found in run.results.items():
        for column, groups in found.columns.items():
            title = f"{split} by {column}"
            each = [
                {title: name, "rows": group.rows, **row(group.plain()["metrics"])} for name, group in groups.items()
            ]
            yield Part(f"{layout.MODEL} and {THE_DATA}", each)


def _adjusted(run: _Run) -> Iterator[Part]:
    """Yield what calibrated probabilities, and regions with a coverage, are worth on held-out rows."""
    judged, source = evaluate(run.directory, [*run.results], run.spec.registry), f"{layout.MODEL} and {THE_DATA}"
    splits = {
        split: {key: value for key, value in judged.metrics[split].items() if key not in run.metrics[split]}
        for split in layout.SPLITS
        if split in judged.metrics
    }
    yield Part(source, [{"split": split, **values} for split, values in splits.items() if values])
    for split, found in judged.regions.items():
        (_, *headings), *rows = regions_table(found)
        yield Part(
            source,
            text=f"Coverage of {split} rows, the share whose interval or set holds the target: {text(promise(found))}.",
        )
        yield Part(source, [dict(zip(("of", *headings), row, strict=True)) for row in rows])


def _limits(run: _Run) -> Iterator[Part]:
    used = [each for each in run.columns if each.role in {"input", "target"} and each.rows < len(each.codes)]
    limits = [
        f"{each.name} has no value in {len(each.codes) - each.rows:,} of {len(each.codes):,} rows" for each in used
    ]
    for split, counts in run.counts.items():
        rare = [f"{name} ({count:,})" for name, count in counts.items() if count < FEW_ROWS]
        limits += [f"classes with fewer than {FEW_ROWS} rows of {split}: {', '.join(rare)}"] if rare else []
    if run.splits:
        limits += filter(None, [why_not_exchangeable(run.dataset)])
        limits += [each.message for each in data_warnings(run.spec, run.dataset)]
        limits += leaks_in(run.splits["train"], run.description, run.dataset)
    yield Part(THE_DATA, text="\n".join(f"- {text(each)}" for each in limits))
    health = [each for member in run.members for each in recorded_symptoms(member, member.read_health())]
    noticed = [f"- {text(f'{each.title}, at iteration {each.iteration:,}: {each.finding}')}" for each in health]
    yield Part(run.of_members + layout.HEALTH, text="\n".join(noticed))
    seed = "" if len(run.members) > 1 else " It was trained with one seed; another may give other results."
    yield Part(layout.RESOLVED, text=f"Nothing here tells about rows from elsewhere, or from a later time.{seed}")


def _contains(run: _Run) -> Iterator[Part]:
    """Yield what the model file keeps of the training data, and which other files keep more of it."""
    network, metadata = run.model.network, RunFolder(run.directory).load_model().metadata
    sizes = {"weights": network.parameters, "states of layers": network.states}
    rows = [{"kept": name, "numbers": sum(int(a.size) for a in of.values()), "texts": []} for name, of in sizes.items()]
    for name, kept in {**metadata["encoder"], "target": metadata["target"].get("scaling") or {}}.items():
        leaves = [*flattened(kept).values()]
        texts = [*dict.fromkeys(leaf for leaf in leaves if isinstance(leaf, str))]
        rows.append({"kept": name, "numbers": sum(type(leaf) in (int, float) for leaf in leaves), "texts": texts})
    yield Part(layout.MODEL, text=f"{cell(Code(layout.MODEL))} has no rows. It has the spec, and:")
    yield Part(layout.MODEL, [row for row in rows if row["numbers"] or row["texts"]])
    if run.dataset.column_names():
        yield Part(layout.MODEL, text="Numbers that are extremes or quantiles of a column are values of single rows.")
    others = [cell(Code(name)) for name in HOLD_ROWS if layout.has_file(run.directory, name)]
    also = f"Other files of the run folder do have values of single rows: {', '.join(others)}."
    yield Part("the run folder", text=also if others else "")
    yield Part("the exporters", text="Exported files have no rows; pages have the medians of columns.")


def _provenance(run: _Run) -> Iterator[Part]:
    lock = flattened({key: value for key, value in run.lock.items() if key not in {DATA, "plugin_files"}})
    known, path = {key: Code(value) for key, value in lock.items() if value}, run.directory / layout.MODEL
    file = {f"SHA-256 of {layout.MODEL}": Code(file_hash(path)), f"bytes of {layout.MODEL}": path.stat().st_size}
    used = ["mlpkit", *run.lock.get(PLUGINS, {}), *run.lock.get("requires", {})]
    licences = {f"licence of {name}": license_of(name) or "none recorded" for name in used}
    of_installed = _facts("metadata of what is installed", licences)
    yield Part("", [*_facts(layout.LOCK, known), *_facts(layout.MODEL, file), *of_installed])
    command = f"mlpkit repro {shlex.quote(real_path(run.directory).name)}"
    yield Part(layout.RESOLVED, text=f"This trains again, and compares every byte:\n\n```sh\n{command}\n```")


SECTIONS: Final = {
    "": _summary,
    "Use": _use,
    "Data": _data,
    "Network": _network,
    "Training": _training,
    "Results": _results,
    "Limits": _limits,
    "What the model file contains": _contains,
    "Provenance and licences": _provenance,
}
