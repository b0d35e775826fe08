"""Writing a first spec for a file of data."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from types import MappingProxyType
from typing import Any, Final, Unpack

from mlpkit.components.dataset import Dataset, Proposal
from mlpkit.components.schema.context import show
from mlpkit.components.schema.recipe import KeyPath
from mlpkit.components.schema.wording import did_you_mean
from mlpkit.errors import ComponentFailure, ParameterError, PluginError, SpecError, UsageError, printable
from mlpkit.network.component_errors import check_returned, component_errors
from mlpkit.registry.discovery import PluginOptions
from mlpkit.registry.registry import RegisteredComponent, Registry
from mlpkit.runs.files import write_atomically
from mlpkit.specfile.key_types import FORMAT, FORMAT_KEY
from mlpkit.specfile.spec import MARK, folder_name, parse_spec
from mlpkit.specfile.yaml_writer import to_inline_key, to_inline_yaml

ARGUMENTS: Final = ("validation", "test", "target", "recipe", "predict", "drop", "id")
OPTIONS: Final = {"train": "--data"} | {argument: f"--{argument}" for argument in ARGUMENTS}
"""The option of the command line that gives each argument of ``Dataset.propose``, or the recipe to call instead."""


@dataclass(frozen=True)
class FirstSpec:
    """Where a spec was written for a file of data, and what was decided, each a label and a text."""

    path: Path
    decisions: Sequence[tuple[str, str]]


def init_from_data(
    files: Mapping[str, str],
    target: str | None = None,
    destination: Path | None = None,
    *,
    recipe: str | None = None,
    wishes: Mapping[str, Any] = MappingProxyType({}),
    **plugin_options: Unpack[PluginOptions],
) -> FirstSpec:
    """Write a spec to start from, as the data set that reads the file proposes it.

    ``files`` has the data file under ``train``, and any files for ``validation`` and ``test``; ``wishes`` are what else
    ``Dataset.propose`` takes by keyword, for data sets that do. The new file is by default called like the data.

    Raises:
        UsageError: no data set reads the file, it or the target is missing, the recipe is unknown or doesn't suit the
            data, or the new file exists already.
        PluginError: the data set's proposal isn't a spec, or a library that it needs is missing.
        MlpkitError: the data is damaged or teaches nothing, the data set failed, or the file can't be written.
    """
    stem = Path(files["train"]).name.partition(".")[0].removeprefix("example:")
    path = destination or Path(f"{folder_name(stem) or 'spec'}{MARK}.yaml")
    if os.path.lexists(path):
        raise UsageError(f"{path} exists already; choose another name with --out")
    registry = Registry.discover(**plugin_options)
    name, proposal = _proposal(registry, files, target, recipe, wishes)
    spec = _seen_from(path.parent, proposal.spec, frozenset((*files.values(), *proposal.files)))
    text = to_commented_yaml({FORMAT_KEY: FORMAT, **spec}, proposal.comments)
    try:
        parse_spec(text, name=str(path), registry=registry)
    except SpecError as error:
        raise PluginError(f"dataset {name} proposed a spec that is wrong: {error}") from error
    write_atomically(path, text.encode())
    return FirstSpec(path, proposal.decisions)


def recipes(registry: Registry) -> dict[str, list[str]]:
    """Return the recipes there are, each with the data sets that have it."""
    found: dict[str, list[str]] = {}
    for entry in _loadable(registry.components(("dataset",)), []):
        for recipe in _recipes_of(entry):
            found.setdefault(recipe, []).append(entry.name)
    return found


def names_of_recipes(**plugin_options: Unpack[PluginOptions]) -> list[str]:
    """Return the available recipes; data sets that fail to name theirs are skipped."""
    found: list[str] = []
    for entry in _loadable(Registry.discover(**plugin_options).components(("dataset",)), []):
        with suppress(ComponentFailure):
            found += _recipes_of(entry)
    return list(dict.fromkeys(found))


def _recipes_of(entry: RegisteredComponent) -> Mapping[str, Any]:
    component = entry.component
    assert issubclass(component, Dataset)
    with component_errors(f"dataset {entry.name} failed in recipes"):
        found = component.recipes()
    check_returned(f"dataset {entry.name}", "recipes", found, Mapping, "a mapping")
    return found


def _require_recipe(registry: Registry, recipe: str) -> None:
    known = recipes(registry)
    if recipe not in known:
        expected = f"expected one of {', '.join(known)}" if known else "no data set has any"
        close = did_you_mean(recipe, known)
        raise UsageError("; ".join(filter(None, (f"--recipe: unknown recipe {show(recipe)}", expected, close))))


def _proposal(
    registry: Registry, files: Mapping[str, str], target: str | None, recipe: str | None, wishes: Mapping[str, Any]
) -> tuple[str, Proposal]:
    """Return what the first data set that reads the file proposes, and its name."""
    if recipe is not None:
        _require_recipe(registry, recipe)
    asked: list[str] = []
    unloadable: list[PluginError] = []
    for entry in _candidates(registry, files["train"], unloadable):
        component = entry.component
        assert issubclass(component, Dataset)
        if component.propose.__func__ is Dataset.propose.__func__:  # type: ignore[attr-defined]
            continue
        asked.append(entry.name)
        own = _recipes_of(entry) if recipe else {}
        propose = own.get(recipe or "", component.propose)
        try:
            with component_errors(f"dataset {entry.name} failed in propose"):
                found = propose(files, target, **(wishes if (takes_wishes := _takes(propose, wishes)) else {}))
        except ParameterError as error:
            advice = (f"expected {error.expected}" if error.expected else "", error.remedy)
            message = "; ".join(filter(None, (error.message, *advice)))
            raise UsageError(f"{OPTIONS.get(error.parameter, error.parameter)}: {message}") from error
        if found is not None and recipe and recipe not in own:
            others = " and ".join(recipes(registry)[recipe])
            reads = f"{entry.name} reads {show(files['train'])}"
            raise UsageError(f"--recipe: {recipe} is a recipe for {others}, but {reads}; leave out --recipe")
        if found is not None and not takes_wishes:
            options = " and ".join("several --target" if wish == "targets" else OPTIONS[wish] for wish in wishes)
            raise UsageError(f"{options}: this is for tables, but {entry.name} reads {show(files['train'])}")
        if found is not None:
            check_returned(f"dataset {entry.name}", "propose", found, Proposal, "a Proposal, or None")
            return entry.name, found
    raise _unread(files["train"], asked, unloadable)


def _takes(propose: Callable[..., Any], wishes: Mapping[str, Any]) -> bool:
    """Whether a data set's ``propose``, or one of its recipes, takes these keywords."""
    try:
        inspect.signature(propose).bind({}, None, **wishes)
    except TypeError:
        return False
    return True


def _unread(file: str, asked: Sequence[str], unloadable: Sequence[PluginError]) -> UsageError:
    """Return the error for a file that no data set reads."""
    message = f"no data set reads {show(file)} to propose a spec"
    if asked:
        message += f"; the ones that propose a spec are {', '.join(asked)}"
    error = UsageError(message)
    path = Path(file)
    if not os.path.lexists(path):
        error.add_note(f"note: there is no file or folder {show(file)}")
    elif path.is_dir() and not any(path.iterdir()):
        error.add_note(f"note: the folder {show(file)} is empty")
    for reason in unloadable:
        error.add_note(f"note: {reason}")
    return error


def _seen_from(folder: Path, value: Any, files: Collection[str]) -> Any:
    """Return a proposal in which the files' names, which start from the current folder, start from the spec's."""
    if isinstance(value, Mapping):
        return {key: _seen_from(folder, item, files) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_seen_from(folder, item, files) for item in value]
    if not isinstance(value, str) or value not in files or not Path(value).exists():
        return value
    return value if Path(value).is_absolute() else os.path.relpath(value, folder)


def _candidates(registry: Registry, file: str, unloadable: list[PluginError]) -> Iterator[RegisteredComponent]:
    """Yield the data sets that can be loaded, first the one that is called as the file ends."""
    ending = file.rpartition(".")[2].lower()
    for entry in registry.components(("dataset",), built_in=True):
        if entry.name == ending:
            entry.component  # noqa: B018 - if its library is missing, the error explains how to install it
            yield entry
    others = (entry for entry in registry.components(("dataset",)) if entry.name != ending)
    yield from _loadable(others, unloadable)


def _loadable(entries: Iterable[RegisteredComponent], unloadable: list[PluginError]) -> Iterator[RegisteredComponent]:
    """Yield the components that can be imported; the reasons why others can't go into ``unloadable``."""
    for entry in entries:
        try:
            entry.component  # noqa: B018 - imports it
        except PluginError as error:
            unloadable.append(error)
            continue
        yield entry


WIDTH: Final = 100
"""Columns that a line has at most, where words allow it."""

LONGEST_INLINE: Final = 80
"""Columns of a line up to which a list or a mapping stands on one line."""

NARROWEST: Final = 40
"""Columns that a comment has at least, however deep it stands."""

BLOCKS: Final = (("data",), ("layers",), ("training",))
"""What is always written with a line for each key or item, and so is the data set below ``data``."""


def to_commented_yaml(values: Mapping[str, Any], comments: Mapping[KeyPath, str]) -> str:
    """Write a spec with comments on keys and list items, by path; the comment of path () goes to the top."""
    lines = [f"# {line}" for line in wrap(printable(comments.get((), "")), WIDTH - 2)]
    return "\n".join([*lines, *_block(values, (), comments)]) + "\n"


def _block(value: Any, path: KeyPath, comments: Mapping[KeyPath, str]) -> Iterator[str]:
    """Yield the lines of a mapping, or of a list, a line or more for each key or item."""
    margin = "  " * len(path)
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _entry(f"{margin}{to_inline_key(str(key))}:", item, (*path, str(key)), comments)
        return
    for index, item in enumerate(value):
        yield from _entry(f"{margin}-", item, (*path, index), comments)


def _entry(start: str, value: Any, path: KeyPath, comments: Mapping[KeyPath, str]) -> Iterator[str]:
    """Yield the lines of a key or an item; its comment comes before it if it doesn't fit on the line."""
    comment = printable(comments.get(path, ""))
    margin = " " * (len(start) - len(start.lstrip()))
    line = f"{start} {_inline(value, in_list=isinstance(path[-1], int))}"
    first, *others = [line] if _fits(line, value, path, comments) else _lines(start, value, path, comments)
    if comment and len(f"{first}  # {comment}") > WIDTH:
        yield from (f"{margin}# {part}" for part in wrap(comment, max(NARROWEST, WIDTH - len(margin) - 2)))
    elif comment:
        first = f"{first}  # {comment}"
    yield from (first, *others)


def _lines(start: str, value: Any, path: KeyPath, comments: Mapping[KeyPath, str]) -> list[str]:
    """Return the lines of a value that takes several."""
    if isinstance(path[-1], int) and isinstance(value, Mapping) and len(value) == 1:
        ((key, item),) = value.items()
        return list(_entry(f"{start} {to_inline_key(str(key))}:", item, (*path, str(key)), comments))
    return [start, *_block(value, path, comments)]


def _inline(value: Any, *, in_list: bool) -> str:
    """Return a value on one line; a mapping of one key, as an item of a list, needs no braces."""
    if in_list and isinstance(value, Mapping) and len(value) == 1:
        ((key, item),) = value.items()
        return f"{to_inline_key(str(key))}: {to_inline_yaml(item)}"
    return to_inline_yaml(value)


def _fits(line: str, value: Any, path: KeyPath, comments: Mapping[KeyPath, str]) -> bool:
    """Whether a value is written on one line."""
    if not isinstance(value, Mapping | list | tuple) or not value:
        return True
    has_comments_below = any(len(other) > len(path) and other[: len(path)] == path for other in comments)
    if has_comments_below or path in BLOCKS or path[:-1] == ("data",):
        return False
    return len(line) <= (WIDTH if isinstance(value, Mapping) and isinstance(path[-1], int) else LONGEST_INLINE)
