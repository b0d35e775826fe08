"""The playground without a page: takes and returns plain data, on this machine's server or inside a browser."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from inspect import signature
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from types import NoneType
from typing import Any, Final
from weakref import finalize

import numpy as np

from mlpkit.cli.exit_codes import problems_of
from mlpkit.components.schema.context import show
from mlpkit.components.target import target_to_plain
from mlpkit.errors import MlpkitError, SpecError, UsageError
from mlpkit.jobs.check import check
from mlpkit.jobs.init_from_data import init_from_data
from mlpkit.jobs.prove import SpecProof, prove
from mlpkit.jobs.spec_data import names_of_target
from mlpkit.registry.registry import Registry
from mlpkit.runs.files import write_atomically
from mlpkit.specfile.spec import MARK, Spec, folder_name
from mlpkit.training.evaluation import Record
from mlpkit.verbs.play.pictures import EXAMPLES, Examples, drawing, picture, unit_of
from mlpkit.verbs.play.text import SpecText, knobs_of
from mlpkit.verbs.play.training import PlayedTraining

SECONDS: Final = 0.25
"""How long a message trains at most, so that a page stays alive."""
MOST_OLD_CURVES: Final = 4
FOLDER: Final = "mlpkit_play_"
OWN: Final = re.compile(rf"""[^\s"']*{FOLDER}\w+[/\\]+""")
"""The folder of a dropped table in a message: its owner knows only the table's name."""
ACTIONS: Final = (
    *("state", "train", "back", "restart", "set", "weight"),
    *("layer", "spec", "table", "first", "look", "save"),
)
KINDS: Final = {
    "int": int,
    "float": int | float,
    "bool": bool,
    "str": str,
    "list": list,
    "object": object,
    "None": NoneType,
}
"""What a message may give for a keyword, by its annotation."""


class Session:
    """A playground: a network that trains, goes back, and is changed, as messages ask for it.

    Args:
        text: the spec to begin with.
        out: the file that ``save`` writes; None without a disk.

    Raises:
        MlpkitError: the spec is wrong, or its data can't be read.
    """

    def __init__(self, text: SpecText, out: Path | None = None) -> None:
        if out is not None and not _reads_the_same_data(text, replace(text, path=out)):
            raise UsageError(f"the files of the spec are found from its own folder; choose a name in it, not {out}")
        self._out = out
        self._first = text
        self._own: list[Path] = []
        self._older: list[dict[str, Any]] = []
        self._described: object = None
        self._version = 0
        self._saved: dict[Path, bytes] = {}
        self._view: dict[str, Any] = {"across": "", "up": "", "example": 0, "unit": None}
        self._begin(text, prove(_single(text.spec())))

    def handle(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Do what a message asks for, and return what the page shows then.

        A message is ``{"do": ACTION, ...}``, with the keywords of the method of that name, and the ``version`` of the
        spec that its page has, if it has one. What is wrong is in ``problems``, as ``mlpkit check --json`` prints it,
        and has changed nothing.
        """
        problems: list[dict[str, Any]] = []
        saved, page = "", message.get("version")
        try:
            saved = self._do({key: value for key, value in message.items() if key != "version"}) or ""
        except MlpkitError as error:
            found = json.dumps([problem.to_plain() for problem in problems_of(error)])
            problems = json.loads(OWN.sub("", found))
        with np.errstate(all="ignore"):  # a training that explodes is drawn, too
            answer = {"problems": problems, "saved": saved, "now": self._now()}
        if self._described != (key := (self._text.text, len(self._older), self._training.network)):
            self._described, self._version = key, self._version + 1
        if page != self._version:
            answer["spec"] = self._spec()
        return answer

    def _do(self, message: Mapping[str, Any]) -> str | None:
        do, keywords = message.get("do"), {key: value for key, value in message.items() if key != "do"}
        if not (do in ACTIONS and _takes(getattr(self, do), keywords)):
            raise UsageError(f"the playground can't do {show(do)} with {', '.join(keywords) or 'nothing else'}")
        answer: str | None = getattr(self, str(do))(**keywords)
        return answer

    def state(self) -> None:
        """Do nothing: a page that opens asks for all there is."""

    def train(self, steps: int = 1, seconds: float = SECONDS) -> None:
        """Do some steps, or fewer if they take long."""
        self._training.forward(max(1, steps), seconds)

    def back(self, steps: int = 1) -> None:
        """Undo some steps, and the changes since then."""
        self._training.back(max(1, steps))

    def restart(self) -> None:
        """Begin again with the first weights, and keep the curve to compare."""
        self._replace(self._text)

    def set(self, key: str, value: object) -> None:
        """Set a number of the spec, such as ``training.optimizer.learning_rate``."""
        self._change(self._text.with_number(key, value))

    def weight(self, parameter: str, index: list[int], value: float) -> None:
        """Set an element of a parameter."""
        self._training.set_weight(parameter, index, value)

    def layer(self, position: int, line: str | None = None, insert: bool = False) -> None:
        """Put a layer in place of another or before it, written as in a spec; without a line, remove it."""
        self._change(self._text.with_layer(position, line, insert=insert))

    def spec(self, text: str) -> None:
        """Take another text of the spec."""
        self._change(SpecText(self._text.path, text, self._text.registry))

    def table(self, name: str, text: str, target: str | None = None, spec: str | None = None) -> None:
        """Take the table of a CSV file, with a spec that names it, by default as ``mlpkit init`` writes one."""
        folder = Path(mkdtemp(prefix=FOLDER))
        finalize(self, rmtree, folder, ignore_errors=True)
        stem = folder_name(Path(name).stem) or "table"
        table, path = folder / f"{stem}.csv", folder / f"{stem}{MARK}.yaml"
        write_atomically(table, text.encode())
        if spec is None:
            init_from_data({"train": str(table)}, target or None, path)
            spec = path.read_text("utf-8").replace(str(table), table.name)
        self._change(SpecText(path, spec, self._text.registry))
        self._own = [table]

    def first(self) -> None:
        """Take the spec and the data again that the session began with."""
        self._change(self._first)
        self._own = []

    def look(self, across: str = "", up: str = "", example: int | None = None, unit: list[Any] | None = None) -> None:
        """Show other columns, another example, or a unit as ``[layer, number]``."""
        match unit:
            case None | [str(), int()]:
                wanted = {"across": across, "up": up, "example": example, "unit": unit}
                self._view |= {key: value for key, value in wanted.items() if value not in ("", None)}
            case _:
                raise UsageError(f"{show(unit)} is not a unit; expected a layer's name and a number")

    def save(self) -> str:
        """Write the spec beside the one that it came from, with the table that it needs, and return where."""
        if self._out is None:
            raise UsageError("there is no folder to save to; download the spec")
        files = {self._out.parent / table.name: table.read_bytes() for table in self._own}
        files[self._out] = self._text.text.encode()
        for path, content in files.items():
            if path.exists() and path.read_bytes() not in (content, self._saved.get(path)):
                raise UsageError(f"{path} exists already, with other content; move it, or choose a folder with --out")
        for path, content in files.items():
            write_atomically(path, content)
        self._saved |= files
        return str(self._out)

    @property
    def _text(self) -> SpecText:
        return self._training.setup.text

    def _begin(self, text: SpecText, proved: SpecProof, splits: Any = None) -> None:
        self._training = PlayedTraining(text, proved, splits)
        self._examples = Examples(self._training.setup.opened, self._training.network)
        self._checked = check(proved.spec)
        self._view |= {"example": 0, "unit": None}

    def _change(self, text: SpecText) -> None:
        """Continue with another spec: with the same network if that is still the spec's, or else from the beginning."""
        spec, before = _single(text.spec()), self._training.setup.opened.proved
        same = _same_parts(spec, _single(self._text.spec()))  # both as written: a proof fills in what the data decides
        proved = prove(spec, before.dataset if "data" in same else None)
        if "network" in same:
            self._checked = check(proved.spec, before.dataset)
            self._training.change(text, proved)
        else:
            self._replace(text, proved, keeps_data="data" in same)

    def _replace(self, text: SpecText, proved: SpecProof | None = None, *, keeps_data: bool = True) -> None:
        """Begin again, and keep the old curve beside the new one."""
        old = self._training
        before = old.setup.opened
        proved = proved or prove(before.proved.spec, before.proved.dataset)
        label, records = ", ".join(self._text.layer_lines()), _finite(old.records)
        self._begin(text, proved, before.splits if keeps_data else None)
        old.close()
        if not keeps_data:
            self._older = []
        elif len(records) > 1:
            self._older = [*self._older, {"label": label, "records": records}][-MOST_OLD_CURVES:]

    def _spec(self) -> dict[str, Any]:
        """Return what changes only with the spec."""
        proved, text = self._training.setup.opened.proved, self._text
        layers = zip(self._checked.members, text.layer_lines(), strict=True)
        return {
            "version": self._version,
            "name": proved.spec.name,
            "text": text.text,
            "saves": self._out is not None,
            "sizes": dict(proved.description.sizes),
            "input_shape": proved.description.input_shape,
            "target": target_to_plain(proved.description.target),
            "classes": list(self._names()),
            "axes": list(self._examples.axes),
            "knobs": [knob._asdict() for knob in knobs_of(proved.spec)],
            "layers": [{**member.to_plain(), "line": line} for member, line in layers],
            "choices": sorted({each.name for each in text.registry.components(("layer",))}),
            "older": self._older,
            "warnings": [str(warning) for warning in proved.warnings],
        }

    def _now(self) -> dict[str, Any]:
        """Return what changes with every step."""
        training = self._training
        return {
            "step": training.step,
            "first": training.first_step,
            "total": training.total,
            "epoch": training.trainer.progress.epoch,
            "rate": training.learning_rate(),
            "records": _finite(training.records),
            **self._drawn(),
        }

    def _drawn(self) -> dict[str, Any]:
        """Return the network, what it predicts, and the unit that is looked at."""
        network, examples, view = self._training.network, self._examples, self._view
        plane = examples.plane(view["across"], view["up"])
        example = view["example"] % min(EXAMPLES, len(examples.x))
        names = self._training.setup.opened.proved.dataset.feature_names() or ()
        columns = drawing(network, examples, plane, example)
        columns[0]["names"] = [names[each["unit"]] for each in columns[0]["units"] if each["unit"] < len(names)]
        found: dict[str, Any] = {"columns": columns, "example": example, "plane": None, "unit": None}
        if plane is not None:
            shown = {"across": plane.names[:1], "up": plane.names[1:], "ends": plane.ends, "points": plane.points}
            corners = [picture(examples.image(corner)) for corner in plane.corners]
            predicted = network.predict(plane.inputs).reshape(plane.side, plane.side, -1)
            found["plane"] = {**shown, "corners": corners, **self._predicted(np.nan_to_num(predicted))}
        if view["unit"] is not None:
            found["unit"] = unit_of(network, view["unit"], names) | {"image": examples.image_shape}
        return found | {"examples": self._shown_examples()}

    def _predicted(self, values: Any) -> dict[str, Any]:
        """Return predictions on a plane: the most likely class and how likely it is, or a value."""
        if self._examples.is_classes:
            return {"classes": values.argmax(axis=-1).tolist(), "shares": values.max(axis=-1).round(2).tolist()}
        targets = self._examples.targets()
        middle = float(targets.mean())
        spread = float(np.abs(targets - middle).max()) or 1.0
        return {"values": np.clip((values[..., 0] - middle) / spread, -1, 1).round(2).tolist()}

    def _shown_examples(self) -> list[dict[str, Any]]:
        """Return the examples whose activations are drawn: what each looks like, and what the network predicts."""
        examples, names = self._examples, self._names()
        x, targets = examples.x[:EXAMPLES], examples.targets()[:EXAMPLES]
        images = map(examples.image, range(len(x)))
        predicted = np.nan_to_num(self._training.network.predict(x).reshape(len(x), -1))
        best = predicted.argmax(axis=1) if examples.is_classes else predicted[:, 0]

        def named(value: float) -> str:
            return names[int(value)] if examples.is_classes else f"{value:.4g}"

        return [
            {
                "picture": picture(image),
                "target": named(float(target)),
                "predicted": named(float(value)),
                "share": round(float(row.max()), 3) if examples.is_classes else None,
            }
            for image, target, value, row in zip(images, targets, best, predicted, strict=True)
        ]

    def _names(self) -> tuple[str, ...]:
        proved = self._training.setup.opened.proved
        return names_of_target(proved.dataset, proved.description.target)


def session_in_browser(address: str, text: str) -> Session:
    """Return the session of a spec for Python that runs in a browser, whose disk is in memory."""
    return Session(SpecText(Path(Path(address).name), text, Registry.discover()))


def _takes(action: Callable[..., Any], keywords: Mapping[str, Any]) -> bool:
    """Whether an action has these keywords, and takes such values for them."""
    parameters = signature(action).parameters
    for name, value in keywords.items():
        kinds = parameters[name].annotation.split(" | ") if name in parameters else ()
        if not any(isinstance(value, KINDS[kind.partition("[")[0]]) for kind in kinds):
            return False
    return all(name in keywords or each.default is not each.empty for name, each in parameters.items())


def _single(spec: Spec) -> Spec:
    """Return the spec of the first network that a spec trains."""
    return spec.with_member(0) if spec.trains_ensemble else spec.with_seed(spec.seeds[0])


def _same_parts(spec: Spec, other: Spec) -> set[str]:
    """Return which parts two specs have in common: ``data``, and ``network`` if all but the training is the same."""
    here, there = (each.resolved(slices=each.training.slices or 1, threads=1) for each in (spec, other))
    changed = {key for key in here.keys() | there.keys() if here.get(key) != there.get(key)}
    if spec.training.slices != other.training.slices:
        changed.add("slices")
    parts = set() if changed & {"data", "seed", "dtype", "ensemble"} else {"data"}
    return parts | (set() if changed - {"training"} else {"network"})


def _reads_the_same_data(text: SpecText, other: SpecText) -> bool:
    try:
        return "data" in _same_parts(text.spec(), other.spec())
    except SpecError:
        return False


def _finite(records: Iterable[Record]) -> list[dict[str, float | None]]:
    """Return records as JSON can hold them."""
    return [{key: value if math.isfinite(value) else None for key, value in each.items()} for each in records]
