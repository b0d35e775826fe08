# Written by docs/generate.py.
from mlpkit.cli.mpi import cores_of_each_rank as cores_of_each_rank
from mlpkit.cli.mpi import load_mpi as load_mpi
from mlpkit.cli.mpi import mpi_errors as mpi_errors
from mlpkit.groups.engine_workers import worker_problem as worker_problem
from mlpkit.system import available_cores as available_cores
from mlpkit.system import real_path as real_path
