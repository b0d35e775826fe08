"""``mpiexec mlpkit sweep --on mpi``: the same sweep as with local workers, whatever is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from requirements import Optional, requires
from sweep_engines import LONGER, MPIEXEC, SWEEP, Mpi
from swept_folders import contents, holders, swept_plainly, trials_in, wait_for

psutil = Optional("psutil")

needs_mpi = requires("packages", not Mpi.lacks(), f"needs {', '.join(Mpi.lacks())}")

PROGRAM = """\
import sys
import mlpkit

if __name__ == "__main__":
    spec = mlpkit.load_spec("tiny.yaml")
    print(mlpkit.sweep(spec, "swept", on="mpi").counts)
"""

SHOWS_ITS_ENVIRONMENT = '''\
import json
import os
from pathlib import Path

from mlpkit import Callback, component, hookimpl


class Shows(Callback):
    """Writes the environment of its process.

    Source: none.
    """

    def on_start(self, training):
        Path(f"{os.getpid()}.json").write_text(json.dumps(dict(os.environ)))


@hookimpl
def mlpkit_components():
    return [component("callback", "shows", Shows)]
'''


@pytest.fixture
def spec(cwd):
    Path("tiny.yaml").write_text(Path("tiny.yaml").read_text() + SWEEP)


@pytest.fixture
def ranks(environment, program):
    """Return a function that starts the program by mpiexec and returns its process; all ends with the test."""
    processes = []

    def start(count, *words):
        command = [MPIEXEC, "-n", str(count), *program, *words]
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def rank_of(process, number):
    """The process of a rank."""

    def found():
        for each in psutil.Process(process.pid).children(recursive=True):
            if each.environ().get("PMI_RANK") == str(number):
                return each
        return None

    return wait_for(found)


@needs_mpi
@pytest.mark.usefixtures("spec")
def test_ranks_do_the_same_sweep_and_their_children_know_nothing_of_mpi(invoke, ranks):
    Path("shows.py").write_text(SHOWS_ITS_ENVIRONMENT)
    options = ("--plugin", "shows.py", "--set", "training.callbacks=[shows.shows]", "--quiet")
    plain = swept_plainly(invoke, *options)
    for file in Path().glob("*.json"):
        file.unlink()
    process = ranks(3, "sweep", "tiny.yaml", "--out", "swept", "--on", "mpi", *options)
    assert (process.communicate(), process.returncode) == (("", ""), 0)
    assert contents("swept") == plain
    shown = [json.loads(file.read_text()) for file in Path().glob("*.json")]
    assert shown
    assert not [name for each in shown for name in each if name.startswith(("PMI", "MPI_LOCAL", "HYDI"))]


@needs_mpi
@pytest.mark.long
@pytest.mark.usefixtures("spec")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_trials_and_another_engine_goes_on(number, invoke, ranks):
    plain = swept_plainly(invoke, *LONGER)
    process = ranks(3, "sweep", "tiny.yaml", "--out", "swept", "--on", "mpi", *LONGER)
    wait_for(lambda: len(holders("swept")) == 2)
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert f"stopped by {number.name}, with " in said
    assert "resume it with: mlpkit sweep --resume swept\n" in said
    assert process.returncode == 128 + number
    assert not holders("swept")
    assert all([*(trial / "checkpoints").iterdir()] for trial in trials_in("swept"))
    assert invoke("sweep", "--resume", "swept", "--quiet").code == 0
    assert contents("swept") == plain


@needs_mpi
@pytest.mark.long
@pytest.mark.usefixtures("spec")
@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_rank_ends_all_and_a_killed_trial_ends_none(rank, invoke, ranks):
    plain = swept_plainly(invoke, *LONGER)
    process = ranks(3, "sweep", "tiny.yaml", "--out", "swept", "--on", "mpi", *LONGER)
    pid = next(iter(wait_for(lambda: holders("swept")).values()))
    os.kill(pid, signal.SIGKILL)
    assert "its process ended by SIGKILL; it " in process.stderr.readline()
    wait_for(lambda: holders("swept"))
    rank_of(process, rank).kill()
    process.communicate(timeout=30)
    assert process.returncode != 0
    again = ranks(3, "sweep", "--resume", "swept", "--on", "mpi")
    _, said = again.communicate(timeout=60)
    assert (said, again.returncode) == ("", 0)
    assert contents("swept") == plain


@needs_mpi
@pytest.mark.usefixtures("spec")
def test_one_rank_alone_is_refused_before_anything_is_written(mlpkit):
    done = mlpkit("sweep", "tiny.yaml", "--on", "mpi", "--out", "x")
    assert (done.code, done.err) == (
        2,
        "error: the engine mpi needs other processes, which train while the first one drives; start them with mpiexec, "
        "such as: mpiexec -n 5 mlpkit sweep SPEC --on mpi\n",
    )
    assert not Path("x").exists()


@needs_mpi
@pytest.mark.long
def test_wrong_usage_ends_all_ranks_with_one_message(ranks, cwd):
    process = ranks(3, "sweep", "missing.yaml", "--on", "mpi")
    _, said = process.communicate(timeout=30)
    assert said.count("there is no file 'missing.yaml'") == 1
    assert process.returncode == 2


@needs_mpi
@pytest.mark.long
@pytest.mark.usefixtures("spec")
def test_a_program_in_python_sweeps_over_ranks_too(environment, invoke):
    def run(command):
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)

    plain = swept_plainly(invoke)
    Path("program.py").write_text(PROGRAM)
    done = run([MPIEXEC, "-n", "3", sys.executable, "-m", "mpi4py.futures", "program.py"])
    assert (done.stdout, done.stderr, done.returncode) == ("{'finished': 3}\n", "", 0)
    assert contents("swept") == plain
    done = run([MPIEXEC, "-n", "3", sys.executable, "program.py"])
    assert done.returncode != 0
    assert "each process started a separate sweep; start the program with: mpiexec -n 5 python" in done.stderr
