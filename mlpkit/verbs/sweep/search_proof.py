"""Proving a sweep before anything trains: its keys are there, and each choice and end of a range makes a right spec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

from mlpkit.components.schema.context import Problem
from mlpkit.components.schema.recipe import KeyPath
from mlpkit.errors import Diagnostic, SpecError, SpecSchemaError
from mlpkit.jobs.prove import SpecProof, prove
from mlpkit.specfile.keys import keys_below, keys_meant, suggestion
from mlpkit.specfile.source import Span
from mlpkit.specfile.spec import Spec
from mlpkit.specfile.variables import VARS
from mlpkit.verbs.sweep.section import Objective, SearchedKey, SweepSection, is_choice
from mlpkit.verbs.sweep.specs import SEARCH, SWEEP, as_overrides, data_key, key_place, path_written_at, trial_spec


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
