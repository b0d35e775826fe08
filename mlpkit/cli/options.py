"""A verb on the command line, and options that several share."""

from __future__ import annotations

import os
import re
import shlex
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mlpkit.cli import completion
from mlpkit.cli.garbage import keep_loaded
from mlpkit.errors import SpecSyntaxError, UsageError
from mlpkit.runs.layout import RESOLVED, has_file
from mlpkit.terminal.output import result, styled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Unpack

    from mlpkit.registry.discovery import PluginOptions
    from mlpkit.specfile.spec import Spec


class HelpfulCommand(click.Command):
    """Prints its help as every other result is printed, onto a full disk or into a closed pipe too."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; a key of the spec that is given as an option is answered with ``--set``."""
        try:
            return super().parse_args(ctx, _live_at_any_port(args))
        except click.NoSuchOption as error:
            key = _key_of_a_spec(error.option_name) if any(option.name == "overrides" for option in self.params) else ""
            if key:
                raise click.UsageError(
                    f"No such option '{error.option_name}'; give it as --set {key}=VALUE", ctx
                ) from error
            raise

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the parameters, ``--color`` and ``--help`` last."""
        *own, help_option = super().get_params(ctx)
        return [*own, COLOR, help_option]

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return ``--help``."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.callback = _print_help
        return option


def _live_at_any_port(args: list[str]) -> list[str]:
    """Return arguments in which ``--live`` has a port even if something else follows it, such as the spec."""
    following = [*args, ""][1:]
    return [
        f"--live={ANY_PORT}" if argument == "--live" and not after.isdecimal() else argument
        for argument, after in zip(args, following, strict=True)
    ]


COLOURS: Final = {"auto": None, "always": True, "never": False}
COLOR: Final = click.Option(
    ["--color"],
    type=click.Choice(tuple(COLOURS)),
    metavar="WHEN",
    expose_value=False,
    help="Use colours: auto, on terminals; always; or never.",
)
"""Every command takes it, and it holds before the arguments are read: help and wrong usage have colours, too."""


def colour_option(arguments: Sequence[str]) -> bool | None:
    """Return the value of ``--color``, wherever it is; None if it is missing or invalid."""
    values = values_of_option("--color", arguments)
    return COLOURS.get(values[-1]) if values else None


def is_given(flag: str, arguments: Sequence[str]) -> bool:
    """Whether a flag is given, before the arguments are parsed, wherever it is."""
    return flag in _options_in(arguments)


def values_of_option(option: str, arguments: Sequence[str]) -> list[str]:
    """Return an option's values before the arguments are parsed, wherever it is."""
    options, values = _options_in(arguments), list[str]()
    for number, argument in enumerate(options, 1):
        name, equals, value = argument.partition("=")
        if name == option:
            values += [value] if equals else options[number : number + 1]
    return values


def _options_in(arguments: Sequence[str]) -> list[str]:
    return list(arguments[: arguments.index("--")] if "--" in arguments else arguments)


def _key_of_a_spec(option: str) -> str:
    """Return the dotted key that an option such as ``--epochs`` is called after, or an empty text."""
    from mlpkit.specfile.sections import TOP_LEVEL  # noqa: PLC0415 - only after a mistake

    name = option.lstrip("-").replace("-", "_")
    return name if name in TOP_LEVEL.schema.types else TOP_LEVEL.schema.nested_key(name)


def _print_help(ctx: click.Context, parameter: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        text = _HEADING.sub(lambda found: styled(found[0], bold=True), ctx.get_help())
        result(_TERM.sub(lambda found: found[1] + styled(found[2], "cyan"), text))
        ctx.exit()


_HEADING: Final = re.compile(r"^\w+:", re.MULTILINE)
_TERM: Final = re.compile(r"^(  )(-[-\w]+(?:, -[-\w]+)*|[a-z][-a-z]*(?=  ))", re.MULTILINE)
"""What a line of a list explains: options, or a command."""


def verb(name: str) -> Callable[[Callable[..., None]], HelpfulCommand]:
    """Make a function the verb of that name."""
    return click.command(name, cls=HelpfulCommand)


overrides_option = click.option(
    "--set",
    "overrides",
    metavar="KEY=VALUE",
    multiple=True,
    shell_complete=completion.overrides,
    help="Set a key of the spec, such as training.batch_size=128; may be repeated.",
)


def given_spec(path: str, overrides: Sequence[str] = (), **plugin_options: Unpack[PluginOptions]) -> Spec:
    """Read a verb's spec; if it is missing or a run folder, the error suggests what was meant."""
    from mlpkit.specfile import shipped_specs, spec  # noqa: PLC0415 - loads YAML, which --help doesn't need

    try:
        found = spec.read_spec(path, overrides=overrides, **plugin_options)
    except SpecSyntaxError as error:
        name = spec.stem_of(Path(path))
        if name in shipped_specs.shipped_specs() and not Path(path).exists():
            error.add_note(f"help: mlpkit ships a spec of that name; 'mlpkit init {name}' copies it here")
        if not path.endswith(completion.YAML_SUFFIXES) and has_file(Path(path).parent, Path(path).name):
            command = f"mlpkit init --data {shlex.quote(path)} --target COLUMN"
            error.add_note(f"help: if it holds data, write a spec for it with: {command}")
        if has_file(Path(path), RESOLVED):
            error.add_note(f"help: it is the folder of a run, whose spec is {Path(path) / RESOLVED}")
        raise
    keep_loaded()
    return found


def registry_option(verb: Callable[..., None]) -> Callable[..., None]:
    """Add ``--plugin`` and ``--no-plugin``, as the argument ``registry``: the plugins to take components from."""

    @wraps(verb)
    def with_registry(*args: Any, plugin_options: PluginOptions, **given: Any) -> None:
        from mlpkit.registry.registry import Registry  # noqa: PLC0415 - loads plugins, which --help doesn't need

        verb(*args, registry=Registry.discover(**plugin_options), **given)

    return plugins_option(with_registry)


by_option = click.option(
    "--by",
    "by",
    metavar="COLUMN",
    multiple=True,
    help="Give loss and metrics also by the groups of a column; may be repeated.",
)


def plugins_option(verb: Callable[..., None]) -> Callable[..., None]:
    """Add ``--plugin`` and ``--no-plugin``, as the argument ``plugin_options``."""

    @wraps(verb)
    def with_plugin_options(*args: Any, **given: Any) -> None:
        plugin_options: PluginOptions = {"plugins": given.pop("plugins"), "blocked": given.pop("blocked")}
        verb(*args, plugin_options=plugin_options, **given)

    without = click.option(
        "--no-plugin",
        "blocked",
        metavar="NAME",
        multiple=True,
        shell_complete=completion.components,
        help="Disable a plugin or a component; may be repeated.",
    )
    return plugin_files_option(without(with_plugin_options))


PLUGINS: Final = "MLPKIT_PLUGINS"
"""The environment variable with the files that are plugins in every command of a session."""


def plugin_files(given: Sequence[str]) -> tuple[str, ...]:
    """Return the files of the session and of ``--plugin``, or raise ``UsageError`` if one is missing."""
    session = [file for file in os.environ.get(PLUGINS, "").split(os.pathsep) if file]
    for file in session:
        if not Path(file).is_file():
            raise UsageError(f"{PLUGINS} names {file}, which doesn't exist; expected Python files")
    return tuple({os.path.realpath(file): file for file in (*session, *given)}.values())


plugin_files_option = click.option(
    "--plugin",
    "plugins",
    metavar="FILE",
    multiple=True,
    callback=lambda _, __, given: plugin_files(given),
    type=click.Path(),
    help=f"Use a Python file as a plugin; its name is the namespace; may be repeated. {PLUGINS} names files, too.",
)

path_option: Final = partial(click.option, type=click.Path(path_type=Path))
run_argument: Final = click.argument(
    "directory", metavar="RUN", type=click.Path(path_type=Path), shell_complete=completion.runs
)
"""The folder of a run, or of several."""

ANY_PORT: Final = 0
PORT: Final = click.IntRange(0, 65535)

live_option = click.option(
    "--live",
    "port",
    metavar="[PORT]",
    type=PORT,
    help="Show the run live on a web page, for browsers on this machine, at a given port or any free one.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print results as JSON.")

report_option = click.option(
    "--report/--no-report",
    "reports",
    default=True,
    envvar="MLPKIT_REPORT",
    help="Write report.html at the end; MLPKIT_REPORT=0 turns this off, too.",
)

card_option = click.option("--card", "card", is_flag=True, help="Write a model card at the end, as mlpkit card does.")

mpi_option = click.option(
    "--mpi/--no-mpi",
    "mpi",
    default=None,
    help="Train together with the other processes that MPI connects; by default if mpiexec or srun started several.",
)

quiet_option = click.option("--quiet", is_flag=True, help="Print nothing but errors.")


def require_one_display(quiet: bool, as_json: bool) -> None:
    """Check that at most one of --quiet and --json is given, or raise ``UsageError``."""
    if quiet and as_json:
        raise UsageError("--quiet and --json can't both be given")


workers_option = click.option(
    "--workers",
    metavar="N",
    type=click.IntRange(1, 1024),
    help="Train N runs at once, of several specs or seeds, or of an ensemble, each with its share of the cores; by "
    "default as many as the cores allow.",
)


def training_options(verb: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a training, as ``mpi`` and the keywords of ``TrainingOptions``."""
    of_display = (json_option, quiet_option, plugins_option, mpi_option, live_option)
    for add in (*of_display, card_option, report_option, workers_option):
        verb = add(verb)  # help lists the last one first
    return verb
