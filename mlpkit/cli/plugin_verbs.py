"""Verbs of plugins: ``mlpkit acme.prune RUN`` loads the plugin acme, and no other."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

import click

from mlpkit.cli.options import HelpfulCommand, plugin_files, plugin_files_option, values_of_option
from mlpkit.components.schema.context import INVALID, CheckContext, ValueType
from mlpkit.components.schema.signature import ParameterSchema, Schema
from mlpkit.components.schema.types import BooleanType, without_null
from mlpkit.errors import ParameterError, SpecSyntaxError
from mlpkit.network.component_errors import check_returned, component_errors
from mlpkit.registry.registry import RegisteredComponent, Registry
from mlpkit.specfile.nodes import plain
from mlpkit.specfile.source import DiagnosticList, SourceText
from mlpkit.specfile.strict_yaml import parse_yaml
from mlpkit.terminal.output import diagnostic, write_out

VERB: Final = ("verb",)
MARKUP: Final = re.compile(r"``(.+?)``")


def plugin_verb(name: str, arguments: Sequence[str]) -> click.Command:
    """Return the command of a plugin's verb, given what follows it on the command line, ``--plugin`` among it."""
    registry = Registry.discover(plugins=plugin_files(values_of_option("--plugin", arguments)))
    entry = registry.find(VERB, name)
    schema, meanings = entry.schema, entry.schema.docstring.parameters
    required = [field for field in schema.fields if field.required]
    texts = [
        schema.docstring.summary,
        *schema.docstring.body.split("\n\n"),
        *(f"{field.name.upper()}: {meanings.get(field.name, '')}" for field in required),
    ]
    command = HelpfulCommand(
        name,
        callback=partial(_call, entry, registry),
        params=[_parameter(field, meanings.get(field.name, "")) for field in schema.fields],
        help="\n\n".join(MARKUP.sub(r"\1", text) for text in texts if text),
    )
    return plugin_files_option(command)


def _parameter(field: ParameterSchema, meaning: str) -> click.Parameter:
    """Return a parameter as an argument, or as an option if it has a default."""
    if field.required:
        return click.Argument([field.name], metavar=field.name.upper())
    option = _option(field.name)
    if isinstance(without_null(field.type), BooleanType):
        no = option.replace("--", "--no-", 1)
        return click.Option([f"{option}/{no}", field.name], default=None, help=meaning)
    default = list(field.default) if isinstance(field.default, tuple) else field.default
    meaning += "" if default is None else f" By default {default}."
    return click.Option([option, field.name], metavar=field.name.upper(), help=meaning)


def _call(entry: RegisteredComponent, registry: Registry, plugins: Sequence[str], **given: str | bool | None) -> None:
    """Run a verb, and end the program if its exit code isn't 0."""
    types = entry.schema.types
    values = {name: value_of(text, types[name]) for name, text in given.items() if text is not None}
    try:
        verb = registry.create("verb", {entry.name: values})
    except ParameterError as error:
        place = _as_typed(entry.schema, error.parameter.removeprefix(f"{entry.name}."))
        raise ParameterError(place, error.message, expected=error.expected, remedy=error.remedy) from error
    verb.plugins = tuple(plugins)
    if deprecation := entry.declaration.deprecated:
        diagnostic(f"warning: {deprecation.message(f'mlpkit {entry.name}')}", "yellow")
    code = None
    with component_errors(f"the verb {entry.name} failed"), suppress(BrokenPipeError):
        code = verb()
        sys.stdout.flush()
    write_out()
    check_returned(f"verb {entry.name}", "__call__", code, (int, type(None)), "an exit code, or None")
    if code:
        raise click.exceptions.Exit(code)


def _as_typed(schema: Schema, place: str) -> str:
    """Return a place in a parameter's value as the command line names it, such as ``--share`` for ``share``."""
    name, dot, inside = place.partition(".")
    required = {field.name: field.required for field in schema.fields}
    if name not in required:
        return place
    return f"{name.upper() if required[name] else _option(name)}{dot}{inside}"


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def value_of(text: str | bool, kind: ValueType) -> Any:
    """Return an argument as it is, if its parameter takes a text, or else what it says as YAML."""
    if isinstance(text, bool) or kind.check(text, (), CheckContext()) is not INVALID:
        return text
    faults = DiagnosticList()
    node = parse_yaml(SourceText("", text, 0), faults)
    try:
        faults.raise_if_any()
    except SpecSyntaxError:
        return text
    return text if node is None else plain(node)
