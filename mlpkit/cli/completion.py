"""What a shell offers when the Tab key is pressed: specs, components, keys and runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from mlpkit.components.kinds import KINDS
from mlpkit.errors import MlpkitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import click
    from click.shell_completion import CompletionItem

YAML_SUFFIXES: Final = (".yaml", ".yml")
RUNS: Final = "runs/"


def specs(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the YAML files of a folder; without any, the shell's completions."""
    found = [path for path in _beginning_with(incomplete) if path.endswith(YAML_SUFFIXES)]
    return items(found) or items([incomplete], type="file")


def runs(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer run folders and folders that hold some: in ``runs`` if no other is named; or else the shell's."""
    start = RUNS if RUNS.startswith(incomplete) else incomplete
    folders = [path for path in _beginning_with(start) if any(map(_is_run, [path, *_beginning_with(f"{path}/")]))]
    return items(folders) or items([incomplete], type="dir")


def _is_run(folder: str) -> bool:
    from mlpkit.runs.layout import RESOLVED  # noqa: PLC0415 - --help needs none

    return (Path(folder) / RESOLVED).is_file()


def components(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the built-in components and the kinds."""
    from mlpkit.registry.registry import Registry  # noqa: PLC0415 - --help needs none

    names = [entry.name for entry in Registry.discover().components(built_in=True)]
    return items([*names, *KINDS], incomplete)


def keys(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the keys of the spec given earlier on the command line."""
    return items(_keys_of_spec(ctx), incomplete)


def overrides(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the keys of the spec given earlier on the command line, each with ``=``."""
    return items([f"{key}=" for key in _keys_of_spec(ctx)], incomplete)


def _keys_of_spec(ctx: click.Context) -> list[str]:
    from mlpkit.specfile import keys, spec  # noqa: PLC0415 - loads YAML, which --help doesn't need

    rest = ctx.args  # --set without a value ends the parsing
    path = next(filter(None, (ctx.params.get("path"), *(ctx.params.get("paths") or ()), *rest)), None)
    if path is None:
        return []
    plugins: Sequence[str] = ctx.params.get("plugins") or ()
    try:
        return [key for key, _ in keys.keys_below(spec.read_spec(path, plugins=plugins).top_level)]
    except MlpkitError:  # a wrong spec, which the command itself explains
        return []


def _beginning_with(incomplete: str) -> list[str]:
    """Return the paths that start with a text, as it is written: relative ones stay so."""
    folder, slash, start = incomplete.rpartition("/")
    try:
        names = sorted(entry.name for entry in Path(folder or slash or ".").iterdir())
    except OSError:
        return []
    return [f"{folder}{slash}{name}" for name in names if name.startswith(start) and (start or name[0] != ".")]


def items(values: Iterable[str], incomplete: str = "", *, type: str = "plain") -> list[CompletionItem]:  # noqa: A002
    """Offer the values that start with a text; types other than ``plain`` leave them to the shell."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - only when a shell asks

    return [CompletionItem(value, type=type) for value in values if value.startswith(incomplete)]
