"""What engines need to train the trials of a sweep on other machines.

Names are loaded when they are first used, and type checkers read ``engines.pyi``, as with ``mlpkit``.
"""

from __future__ import annotations

from mlpkit.lazy_names import lazy_names

_HOME_OF = {
    "available_cores": "mlpkit.system",
    "cores_of_each_rank": "mlpkit.cli.mpi",
    "worker_problem": "mlpkit.groups.engine_workers",
    "load_mpi": "mlpkit.cli.mpi",
    "mpi_errors": "mlpkit.cli.mpi",
    "real_path": "mlpkit.system",
}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605 - the table above has the names

__getattr__, __dir__ = lazy_names(globals(), _HOME_OF)
