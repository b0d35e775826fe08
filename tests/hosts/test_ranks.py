"""One training over three hosts, one of which is cut off in the middle."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from requirements import require_package
from run_folders import results
from swept_folders import wait_for

import mlpkit

require_package("mpi4py", 'needs mpi4py: pip install "mlpkit[mpi]"')
MPIEXEC = shutil.which("mpiexec", path=str(Path(sys.executable).parent)) or shutil.which("mpiexec")


def is_of_mpich():
    return MPIEXEC and "HYDRA" in subprocess.run([MPIEXEC, "-info"], capture_output=True, text=True, check=False).stdout


pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not is_of_mpich(), reason="needs MPICH's mpiexec: pip install mpich"),
]
PATIENCE = 4
"""Seconds that a rank waits for others."""

LEFT_ALONE = 80
"""Seconds after which nothing runs on a host that is cut off: its rank waits, and then waits for rank 0 to end it."""


@pytest.fixture
def ranks(hosts, begin):
    """A function that starts the program on some of the hosts, from the first, with a rank on each."""

    def start(names, *arguments):
        spread = ["-launcher-exec", hosts.ssh, "-hosts", ",".join(names), "-ppn", 1, "-n", len(names)]
        program = [sys.executable, "-m", "mlpkit", *arguments, "--quiet", "--no-report"]
        network = {"UCX_TLS": "tcp,self"}  # it would find out that the hosts share memory
        return begin(names[0], MPIEXEC, *spread, *program, MLPKIT_MPI_TIMEOUT=str(PATIENCE), **network)

    return start


def finish(process):
    _, errors = process.communicate(timeout=100)
    return process.returncode, errors


@pytest.mark.parametrize(
    ("lost", "silent"),
    [
        ("node-a", "rank 1 of 3, on node-b; rank 2 of 3, on node-c"),  # it has the terminal
        ("node-b", "rank 1 of 3, on node-b"),
        ("node-c", "rank 2 of 3, on node-c"),
    ],
)
def test_a_training_that_loses_a_host_ends_and_goes_on_with_the_others(lost, silent, hosts, folder, ranks):
    mlpkit.run(mlpkit.load_spec("spec.yaml"), "alone")
    training = ranks(hosts.names, "run", "spec.yaml", "--out", "shared")
    wait_for(lambda: list(Path("shared").glob("checkpoints/step-*.safetensors")))
    hosts.cut(lost)
    began = time.monotonic()
    code, errors = finish(training)
    assert time.monotonic() - began < PATIENCE + 20
    assert code == 1
    assert errors.startswith(f"error: {silent}: hangs, or its connection is lost: rank 0, on node-a, has waited 4 s ")
    assert errors.count("error:") == 1
    assert "exclude it and start the ranks again; mlpkit resume, or mlpkit sweep --resume, continues" in errors
    assert not Path("shared/metrics.json").exists()
    others = [name for name in hosts.names if name != lost]
    assert finish(ranks(others, "resume", "shared")) == (0, "")
    assert results(folder / "shared") == results(folder / "alone")
    wait_for(lambda: not any(map(hosts.processes, hosts.names)), LEFT_ALONE)
