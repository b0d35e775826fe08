"""Whether several processes were started together, and what is said if they can't work together."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from mlpkit.cli import ranks
from mlpkit.cli.verbs import program
from mlpkit.training.ranks import ONE_RANK


@pytest.mark.parametrize(
    ("environment", "processes"),
    [
        ({}, 1),
        ({"PMI_SIZE": "4", "PMI_RANK": "2"}, 4),
        ({"OMPI_COMM_WORLD_SIZE": "2", "PMIX_RANK": "0"}, 2),
        ({"PMIX_RANK": "3", "SLURM_STEP_NUM_TASKS": "8", "SLURM_NTASKS": "8"}, 8),
        ({"SLURM_NTASKS": "8", "SLURM_PROCID": "0"}, 1),  # a batch script that starts mlpkit without srun
        ({"PMI_SIZE": "1"}, 1),
    ],
)
def test_the_environment_says_how_many_processes_were_started(environment, processes):
    assert ranks.started_processes(environment) == processes


@pytest.fixture
def started(monkeypatch, tmp_path):
    """Return a function that runs the program as one of four processes that can't be connected."""
    monkeypatch.chdir(tmp_path)

    def start(rank, *arguments, **environment):
        variables = {"PMI_SIZE": "4", "PMI_RANK": str(rank), **environment}
        return CliRunner().invoke(program, ["run", "missing.yaml", *arguments], env=variables)

    return start


def test_without_mpi4py_the_first_process_says_what_to_install(started, monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    first, *others = [started(rank) for rank in range(4)]
    assert first.exit_code == 2
    assert first.stderr.startswith("error: 4 processes of mlpkit were started together, which takes mpi4py")
    assert 'pip install "mlpkit[mpi]"' in first.stderr
    assert [(each.exit_code, each.output) for each in others] == [(2, "")] * 3


def test_without_an_mpi_library_the_first_process_says_what_to_install(started, monkeypatch):
    def join_ranks(patience):
        raise RuntimeError("cannot load MPI library\nlibmpi.so: not found")

    monkeypatch.setattr("mlpkit.training.mpi.join_ranks", join_ranks)
    found = started(0)
    assert found.exit_code == 2
    assert found.stderr.startswith("error: mpi4py can't use MPI: cannot load MPI library libmpi.so: not found; install")
    assert (started(1).exit_code, started(1).output) == (2, "")


def test_processes_of_two_mpis_are_refused(started, monkeypatch):
    monkeypatch.setattr("mlpkit.training.mpi.join_ranks", lambda patience: ONE_RANK)
    found = started(0)
    assert found.exit_code == 2
    assert "mpiexec started 4 processes, but the MPI library that mpi4py loads connects 1" in found.stderr
    assert (started(1).exit_code, started(1).output) == (2, "")


def test_a_wrong_timeout_is_refused(started):
    found = started(0, MLPKIT_MPI_TIMEOUT="soon")
    assert found.exit_code == 2
    assert "MLPKIT_MPI_TIMEOUT=soon: expected how many seconds" in found.stderr


def test_no_mpi_leaves_each_process_to_itself(started, monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    assert "missing.yaml" in started(0, "--no-mpi").stderr
    assert "missing.yaml" in started(3, "--no-mpi").stderr


def test_a_single_run_loads_no_mpi():
    code = (
        "import sys; sys.argv = ['mlpkit', 'run', 'missing.yaml']\n"
        "from mlpkit.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: print(sorted({'mpi4py', 'mlpkit.training.mpi', 'mlpkit.jobs.assist'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
