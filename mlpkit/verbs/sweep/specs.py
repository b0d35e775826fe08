"""The spec in the folder of a sweep, and the spec of each trial, with values set as ``--set`` sets them."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Unpack

from mlpkit.components.schema.recipe import KeyPath
from mlpkit.errors import RunFolderError, SpecError
from mlpkit.jobs.run_inputs import naming_plugin_files
from mlpkit.registry.discovery import PluginOptions
from mlpkit.registry.registry import Registry
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import members_of, runs_in
from mlpkit.runs.layout import SPEC, has_file
from mlpkit.specfile.document import parse_document
from mlpkit.specfile.key_types import FORMAT_KEY
from mlpkit.specfile.nodes import ListNode, MappingNode, Node, ScalarNode, copied, plain
from mlpkit.specfile.overrides import override_at, set_overrides
from mlpkit.specfile.source import DiagnosticList, Span
from mlpkit.specfile.spec import Spec, check_document, read_spec
from mlpkit.specfile.variables import beginning, escape, referred_node, value_as_written, variables_of
from mlpkit.specfile.yaml_writer import to_inline_yaml, to_yaml
from mlpkit.system import real_path
from mlpkit.verbs.sweep.folder import SweepFolder, trials_in

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
