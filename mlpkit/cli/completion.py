"""What a shell offers when the Tab key is pressed: specs, components, keys and runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from mlpkit.errors import MlpkitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import click
    from click.shell_completion import CompletionItem

YAML_SUFFIXES: Final = (".yaml", ".yml")
RUNS: Final = "runs/"

ASKS: Final = "_MLPKIT_COMPLETE"
"""The environment variable by which a shell asks what completes a command line, or for its script."""

_BASH_ADDS: Final = "COMPREPLY+=($value)"
_ZSH_ADDS: Final = "compadd -U -V unsorted"


def add_no_space_after_equals_signs() -> None:
    """Have bash and zsh leave the cursor behind a completion such as ``training.epochs=``, as fish does."""
    from click.shell_completion import BashComplete, ZshComplete, add_completion_class  # noqa: PLC0415 - for shells

    class Bash(BashComplete):
        source_template = BashComplete.source_template.replace(
            _BASH_ADDS, f"{_BASH_ADDS}; [[ $value != *= ]] || compopt -o nospace"
        )

    class Zsh(ZshComplete):
        source_template = ZshComplete.source_template.replace(
            _ZSH_ADDS, f"local -a end; [[ $completions[1] != *= ]] || end=(-S ''); {_ZSH_ADDS} \"${{end[@]}}\""
        )

    for shell in (Bash, Zsh):
        add_completion_class(shell)


def specs(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the YAML files of a folder; without any, the shell's completions."""
    found = [path for path in _beginning_with(incomplete) if path.endswith(YAML_SUFFIXES)]
    return items(found) or _left_to_the_shell("file", incomplete)


def runs(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer run folders."""
    return _folders(incomplete, _is_run)


def runs_and_folders_of_runs(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer run folders, and folders that hold some."""
    return _folders(incomplete, lambda folder: _is_run(folder) or _holds_runs(folder))


def folders_of_runs(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer folders that hold run folders."""
    return _folders(incomplete, _holds_runs)


def _folders(incomplete: str, is_offered: Callable[[str], bool]) -> list[CompletionItem]:
    """Offer folders, those in ``runs`` if no other is named; without any, the shell's completions."""
    start = RUNS if RUNS.startswith(incomplete) else incomplete
    return items(filter(is_offered, _beginning_with(start))) or _left_to_the_shell("dir", incomplete)


def _holds_runs(folder: str) -> bool:
    return any(map(_is_run, _beginning_with(f"{folder}/")))


def _is_run(folder: str) -> bool:
    from mlpkit.runs.layout import RESOLVED  # noqa: PLC0415 - --help needs none

    return (Path(folder) / RESOLVED).is_file()


def sort_keys(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the columns to sort runs by, except metrics."""
    from mlpkit.groups.list_runs import ORDERS  # noqa: PLC0415 - --help needs none

    return items([*ORDERS, "loss"], incomplete)


def components(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the built-in components and the kinds; of another plugin, what it provides once its namespace is typed."""
    from mlpkit.components.kinds import KINDS  # noqa: PLC0415 - --help needs none

    return items([*_components_at(incomplete), *KINDS], incomplete)


def verbs_of_plugin(incomplete: str) -> list[CompletionItem]:
    """Offer the verbs of the plugin whose namespace is typed; no other is loaded."""
    return items(_components_at(incomplete, ("verb",)), incomplete)


def _components_at(incomplete: str, kinds: tuple[str, ...] | None = None) -> list[str]:
    """Return the built-in components, and a plugin's once its namespace and a dot are typed."""
    from mlpkit.registry.registry import Registry  # noqa: PLC0415 - --help needs none

    registry = Registry.discover()
    namespace, dot, _ = incomplete.partition(".")
    registry.plugins = [p for p in registry.plugins if p.built_in or (dot and p.namespace == namespace)]
    return [entry.name for entry in registry.components(kinds)]


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


def files(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer files."""
    return _left_to_the_shell("file", incomplete)


def _left_to_the_shell(what: str, incomplete: str) -> list[CompletionItem]:
    return items([incomplete], type=what)


def items(values: Iterable[str], incomplete: str = "", *, type: str = "plain") -> list[CompletionItem]:  # noqa: A002
    """Offer the values that start with a text; types other than ``plain`` leave them to the shell."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - only when a shell asks

    return [CompletionItem(value, type=type) for value in values if value.startswith(incomplete)]
