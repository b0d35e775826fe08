"""The spec of a sweep in its folder, the spec of each trial, and the proof that its keys and values are right."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any, Final, NamedTuple, Unpack

from mlpkit.components.schema.context import Problem
from mlpkit.components.schema.recipe import KeyPath
from mlpkit.errors import Diagnostic, RunFolderError, SpecError, SpecSchemaError
from mlpkit.jobs.prove import SpecProof, prove
from mlpkit.jobs.run_inputs import naming_plugin_files
from mlpkit.registry.discovery import PluginOptions
from mlpkit.registry.registry import Registry
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import members_of, runs_in
from mlpkit.runs.layout import SPEC, has_file
from mlpkit.specfile.document import parse_document
from mlpkit.specfile.key_types import FORMAT_KEY
from mlpkit.specfile.keys import keys_below, keys_meant, suggestion
from mlpkit.specfile.nodes import ListNode, MappingNode, Node, ScalarNode, copied, plain
from mlpkit.specfile.overrides import override_at, set_overrides
from mlpkit.specfile.source import DiagnosticList, Span
from mlpkit.specfile.spec import Spec, check_document, read_spec
from mlpkit.specfile.variables import VARS, beginning, escape, referred_node, value_as_written, variables_of
from mlpkit.specfile.yaml_writer import to_inline_yaml, to_yaml
from mlpkit.system import real_path
from mlpkit.verbs.sweep.folder import SweepFolder, trials_in
from mlpkit.verbs.sweep.section import Objective, SearchedKey, SweepSection, is_choice

SWEEP: Final = "sweep"
NAME: Final = "name"
SEARCH: Final = (SWEEP, "search")


def trial_spec(spec: Spec, values: Mapping[str, Any], places: Mapping[str, Span] | None = None) -> Spec:
    """Return the spec of a trial; it has no section ``sweep``.

    Values are set in their order, so that a component comes before its parameters. For messages, each has a place, by
    default that of the searched key in the sweep.
    """
    places = places or {}

    def change(root: MappingNode, faults: DiagnosticList) -> None:
        root.entries.pop(SWEEP, None)
        overrides = [
            override_at(key, value, key_place(spec, key), places.get(key, spec.document.place((*SEARCH, key))), faults)
            for key, value in values.items()
        ]
        set_overrides(root, [each for each in overrides if each is not None], faults)

    return check_document(spec.document.changed(change), spec.registry)


def key_place(spec: Spec, key: str) -> Span:
    """Return the place of a searched key."""
    return spec.document.place((*SEARCH, key), at_key=True)


def as_overrides(values: Mapping[str, Any]) -> list[str]:
    """Write values as ``--set`` takes them."""
    return [f"{key}={to_inline_yaml(value)}" for key, value in values.items()]


def written_values(values: Mapping[str, Any]) -> str:
    """Write the values of a trial on a line."""
    return ", ".join(as_overrides(values))


def short_keys(keys: Sequence[str]) -> list[str]:
    """Return the last parts of keys, as many of each as make it unique."""
    parts = [key.split(".") for key in keys]
    return [
        next(
            ".".join(own[-count:])
            for count in range(1, len(own) + 1)
            if count == len(own) or sum(other[-count:] == own[-count:] for other in parts) == 1
        )
        for own in parts
    ]


def data_key(spec: Spec) -> str:
    """Return what the data of a spec depends on: specs with the same key have the same data."""
    return repr((spec.data.reference(), spec.data_seed, spec.dtype, spec.folds))


def text_for_folder(spec: Spec, folder: Path, files: Mapping[KeyPath, str] | None = None) -> str:
    """Return the text of a spec that stands for itself in a folder: with what it extends, and what was overridden.

    Relative paths start from the folder, the name is there, since the file has another, and so is what variables took
    from the environment. If nothing else changes, it is the text as written, comments included. ``files`` are paths
    that the section ``sweep`` names, in the form of ``Spec.files``.
    """
    tree = copied(spec.document.with_names)
    assert isinstance(tree, MappingNode)
    variables = variables_of(tree)
    assert variables is not None
    for name, entry in variables.entries.items():
        entry.node = value_as_written(name, entry.node, DiagnosticList())
    written_paths = [path_written_at(tree, path, seen) for path, seen in {**spec.files, **(files or {})}.items()]
    for node, seen in written_paths:
        if node is not None and not Path(str(node.value)).is_absolute():
            file = Path(seen)  # which may be, or be in, a link to a folder elsewhere
            node.value = escape(os.path.relpath(real_path(file.parent) / file.name, real_path(folder)))
    values = {FORMAT_KEY: None, NAME: spec.name} | plain(tree)
    written = spec.document.written or ""
    named = re.sub(rf"^{FORMAT_KEY}:.*$", rf"\g<0>\n{NAME}: {spec.name}", written, count=1, flags=re.MULTILINE)
    found = next((text for text in (written, named) if _has_values(text, values)), None)
    return to_yaml(values, with_names=True) if found is None else found


def _has_values(text: str, values: Mapping[str, Any]) -> bool:
    """Whether a text alone has the values of a spec before variables are put in."""
    try:
        return bool(plain(parse_document(text).with_names) == values)
    except SpecError:  # it extends another
        return False


def path_written_at(root: MappingNode, path: KeyPath, seen: str) -> tuple[ScalarNode | None, str]:
    """Return the text of a file's name, or of the variable that begins it, and what it names as seen from here."""
    node = written_at(root, path)
    while node is not None and isinstance(begins := beginning(node, root), ScalarNode):
        node = begins
        source = node.origin.written or node.origin.place.text
        seen = str((source.folder or Path()) / str(node.value))
    return node, seen


def written_at(root: Node, path: KeyPath) -> ScalarNode | None:
    """Return the text that a path leads to, be it in a variable; None for a default, which isn't written."""
    assert isinstance(root, MappingNode)
    node: Node = root
    for part in path:
        if isinstance(node, MappingNode) and part in node.entries:
            node = referred_node(node.entries[str(part)].node, root)
        elif isinstance(node, ListNode) and isinstance(part, int) and part < len(node.items):
            node = referred_node(node.items[part], root)
        elif isinstance(node, ScalarNode):  # a section that may be written in short
            break
        else:
            return None
    return node if isinstance(node, ScalarNode) and isinstance(node.value, str) else None


def spec_of_sweep(folder: SweepFolder, **plugin_options: Unpack[PluginOptions]) -> Spec:
    """Return the spec in the folder of a sweep."""
    of_a_trial = next(iter(runs_in(folder.directory)), folder.directory)
    with naming_plugin_files(of_a_trial, Registry.discover(**plugin_options)):
        spec = read_spec(folder.spec_path, **plugin_options)
    if spec.sweep is None:
        raise RunFolderError(f"{folder.spec_path}: has no section sweep any more; restore the file from a copy")
    return spec


def require_unchanged(folder: SweepFolder, spec: Spec) -> None:
    """Check that the spec of a sweep is still the one that its trials were made from, or raise ``RunFolderError``."""
    trial, text = _first_begun(folder.directory) or (folder.directory, spec.document.text)
    if text != spec.document.text:
        restore = shlex.join(["cp", str(trial / SPEC), str(folder.spec_path)])
        other = shlex.join(["mlpkit", "sweep", str(folder.spec_path), "--out", "DIR"])
        raise RunFolderError(
            f"{folder.spec_path}: has changed since its trials started; undo that with: {restore}; or start another "
            f"sweep: {other}"
        )


def _first_begun(directory: Path) -> tuple[Path, str] | None:
    """Return the first run folder of a sweep's trials whose spec can be read, and its text; None without any."""
    for trial in trials_in(directory):
        with suppress(RunFolderError):  # a damaged trial is named when its results are read
            run = next(iter(members_of(trial).values()))
            if has_file(run, SPEC):
                return run, RunFolder(run).spec_text()
    return None


class _Probe(NamedTuple):
    """A value that a searched key may have, its place, and the values of this key and of others that it needs."""

    key: str
    path: KeyPath
    values: dict[str, Any]


def prove_sweep(spec: Spec, proved: SpecProof | None = None) -> dict[KeyPath, str]:
    """Prove that a sweep can be done, and return the paths of files among its choices, as ``Spec.files`` has them.

    The spec itself may be proved already.
    """
    assert isinstance(spec.sweep, SweepSection)
    proved = proved or prove(spec)
    remedy = "let the data set hold some back, or choose by train_loss"
    problems = [
        Problem((SWEEP, *below), message, remedy=remedy, at_key=not below)
        for below, objective in [*spec.sweep.placed_objectives()] or [((), each) for each in spec.sweep.objectives]
        for message in _missing_results([objective], proved)
    ]
    faults = [*spec.located(problems), *_key_faults(spec, spec.sweep)]
    files: dict[KeyPath, str] = {}
    expected = [objective for objective in spec.sweep.objectives if not any(_missing_results([objective], proved))]
    for probe in _probes(spec):
        place = spec.document.place(probe.path)
        try:
            found = trial_spec(spec, probe.values, {probe.key: place})
            probed = prove(found, proved.dataset if data_key(found) == data_key(spec) else None)
        except SpecError as error:
            faults += [_explained(spec, fault, probe, place) for fault in error.faults]
        else:
            missing = _missing_results(expected, probed)
            faults += [place.fault(f"with this value, {message}") for message in missing]
            files |= _files_in(found, probe, place)
    if faults:
        unique = {fault[:4]: fault for fault in faults}  # a key is as wrong with each of its values
        raise SpecSchemaError(sorted(unique.values(), key=lambda fault: (fault.file, fault.line, fault.column)))
    return files


def _missing_results(objectives: Iterable[Objective], proved: SpecProof) -> Iterator[str]:
    """Go through the objectives that a trial won't have, with the reasons."""
    names = ["loss", *(metric.name for metric in proved.spec.training.metrics)]
    splits = {*proved.description.sizes, *(["validation"] if proved.spec.folds else [])}  # that is out of fold
    for objective in objectives:
        if objective.split not in splits:
            yield f"the data has no rows for {objective.split}, so there is no {objective.key}"
        elif objective.name not in names:
            yield f"training.metrics has no {objective.name}, so there is no {objective.key}"


def _key_faults(spec: Spec, sweep: SweepSection) -> Iterator[Diagnostic]:
    """Go through the variables to be set that aren't there, and the conditions that can't hold."""
    for key, searched in sweep.search.items():
        if key.startswith(f"{VARS}.") and key.partition(".")[2] not in spec.document.variables:
            names = ", ".join(spec.document.variables) or "it has none"
            place = key_place(spec, key)
            yield place.fault(f"the spec has no variable '{key.partition('.')[2]}'", expected=f"one of vars: {names}")
        if searched.when and _values_for(sweep, key) is None:
            place = spec.document.place((*SEARCH, key, "when"), at_key=True)
            yield place.fault("these conditions can't hold at once")


def _probes(spec: Spec) -> Iterator[_Probe]:
    """Go through the choices and the ends of ranges."""
    assert isinstance(spec.sweep, SweepSection)
    written = spec.document.values[SWEEP]["search"]
    for key, searched in spec.sweep.search.items():
        others = _values_for(spec.sweep, key)
        if others is not None:
            for below, value in _telling_values(searched):
                in_list = below[1:] if isinstance(written[key], list) else below  # a list alone is that of choices
                yield _Probe(key, (*SEARCH, key, *in_list), {**others, key: value})
            for owner, choice in _owners(spec.sweep, key):
                values = {**(_values_for(spec.sweep, owner) or {}), **others, owner: choice}
                yield _Probe(key, (*SEARCH, key), {**values, key: next(_telling_values(searched))[1]})


def _files_in(found: Spec, probe: _Probe, place: Span) -> dict[KeyPath, str]:
    """Return the paths of the files that a probed value names, by their places in the spec of the sweep."""
    files: dict[KeyPath, str] = {}
    for path, seen in found.files.items():
        written, named = path_written_at(found.document.with_names, path, seen)
        if written is not None and written.origin.place == place:
            value = probe.values[probe.key]  # the file, or what has it below the last keys of the path
            within = next((path[i:] for i in range(len(path)) if isinstance(_part(value, path[i:]), str)), ())
            files[(*probe.path, *within)] = named
    return files


def _part(value: Any, path: KeyPath) -> Any:
    """Return what of a value a path leads to, or None."""
    for part in path:
        try:
            value = None if isinstance(value, str) else value[part]
        except (IndexError, KeyError, TypeError):
            return None
    return value


def _owners(sweep: SweepSection, key: str) -> Iterator[tuple[str, Any]]:
    """Go through the choices of keys that a key is below, such as the optimizers of ``training.optimizer.momentum``."""
    when = sweep.search[key].when or {}
    for owner, searched in sweep.search.items():
        if key.startswith(f"{owner}.") and owner not in when:
            yield from ((owner, choice) for choice in searched.choices or ())


def _telling_values(searched: SearchedKey) -> Iterator[tuple[KeyPath, Any]]:
    """Go through values that a searched key may have, and the keys that lead to them."""
    if searched.choices is not None:
        for i, choice in enumerate(searched.choices):
            yield ("choices", i), choice
    else:
        yield ("low",), searched.low
        yield ("high",), searched.high


def _values_for(sweep: SweepSection, *keys: str) -> dict[str, Any] | None:
    """Return values of other keys for which the conditions of some keys hold; None if they can't."""
    needed = _needed(sweep.search, keys)
    for choices in product(*(sweep.search[other].choices or () for other in needed)):
        values: dict[str, Any] = {}
        for other, choice in zip(needed, choices, strict=True):
            if sweep.search[other].holds(values):
                values[other] = choice
        if all(sweep.search[key].holds(values) for key in keys):
            return values
    return None


def _needed(search: Mapping[str, SearchedKey], keys: Iterable[str]) -> list[str]:
    """Return the keys that the conditions of some keys are about, directly or not, in their order."""
    found, waiting = set(), [*keys]
    while waiting:
        for other in search[waiting.pop()].when or {}:
            if other not in found:
                found.add(other)
                waiting.append(other)
    return [other for other in search if other in found]


def _missing_condition(spec: Spec, probe: _Probe) -> str:
    """Return the condition under which a key is there that belongs to one choice of another key; or nothing."""
    assert isinstance(spec.sweep, SweepSection)
    for owner, searched in spec.sweep.search.items():
        name = probe.key.removeprefix(f"{owner}.").partition(".")[0]
        below = probe.key.startswith(f"{owner}.") and owner not in (spec.sweep.search[probe.key].when or {})
        if below and any(is_choice(choice, name) for choice in searched.choices or ()):
            return f"{{{owner}: {name}}}"
    return ""


def _explained(spec: Spec, fault: Diagnostic, probe: _Probe, place: Span) -> Diagnostic:
    """Return a fault of a probe, with the key that was most likely meant, or the values that lead to it."""
    key = key_place(spec, probe.key)
    here = (fault.file, fault.line, fault.column)
    at_key = here[:2] == (key.file, key.line) and key.column <= fault.column < place.column
    condition = _missing_condition(spec, probe)
    if at_key and condition:
        return fault._replace(expected="", remedy=f"it isn't there with each choice; add when: {condition}")
    if at_key and not fault.remedy:
        keys = [name for name, _ in keys_below(spec.top_level) if not name.startswith(f"{SWEEP}.")]
        meant = suggestion(keys_meant(probe.key, keys))
        return fault._replace(expected="", remedy=meant) if meant else fault
    if at_key or here == (place.file, place.line, place.column):
        return fault
    values = ", ".join(as_overrides(probe.values))
    return fault._replace(notes=(*fault.notes, f"this is so with {values}, of the sweep at {place}"))
