"""The parameters of engines as options of ``mlpkit sweep``."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from mlpkit.cli.options import HelpfulCommand, values_of_option
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
    """Return the parameters of engines as options.

    Args:
        engines: the engines; of two that have the same parameter, the first describes it.
        taken: names that no parameter may have.
    """
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
    """Return an engine whose workers are the processes that ``mpiexec`` started; None for any other.

    Args:
        name: the engine's name; the sweep itself reports an unknown one.
        plugin_options: the keywords of ``Registry.discover``.
    """
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
