"""Options of what trains the trials of a sweep."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from mlpkit.cli.ranks import ranks_as_workers
from mlpkit.components.engine import LOCAL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Unpack

    from mlpkit.components.engine import Engine
    from mlpkit.registry.discovery import PluginOptions


def takes_engine(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of what trains trials, as the argument ``engine``, keywords of ``mlpkit.sweep``.

    If the engine shares ranks, processes that aren't rank 0 train trials for it instead.
    """

    @click.option(
        "--workers", metavar="N", type=click.IntRange(1, 1024), help="Trials to train at once; by default one per core."
    )
    @click.option(
        "--on",
        metavar="ENGINE",
        default=LOCAL,
        show_default=True,
        help="What trains them: local, processes on this machine; dask, the workers of a Dask cluster; mpi, the other "
        "processes that mpiexec started; slurm, a Slurm job each; or an engine of a plugin, such as acme.queue.",
    )
    @click.option(
        "--scheduler",
        metavar="ADDRESS",
        default="",
        help="With --on dask: the cluster's scheduler, such as tcp://192.0.2.1:8786; by default a cluster on this "
        "machine.",
    )
    @click.option(
        "--slurm",
        "settings",
        metavar="KEY=VALUE",
        multiple=True,
        help="With --on slurm: an option of sbatch for each job, such as time=60 or partition=cpu; may be repeated.",
    )
    @wraps(command)
    def with_engine(
        *args: Any, workers: int | None, on: str, scheduler: str, settings: Sequence[str], **kwargs: Any
    ) -> None:
        engine = {"workers": workers, "on": on, "scheduler": scheduler, "slurm": dict(map(_key_and_value, settings))}
        with ranks_as_workers(_engine_of_ranks(on, plugins=kwargs["plugins"], blocked=kwargs["blocked"])):
            command(*args, engine=engine, **kwargs)

    return with_engine


def _engine_of_ranks(name: str, **plugin_options: Unpack[PluginOptions]) -> Engine | None:
    """Return an engine whose workers are the processes that were started together; None for any other."""
    if name == LOCAL:
        return None
    from mlpkit.registry.registry import Registry  # noqa: PLC0415 - --help does without
    from mlpkit.verbs.sweep.engines import engine_of_ranks  # noqa: PLC0415 - for the same reason

    if "." not in name:  # a built-in engine: plugin files are read later, with the spec
        plugin_options["plugins"] = ()
    return engine_of_ranks(name, Registry.discover(**plugin_options))


def _key_and_value(setting: str) -> tuple[str, str | bool]:
    """Return the parts of KEY=VALUE, or of KEY alone, for an option that takes none."""
    key, equals, value = setting.removeprefix("--").partition("=")
    return key, value if equals else True
