"""A first spec for a file of data, what ``mlpkit init`` prints about it, and copies of shipped specs and lessons."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote
from typing import Any

from mlpkit.cli.around_training import RUNS
from mlpkit.components.schema.context import show
from mlpkit.components.schema.wording import did_you_mean
from mlpkit.errors import Diagnostic, MlpkitError, UsageError
from mlpkit.jobs.init_from_data import FirstSpec, init_from_data
from mlpkit.jobs.leaks import leaks_in
from mlpkit.jobs.prove import prove
from mlpkit.jobs.spec_data import open_data
from mlpkit.registry.discovery import PluginOptions
from mlpkit.runs.files import storage_error, write_atomically
from mlpkit.specfile.shipped_specs import shipped_lessons, shipped_specs
from mlpkit.specfile.spec import MARK, read_spec
from mlpkit.terminal.formatting import columns, line_length
from mlpkit.terminal.output import document, print_warnings, result


def print_first_spec(
    files: dict[str, str],
    targets: tuple[str, ...],
    recipe: str | None,
    wishes: dict[str, Any],
    destination: Path | None,
    plugin_options: PluginOptions,
    as_json: bool,
) -> None:
    """Write a spec as ``init_from_data`` does, check it, and print what was decided and what comes next."""
    target = targets[0] if targets else None
    first = init_from_data(files, target, destination, recipe=recipe, wishes=wishes, **plugin_options)
    decisions = list(first.decisions)
    warnings: list[Diagnostic] = []
    spec = read_spec(first.path, **plugin_options)
    try:
        proved = prove(spec)
        if proved.description.columns:
            train = open_data(spec, proved.dataset)["train"]
            decisions += [("leak", leak) for leak in leaks_in(train, proved.description, proved.dataset)]
        warnings = [warning for warning in proved.warnings if warning.remedy]  # the decisions cover the rest
    except MlpkitError as error:
        error.add_note(f"note: the spec is saved in {first.path}; mlpkit check {quote(str(first.path))} looks again")
        raise
    finally:
        if not as_json:
            result("\n".join([f"{first.path}:", *columns(decisions, indent="  ", width=line_length())]))
    print_warnings(warnings)
    following = _next_commands(first, spec.name, files, plugin_options)
    if as_json:
        noticed = [warning.to_plain() for warning in warnings]
        document({"spec": first.path, "decisions": decisions, "warnings": noticed, "next": following})
    else:
        result("\n  ".join(["next:", *following]))


def _next_commands(first: FirstSpec, name: str, files: dict[str, str], plugin_options: PluginOptions) -> list[str]:
    """Return the two commands that come next; the second predicts new rows, or those for testing."""
    with_plugins = "".join(f" --plugin {quote(str(plugin))}" for plugin in plugin_options["plugins"])
    ending = "".join(Path(files["train"]).suffixes)
    rows = quote(files.get("test") or (f"new{ending}" if ending else files["train"]))
    candidates = (RUNS / (name if number == 1 else f"{name}-{number}") for number in range(1, 10_000))
    folder = next(each for each in candidates if not each.exists())
    return [
        f"mlpkit run {quote(str(first.path))}{with_plugins}",
        f"mlpkit predict {quote(str(folder))} {rows}{with_plugins}",
    ]


def shipped() -> list[tuple[str, str]]:
    """Return the names of the shipped specs and folders of lessons, each with what it is."""
    specs = [(name, _first_comment(path)) for name, path in shipped_specs().items()]
    return specs + [(name, "A folder of specs, each with a script that makes a page.") for name in shipped_lessons()]


def _first_comment(path: Path) -> str:
    """Return a spec's description: the comment that it starts with."""
    line = path.read_text(encoding="utf-8").partition("\n")[0]
    return line.removeprefix("#").strip() if line.startswith("#") else ""


def copy_shipped(name: str, destination: Path | None = None) -> Path:
    """Copy a shipped spec or folder of lessons, and return where it is."""
    specs, lessons = shipped_specs(), shipped_lessons()
    if name not in specs | lessons:
        names = [*specs, *lessons]
        alike = [each for each in names if each.startswith(f"{name}_")]
        remedy = "" if alike else did_you_mean(name, names)
        remedy = remedy or f"shipped: {', '.join(alike or names)}"
        raise UsageError(f"no shipped spec is called {show(name)}; {remedy}")
    target = destination or Path(name if name in lessons else f"{name}{MARK}.yaml")
    if os.path.lexists(target):
        raise UsageError(f"{target} exists already; choose another name with --out")
    if name in specs:
        write_atomically(target, specs[name].read_bytes())
        return target
    try:
        target.mkdir()
    except OSError as error:
        raise storage_error(target, error, action="created") from error
    for file in sorted(lessons[name].iterdir()):
        if file.is_file() and file.name != "README.md":  # which is about the folder in the repository
            write_atomically(target / file.name, file.read_bytes())
    return target
