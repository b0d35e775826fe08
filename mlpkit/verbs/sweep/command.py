"""``mlpkit sweep``: train a spec with many values of some keys."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mlpkit.cli import completion, options
from mlpkit.cli.interrupt import Interrupts
from mlpkit.cli.options import HelpfulCommand, values_of_option
from mlpkit.cli.ranks import ranks_as_workers
from mlpkit.components.engine import LOCAL, Engine
from mlpkit.components.schema.types import MappingType, without_null
from mlpkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Unpack

    from mlpkit.components.schema.context import ValueType
    from mlpkit.components.schema.signature import ParameterSchema
    from mlpkit.registry.discovery import PluginOptions
    from mlpkit.registry.registry import RegisteredComponent, Registry

ENGINES: Final = "mlpkit.sweep.engines"
ENGINE_OPTIONS: Final = "mlpkit.sweep.engine_options"
"""Where a context keeps the built-in engines and the one of ``--on``, and their parameters as options."""

OF_SWEEP: Final = ("spec", "directory", "add_trials", "observer", "stop")
"""Parameters of ``mlpkit.sweep`` and ``mlpkit.resume_sweep`` that aren't options."""

MARKUP: Final = re.compile(r"``(.+?)``")


class SweepCommand(HelpfulCommand):
    """A command with the options of engines; with ``--workers`` and ``--on``, they are its argument ``engine``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments."""
        registry = _registry(plugins=() if ctx.resilient_parsing else values_of_option("--plugin", args))
        ctx.meta[ENGINES] = _engines((LOCAL, *values_of_option("--on", args))[-1], registry)
        ctx.meta[ENGINE_OPTIONS] = _options(ctx.meta[ENGINES], {*OF_SWEEP, *(option.name for option in self.params)})
        rest = super().parse_args(ctx, args)
        names = ("workers", "on", *(option.name for option in ctx.meta[ENGINE_OPTIONS]))
        ctx.params["engine"] = {name: ctx.params.pop(name, None) for name in names}
        return rest

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the parameters, with the engines' after ``--on``."""
        own = super().get_params(ctx)
        place = 1 + next(i for i, option in enumerate(own) if option.name == "on")
        return [*own[:place], *ctx.meta.get(ENGINE_OPTIONS, ()), *own[place:]]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the engines."""
        rows = [(engine.name, _plain(engine.schema.docstring.summary)) for engine in ctx.meta.get(ENGINES, ())]
        if rows:
            with formatter.section("Engines"):
                formatter.write_dl(rows)


def _registry(**plugin_options: Unpack[PluginOptions]) -> Registry:
    from mlpkit.registry.registry import Registry  # noqa: PLC0415 - this module is light

    return Registry.discover(**plugin_options)


def _engines(on: str, registry: Registry) -> list[RegisteredComponent]:
    """Return the engine of a plugin that ``--on`` names, and the built-in ones."""
    chosen = [registry.find((Engine.kind,), on)] if "." in on and registry.provides(on) else []
    return [*chosen, *registry.components((Engine.kind,), built_in=True)]


def _options(engines: Sequence[RegisteredComponent], taken: Collection[str | None]) -> list[click.Option]:
    """Return the parameters of engines as options; of two that share a parameter, the first describes it."""
    options: dict[str, click.Option] = {}
    for engine in engines:
        for field in engine.schema.fields:
            if field.name in taken:
                why = f"can't have a parameter {field.name}, since mlpkit sweep has one"
                raise UsageError(f"the engine {engine.name} {why}; rename it")
            options.setdefault(field.name, _option(engine, field))
    return list(options.values())


def _option(engine: RegisteredComponent, field: ParameterSchema) -> click.Option:
    names = [f"--{field.name.replace('_', '-')}", field.name]
    about = f"With --on {engine.name}: {_plain(engine.schema.docstring.parameters.get(field.name, ''))}"
    if not isinstance(without_null(field.type), MappingType):
        return click.Option(names, metavar=field.name.upper(), callback=partial(_value, field.type), help=about)
    about = f"{about.removesuffix('.')}; may be repeated."
    return click.Option(names, metavar="KEY=VALUE", multiple=True, callback=_settings, help=about)


def _settings(ctx: click.Context, option: click.Parameter, settings: Sequence[str]) -> dict[str, str | bool]:
    """Return the parts of KEY=VALUE; or of KEY alone, for an option that takes no value."""
    parts = [setting.removeprefix("--").partition("=") for setting in settings]
    return {key: value if equals else True for key, equals, value in parts}


def _value(kind: ValueType, ctx: click.Context, option: click.Parameter, text: str | None) -> Any:
    if text is None or ctx.resilient_parsing:
        return text
    from mlpkit.cli.plugin_verbs import value_of  # noqa: PLC0415 - loads what reads YAML

    return value_of(text, kind)


def _plain(text: str) -> str:
    return MARKUP.sub(r"\1", text)


def engine_of_ranks(name: str, plugin_options: PluginOptions) -> Engine | None:
    """Return an engine whose workers are the processes that ``mpiexec`` started; None for others, also unknown ones."""
    if name == LOCAL:
        return None
    plugins = plugin_options["plugins"] if "." in name else ()  # those of the spec are read later, with it
    registry = _registry(plugins=plugins, blocked=plugin_options["blocked"])
    for entry in _engines(name, registry):
        component: Any = entry.component
        if entry.name == name and component.shares_ranks:
            engine: Engine = registry.create(Engine.kind, name)
            return engine
    return None


_folder_option: Final = partial(options.path_option, metavar="DIR", shell_complete=completion.runs)


@click.command("sweep", cls=SweepCommand)
@click.argument("path", metavar="[SPEC]", required=False, shell_complete=completion.specs)
@options.overrides_option
@click.option(
    "--workers", metavar="N", type=click.IntRange(1, 1024), help="Trials to train at once; by default one per core."
)
@click.option(
    "--on",
    metavar="ENGINE",
    default=LOCAL,
    show_default=True,
    help="Where to train them: local, in processes on this machine; or an engine of a plugin, such as acme.queue.",
)
@options.path_option(
    "--out",
    metavar="DIR",
    help="Folder for the sweep, missing or empty; by default runs/NAME, or runs/NAME-2 and so on.",
)
@_folder_option("--resume", "folder", help="Resume the sweep in a folder, instead of SPEC.")
@click.option(
    "--add-trials", "added", metavar="N", type=click.IntRange(1), help="With --resume: extra trials to train."
)
@_folder_option("--status", "looked_at", help="Show the state of the sweep in a folder, and change nothing.")
@_folder_option(
    "--stop",
    "stopped",
    help="Stop the sweep in a folder after its current steps, and wait until it has saved its trials.",
)
@options.report_option
@options.plugins_option
@options.quiet_option
@options.json_option
def command(
    path: str | None,
    overrides: tuple[str, ...],
    engine: dict[str, Any],
    out: Path | None,
    folder: Path | None,
    added: int | None,
    looked_at: Path | None,
    stopped: Path | None,
    reports: bool,
    plugin_options: PluginOptions,
    quiet: bool,
    as_json: bool,
) -> None:
    """Train a spec with many values of some keys, and find the best.

    The section sweep of the spec sets which keys to vary, and how to rank trials. Each trial is a run in its own
    folder. Ctrl-C stops the sweep after the current steps; --resume continues it, even after a crash, and repeats
    nothing. The results are the best spec, best.yaml, and a page about all trials, report.html. The exit code is 1 if a
    trial failed; one that diverged is a result.
    """
    with ranks_as_workers(engine_of_ranks(engine["on"], plugin_options)):
        options.require_one_display(quiet, as_json)
        _require_spec_or_folder(path, overrides, out, folder, added, [looked_at, stopped])
        with Interrupts():  # a signal that comes while modules are loaded must find the handlers
            from mlpkit.verbs.sweep.training import SweepTraining, show_status, stop  # noqa: PLC0415 - loads NumPy
        training = SweepTraining(engine, plugin_options, reports, quiet, as_json)
        if looked_at is not None:
            show_status(looked_at, plugin_options, as_json=as_json)
        elif stopped is not None:
            stop(stopped, quiet=quiet, as_json=as_json)
        elif folder is not None:
            training.resume(folder, added or 0)
        else:
            training.begin(str(path), overrides, out)


def _require_spec_or_folder(
    path: str | None,
    overrides: Sequence[str],
    out: Path | None,
    folder: Path | None,
    added: int | None,
    others: Sequence[Path | None],
) -> None:
    """Check that a spec or one folder is given, and only options that go with it, or raise ``UsageError``."""
    if sum(given is not None for given in (path, folder, *others)) != 1:
        raise UsageError("expected a spec, to start a sweep, or one of --resume DIR, --status DIR and --stop DIR")
    if folder is None and added is not None:
        raise UsageError("--add-trials goes with --resume DIR; a spec sets its own number of trials")
    if path is None and overrides:
        raise UsageError("--set can't change a sweep that has started; start another")
    if path is None and out is not None:
        raise UsageError("--out is for a new sweep; one that has started stays where it is")
