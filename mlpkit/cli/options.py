"""Options that several verbs share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")


def takes_overrides(verb: F) -> F:
    """Add ``--set``, as the argument ``overrides``."""
    return click.option(
        "--set",
        "overrides",
        metavar="KEY=VALUE",
        multiple=True,
        help="Set a key of the spec, such as training.batch_size=128; may be repeated.",
    )(verb)


def takes_plugins(verb: F) -> F:
    """Add ``--plugin`` and ``--no-plugin``, as the arguments ``plugins`` and ``blocked``."""
    without = click.option(
        "--no-plugin",
        "blocked",
        metavar="NAME",
        multiple=True,
        help="Do without a plugin, or a component; may be repeated.",
    )
    return takes_plugin_files(without(verb))


def takes_plugin_files(verb: F) -> F:
    """Add ``--plugin``, as the argument ``plugins``."""
    return click.option(
        "--plugin",
        "plugins",
        metavar="FILE",
        multiple=True,
        help="Use a Python file as a plugin; its name is the namespace; may be repeated.",
    )(verb)


def takes_json(verb: F) -> F:
    """Add ``--json``, as the argument ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print results as JSON.")(verb)


def takes_quiet(verb: F) -> F:
    """Add ``--quiet``."""
    return click.option("--quiet", is_flag=True, help="Print nothing but errors.")(verb)
