"""A spec that is checked: reading it, and writing it out with every default filled in."""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path as FilePath
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, Unpack

from mlpkit.components.dataset import Dataset
from mlpkit.components.schema.context import CheckContext, Problem, TooManyProblems, show
from mlpkit.components.schema.recipe import KeyPath, Recipe
from mlpkit.errors import Diagnostic, SpecError, SpecSchemaError, UsageError
from mlpkit.registry.discovery import PluginOptions
from mlpkit.registry.registry import Registry
from mlpkit.specfile.document import Document, document_of, parse_document, read_document
from mlpkit.specfile.sections import TOP_LEVEL, EnsembleSection, GuestSection, StackMember, TopLevel, Training
from mlpkit.specfile.source import DEEPEST_NESTING, MOST_VALUES, TOO_DEEP
from mlpkit.specfile.yaml_writer import to_yaml

if TYPE_CHECKING:
    from mlpkit.components.calibration import Calibration
    from mlpkit.specfile.overrides import Overrides


FILLED_IN: Final = "with every default filled in"


def _parts(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Go through plain data and its parts, each with its path; lists and mappings come before what is in them."""
    yield path, value
    if isinstance(value, dict | list | tuple):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _parts(item, (*path, key))


def _too_large(resolved: Mapping[str, Any]) -> Problem | None:
    """Return what is wrong with the size of a resolved spec, or None, at a key that the spec as written has."""
    parts = list(_parts(resolved))
    if len(parts) > MOST_VALUES:
        ((largest, _),) = Counter(path[0] for path, _ in parts[1:]).most_common(1)
        message = f"{FILLED_IN}, the spec holds more than {MOST_VALUES:,} values"
        return Problem((largest,), message, remedy="write fewer layers, or one that repeats others", at_key=True)
    deepest = max((path for path, value in parts if isinstance(value, dict | list | tuple)), key=len)
    if len(deepest) >= DEEPEST_NESTING:
        return Problem(deepest[:1], f"{FILLED_IN}, {TOO_DEEP}", at_key=True)
    return None


FOLDER_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
"""What a spec may be called: its run folder is called the same."""


MARK: Final = ".mlpkit"
"""What may come before the ending of a spec's file, for editors to know it by: ``digits.mlpkit.yaml``."""


def stem_of(path: FilePath) -> str:
    """Return a spec's file name without its ending."""
    return path.stem.removesuffix(MARK) or path.stem


def folder_name(text: str) -> str:
    """Return the name most like a text that a run folder can have; empty if no letter or digit of it is left.

    Accents are dropped, and other invalid characters become underscores: ``modèle (1)`` is ``modele_1``.
    """
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", ascii_only).strip("_.-") if not FOLDER_NAME.fullmatch(text) else text


@dataclass(frozen=True, repr=False)
class Spec:
    """A spec whose every key, component and value is known to be right; its shapes are not yet proved.

    Args:
        document: the text it came from, for messages that point into it.
        registry: the plugins that its components come from.
        top_level: the values of its keys.
        warnings: what is right, but shouldn't be done any more, such as to name a deprecated component.
        files: the relative paths of files that it names, as seen from the current folder, by their place in the spec.
    """

    document: Document
    registry: Registry
    top_level: TopLevel
    warnings: tuple[Diagnostic, ...] = ()
    files: Mapping[KeyPath, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Name the spec, its data and its layers."""
        layers = ", ".join(member.name for member in self.layers)
        return f"<Spec {self.name}: {layers} on {self.data.name}>"

    def _repr_html_(self) -> str:
        """Return the spec's text for a notebook."""
        from html import escape  # noqa: PLC0415 - only a notebook needs it

        return f'<pre style="font-family: monospace; white-space: pre">{escape(self.document.text)}</pre>'

    @property
    def name(self) -> str:
        """Its name, by default its file's, limited to what a run folder can be called."""
        return self.top_level.name or folder_name(stem_of(self.document.path))

    @property
    def seed(self) -> int:
        """What all random numbers are keyed by, except the data set's."""
        return self.top_level.seed + (self.member or 0)

    @property
    def data_seed(self) -> int:
        """What the data set draws its splits by; the networks of an ensemble share it."""
        return self.top_level.seed

    @property
    def ensemble(self) -> EnsembleSection | None:
        """The ensemble that it trains, or whose member it trains; None without one."""
        return self.top_level.ensemble

    @property
    def member(self) -> int | None:
        """The only network of an ensemble to train; None for all, or without an ensemble."""
        return self.ensemble.member if self.ensemble else None

    @property
    def trains_ensemble(self) -> bool:
        """Whether several networks are trained and averaged."""
        return self.ensemble is not None and self.member is None

    @property
    def folds(self) -> int | None:
        """How many folds the rows for training and validation are cut into; None if they aren't."""
        return self.ensemble.folds if self.ensemble else None

    def with_member(self, member: int) -> Spec:
        """Return the spec of one network of the ensemble."""
        assert self.ensemble is not None
        return replace(self, top_level=replace(self.top_level, ensemble=replace(self.ensemble, member=member)))

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds to train with: one, unless the spec sets more."""
        seed, seeds = self.top_level.seed, self.top_level.seeds
        return seeds if isinstance(seeds, tuple) else tuple(range(seed, seed + (seeds or 1)))

    def with_seed(self, seed: int) -> Spec:
        """Return the spec with another seed, and with no more than that one."""
        return replace(self, top_level=replace(self.top_level, seed=seed, seeds=None))

    def with_seeds(self, seeds: int | Sequence[int]) -> Spec:
        """Return the spec with other seeds, or with this many.

        Raises:
            UsageError: they can't be its seeds.
        """
        context = CheckContext()
        given = [*seeds] if isinstance(seeds, Iterable) else seeds
        checked: Any = TOP_LEVEL.schema.types["seeds"].check(given, ("seeds",), context)
        top_level = replace(self.top_level, seeds=checked)
        if not context.faults:
            top_level.check_together((), context)
        if context.faults:
            raise UsageError(str(context.faults[0]))
        return replace(self, top_level=top_level)

    @property
    def dtype(self) -> str:
        """Type of parameters and activations."""
        return self.top_level.dtype

    @property
    def requires(self) -> Mapping[str, str]:
        """The distributions that it needs, with the versions that will do."""
        return self.top_level.requires or {}

    @property
    def data(self) -> Recipe[Dataset]:
        """Builds the data set."""
        return self.top_level.data

    def new_dataset(self) -> Dataset:
        """Build the data set; it encodes for a network of the spec's dtype."""
        dataset = self.data()
        dataset.dtype = self.dtype
        return dataset

    @property
    def layers(self) -> tuple[StackMember, ...]:
        """The layers, and the loss at the end."""
        return self.top_level.layers

    @property
    def calibration(self) -> Recipe[Calibration] | None:
        """Builds what calibrates predictions; None without one, and for a network of an ensemble, whose mean has it."""
        return None if self.member is not None else self.top_level.calibration

    @property
    def coverage(self) -> float | None:
        """The share of targets that regions should hold; None without any, as for ``calibration``."""
        return None if self.member is not None else self.top_level.coverage

    @property
    def sweep(self) -> GuestSection | None:
        """What a sweep varies, and how long it runs; None without one."""
        return self.top_level.sweep

    @property
    def training(self) -> Training:
        """How the network is trained."""
        return self.top_level.training

    def resolved(self, **training: int) -> dict[str, Any]:
        """Return the spec as plain data, with every default and the keys of ``training`` chosen for this run."""
        written = self.top_level.reference()
        rest = {key: value for key, value in written["training"].items() if key not in training}
        written["training"] = rest | training  # in one order, whichever of them the spec sets itself
        of_stack = ("data", "layers", "initialize_from", "training", "calibration", "coverage")
        order = ("mlpkit", "name", "about", "seed", "ensemble", "by", "dtype", "requires", *of_stack)
        return {key: self.name if key == "name" else written[key] for key in order if key == "name" or key in written}

    def resolved_text(self, **training: int) -> str:
        """Return the resolved spec as text, after checking that parsing it gives the same spec.

        Args:
            training: as for ``resolved``.

        Raises:
            SpecSchemaError: the text would be too long, or be read as something else.
        """
        text = to_yaml(self.resolved(**training))
        try:
            again = check_document(parse_document(text, "resolved.yaml"), self.registry)
        except SpecError as error:
            reason = error.faults[0].message
        else:
            if to_yaml(again.resolved(**training)) == text:
                return text
            reason = "it would be read as another"
        message = f"{FILLED_IN}, the spec can't be read again: {reason}"
        raise self.error(SpecSchemaError, [Problem((), message, remedy="write fewer or other values")])

    def located(self, faults: Sequence[Problem]) -> tuple[Diagnostic, ...]:
        """Return faults with their places in the text, in the order of these."""
        return _located(self.document, faults)

    def error(self, kind: type[SpecError], faults: Sequence[Problem], warnings: Sequence[Diagnostic] = ()) -> SpecError:
        """Return an error that points at the faults' places in the text."""
        return kind(self.located(faults), warnings)


def require_spec(spec: object, function: str) -> None:
    """Check that a function of the Python face got a spec, and not a file name."""
    if not isinstance(spec, Spec):
        file = show(spec) if isinstance(spec, str) else "file"
        raise UsageError(f"{function} takes a spec, not {show(spec)}; read it first: mlpkit.load_spec({file})")


def load_spec(
    path: str | FilePath | Mapping[str, Any],
    *,
    overrides: Mapping[str, Any] | Sequence[str] = (),
    plugins: Iterable[str | FilePath | ModuleType] = (),
    blocked: Iterable[str] = (),
) -> Spec:
    """Read a spec from a YAML file or an equivalent mapping, and check every key, component and value.

    Errors in a mapping name the key, such as ``training.batch_size``, in place of file, line and column; files that it
    names are relative to the working directory, and a layer may be built in Python. A deprecated component
    raises a ``FutureWarning``.

    Args:
        path: the file, or the mapping.
        overrides: values by dotted key, or texts ``key=value`` as after ``--set``.
        plugins: modules, or paths of Python files, that are plugins too.
        blocked: namespaces, or names of components, to disable.

    Raises:
        SpecSyntaxError: the file can't be read, or is not in the dialect of specs.
        SpecSchemaError: a key, component or value is wrong; all that are wrong are named.
        UsageError: a local plugin is not there.
    """
    spec = read_spec(path, overrides=overrides, plugins=plugins, blocked=blocked)
    for warning in spec.warnings:
        warnings.warn(str(warning), FutureWarning, stacklevel=2)
    return spec


def read_spec(
    path: str | FilePath | Mapping[str, Any], *, overrides: Overrides = (), **plugin_options: Unpack[PluginOptions]
) -> Spec:
    """Do what ``load_spec`` does, but leave it to the caller to tell of the spec's warnings."""
    if not isinstance(path, Mapping):
        return check_document(read_document(path, overrides), Registry.discover(**plugin_options))
    registry = Registry.discover(**plugin_options)
    return check_document(document_of(path, overrides, registry=registry), registry)


def parse_spec(text: str, *, name: str, registry: Registry | None = None, resolved: bool = False) -> Spec:
    """Check a spec that is already in memory, such as the one inside a model file.

    A ``resolved`` one was written with every default filled in, perhaps by an earlier version.

    Raises:
        SpecError: as ``load_spec``.
    """
    return check_document(parse_document(text, name), registry or Registry.discover(), resolved=resolved)


def check_document(document: Document, registry: Registry, *, resolved: bool = False) -> Spec:
    """Check every key, component and value of a document; a ``SpecSchemaError`` names all that are wrong."""
    context, checked = CheckContext(registry.resolve, document.folder_of, resolved), None
    with suppress(TooManyProblems):
        _check_name(document, context)
        checked = TOP_LEVEL.check(document.values, (), context)
    warned = _located(document, [warning for warning in context.warnings if document.has_value(warning.path)])
    if isinstance(checked, TopLevel) and not context.faults:
        spec = Spec(document, registry, checked, warned, context.files)
        fault = _too_large(spec.resolved(slices=1, threads=1))
        if fault is None:
            return spec
        raise SpecSchemaError(_located(document, [fault]), warned)
    raise SpecSchemaError(_located(document, _with_whole_keys(document, registry, context.faults)), warned)


def _with_whole_keys(document: Document, registry: Registry, faults: Sequence[Problem]) -> list[Problem]:
    """Return faults with the whole key for one that ``--set`` gave without its first parts, such as ``learning_rate``.

    What keys there are is known only if the spec is right without the wrong ones.
    """
    at_keys = [fault.path for fault in faults if fault.at_key]
    wrong = [path for path in at_keys if document.place(path, at_key=True).text.override]
    if not wrong:
        return list(faults)
    from mlpkit.specfile.keys import keys_below, with_whole_key  # noqa: PLC0415 - only after a mistake

    rest = TOP_LEVEL.check(_without(document.values, wrong), (), CheckContext(registry.resolve))
    known = [key for key, _ in keys_below(rest)]
    return [with_whole_key(fault, known) if fault.path in wrong else fault for fault in faults]


def _without(values: Any, paths: Sequence[KeyPath]) -> Any:
    """Return plain data without the values at some paths."""
    if not isinstance(values, dict):
        return values
    inside = {key: [path[1:] for path in paths if path[0] == key] for key in values}
    return {key: _without(value, inside[key]) for key, value in values.items() if () not in inside[key]}


def _check_name(document: Document, context: CheckContext) -> None:
    """Check that the spec's name, given or by default, can be its run folder's."""
    name, stem = document.values.get("name"), stem_of(document.path)
    report = partial(context.report, expected="letters, digits, '_', '-', '.'", code="wrong-name")
    if isinstance(name, str) and not FOLDER_NAME.fullmatch(name):
        like = folder_name(name)
        report(("name",), f"{show(name)} can't name a run folder", remedy=f"write name: {like}" if like else "")
    elif name is None and not folder_name(stem):
        message = f"{show(stem)} can't name a run folder, and the spec has no other name"
        report((), message, remedy="give it one, such as name: my_network")


def _located(document: Document, faults: Sequence[Problem]) -> tuple[Diagnostic, ...]:
    located = map(document.located, faults)
    return tuple(sorted(located, key=lambda fault: (fault.line, fault.column)))
