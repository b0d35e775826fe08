"""Whether several processes were started together, and what is said if they can't work together."""

from __future__ import annotations

import signal
import subprocess
import sys
from socket import gethostname

import pytest
from click.testing import CliRunner
from fake_mpi import FakeMpi, FakeWorld

from mlpkit.cli.launcher import started_processes
from mlpkit.cli.verbs import VERBS, program


@pytest.mark.parametrize(
    ("environment", "processes"),
    [
        ({}, 1),
        ({"PMI_SIZE": "4", "PMI_RANK": "2"}, 4),
        ({"OMPI_COMM_WORLD_SIZE": "2", "PMIX_RANK": "0"}, 2),
        ({"PMIX_RANK": "3", "SLURM_STEP_NUM_TASKS": "8", "SLURM_NTASKS": "8"}, 8),
        ({"SLURM_NTASKS": "8", "SLURM_PROCID": "0"}, 1),  # a batch script that starts mlpkit without srun
        ({"PMI_SIZE": "1"}, 1),
        ({"PMI_SIZE": "many"}, 1),
        ({"PMI_SIZE": "2", "OMPI_COMM_WORLD_SIZE": "3"}, 3),
        ({"PMIX_RANK": "3"}, 1),
    ],
)
def test_the_environment_says_how_many_processes_were_started(environment, processes):
    assert started_processes(environment) == processes


@pytest.fixture
def started(monkeypatch, tmp_path):
    """Return a function that runs the program as one of four processes, two on each of two hosts."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("atexit.register", lambda *arguments: None)

    def start(rank, *arguments, verb="run", **environment):
        variables = {"PMI_SIZE": "4", "PMI_RANK": str(rank), "MPI_LOCALRANKID": str(rank % 2), **environment}
        return CliRunner().invoke(program, [verb, "missing.yaml", *arguments], env=variables)

    return start


def codes_and_output(found):
    return [(each.exit_code, each.output) for each in found]


def test_without_mpi4py_the_first_process_of_each_host_says_what_to_install(started, monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    first, beside_it, elsewhere, beside_that = [started(rank) for rank in range(4)]
    assert first.exit_code == elsewhere.exit_code == 2
    assert first.stderr.startswith("error: mpi4py is needed to train one network in several processes (")
    assert 'pip install "mlpkit[mpi]"' in first.stderr
    assert elsewhere.stderr == first.stderr.replace("error:", f"error: on {gethostname()}:")
    assert codes_and_output([beside_it, beside_that]) == [(2, "")] * 2


def test_a_process_that_does_not_know_its_host_says_what_is_wrong_itself(started, monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    assert f"error: on {gethostname()}: mpi4py" in started(1, MPI_LOCALRANKID=None).stderr


def test_without_an_mpi_library_the_first_process_says_what_to_install(started, monkeypatch):
    def load_mpi(threads):
        raise RuntimeError("cannot load MPI library\nlibmpi.so: not found")

    monkeypatch.setattr("mlpkit.cli.mpi.load_mpi", load_mpi)
    found = started(0)
    assert found.exit_code == 2
    assert found.stderr.startswith("error: mpi4py can't use MPI: cannot load MPI library libmpi.so: not found; install")
    assert codes_and_output([started(1)]) == [(2, "")]


def test_processes_of_two_mpis_are_refused(started, monkeypatch):
    monkeypatch.setattr("mlpkit.cli.mpi.load_mpi", lambda threads: FakeMpi(FakeWorld(size=1)))
    found = started(0)
    assert found.exit_code == 2
    assert "mpiexec started 4 processes, but the MPI library that mpi4py loads connects 1" in found.stderr
    assert codes_and_output([started(1)]) == [(2, "")]


def test_a_failure_of_mpi_while_it_connects_the_processes_is_an_error(started, monkeypatch):
    def allgather(item):
        raise FakeMpi.Exception("connection\nlost")

    world = FakeWorld(size=4)
    world.allgather = allgather
    monkeypatch.setattr("mlpkit.cli.mpi.load_mpi", lambda threads: FakeMpi(world))
    found = started(0)
    assert found.exit_code == 1
    assert found.stderr.startswith(f"error: MPI failed on {gethostname()}: connection lost; if a host or its network")


@pytest.mark.parametrize(("timeout", "longest"), [("70", 70), ("", 300), ("86400", 86400), ("0.5", 1)])
def test_a_process_does_not_wait_for_ever_for_one_that_could_not_connect(timeout, longest, started, monkeypatch):
    seconds = []

    def load_mpi(threads):
        seconds.append(signal.getitimer(signal.ITIMER_REAL)[0])
        raise ImportError

    monkeypatch.setattr("mlpkit.cli.mpi.load_mpi", load_mpi)
    started(0, MLPKIT_MPI_TIMEOUT=timeout)
    assert longest - 10 < seconds[0] <= longest  # then the system ends the process
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


@pytest.mark.parametrize("text", ["soon", "0", "-1", "inf", "nan", "86401"])
def test_a_wrong_timeout_is_refused(started, text):
    found = started(0, MLPKIT_MPI_TIMEOUT=text)
    assert found.exit_code == 2
    assert found.stderr.startswith(f"error: MLPKIT_MPI_TIMEOUT={text}: expected the seconds that a rank waits")
    assert found.stderr.endswith("such as MLPKIT_MPI_TIMEOUT=300; at most 86,400, a day\n")
    assert codes_and_output([started(1, MLPKIT_MPI_TIMEOUT=text)]) == [(2, "")]


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in {"run", "resume", "sweep"}])
def test_verbs_that_several_processes_cannot_share_are_refused_once(started, verb):
    first, *others = [started(rank, verb=verb) for rank in range(4)]
    assert first.exit_code == 2
    assert first.stderr == (
        f"error: 4 processes were started together, and each would repeat the work of mlpkit {verb}; start it without "
        "mpiexec, or with a single process: only run, resume and sweep share their work\n"
    )
    assert codes_and_output(others) == [(2, "")] * 3


def test_a_sweep_that_processes_do_not_share_is_refused_once(started):
    first, *others = [started(rank, verb="sweep") for rank in range(4)]
    assert first.exit_code == 2
    assert first.stderr == (
        "error: 4 processes were started together, and each would run the whole sweep; with --on mpi, the first runs "
        "it and the rest train its trials\n"
    )
    assert codes_and_output(others) == [(2, "")] * 3


def test_a_single_process_of_mpiexec_may_do_anything(started):
    assert "there is no file 'missing.yaml'" in started(0, verb="check", PMI_SIZE="1").stderr


def test_wrong_usage_is_shown_once(started):
    assert "No such option '--bogus'" in started(0, "--bogus").stderr
    assert codes_and_output([started(3, "--bogus")]) == [(2, "")]


def test_no_mpi_leaves_each_process_to_itself(started, monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    assert "missing.yaml" in started(0, "--no-mpi").stderr
    assert "missing.yaml" in started(3, "--no-mpi").stderr


def test_a_single_run_loads_no_mpi():
    code = (
        "import sys; sys.argv = ['mlpkit', 'run', 'missing.yaml']\n"
        "from mlpkit.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: print(sorted({'mpi4py', 'mlpkit.cli.mpi'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
