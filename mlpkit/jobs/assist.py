"""What the other ranks do in a training that rank 0 leads: the same steps, with nothing written and nothing shown."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Unpack

from mlpkit.errors import SpecShapeError, UsageError
from mlpkit.jobs.open_training import open_training
from mlpkit.jobs.prove import SpecProof, prove
from mlpkit.jobs.run_inputs import require_same_inputs
from mlpkit.jobs.run_spec import parse_resolved
from mlpkit.registry.discovery import PluginOptions
from mlpkit.registry.registry import Registry
from mlpkit.specfile.spec import Spec
from mlpkit.training.ranks import Ranks


def assist(ranks: Ranks, **plugin_options: Unpack[PluginOptions]) -> None:
    """Take part in what rank 0 does, until it is done.

    Args:
        ranks: the processes that train a network together; this one isn't rank 0.
        plugin_options: the keywords of ``Registry.discover``.

    Raises:
        MlpkitError: as ``run`` and ``resume`` do.
    """
    ranks.follow({"train": partial(_train, ranks, Registry.discover(**plugin_options))})


def _train(ranks: Ranks, registry: Registry, resolved: str) -> None:
    """Take part in the training of a resolved spec, which sets slices and threads too."""
    proved = _prove(parse_resolved(Path(), resolved, registry))
    with open_training(proved, resolved=resolved, ranks=ranks) as training:
        network = training.network(begun=True)
        require_same_inputs(ranks, training.lock, proved.description)
        training.bare_trainer(network).assist()


def _prove(spec: Spec) -> SpecProof:
    """Prove a spec that rank 0 has proved with its own data.

    Raises:
        UsageError: the data is missing on this host, or it isn't the same.
        DataError: the header of a data file is not what it should be.
    """
    try:
        return prove(spec, spec.new_dataset(), begun=True)
    except SpecShapeError as error:
        message = error.faults[0].message
        raise UsageError(f"{message}; expected the same data as rank 0 has, at the same path on each host") from error
