"""``mlpkit sweep --on slurm`` on a real Slurm, with a node on this machine."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from pathlib import Path

import pytest
from slurm_cluster import SlurmCluster
from sweep_engines import LONGER, SWEEP, Slurm
from swept_folders import contents, holders, swept_plainly, trials_in, wait_for

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(bool(Slurm.lacks()), reason=f"needs {', '.join(Slurm.lacks())}: apt install slurm-wlm"),
    pytest.mark.usefixtures("spec"),
]

ON_SLURM = ("--on", "slurm", "--workers", "2")


@pytest.fixture
def spec(cwd):
    Path("tiny.yaml").write_text(Path("tiny.yaml").read_text() + SWEEP)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with closing(SlurmCluster(tmp_path_factory.mktemp("slurm"))) as found:
        yield found


@pytest.fixture
def sweep(started, environment, cluster):
    """Return a function that starts a sweep on Slurm and returns its process."""
    return lambda *words: started("sweep", *words, *ON_SLURM, env=environment | cluster.environment)


def finished(process):
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return err


def test_jobs_do_the_same_sweep(invoke, sweep):
    plain = swept_plainly(invoke)
    assert finished(sweep("tiny.yaml", "--out", "swept", "--slurm", "partition=cpu", "--slurm", "time=10")) == ""
    assert contents("swept") == plain


def test_a_killed_job_and_a_killed_driver_lose_nothing_and_jobs_go_on(invoke, sweep, cluster):
    plain = swept_plainly(invoke, *LONGER)
    first = sweep("tiny.yaml", "--out", "swept", *LONGER)
    trial, pid = next(iter(wait_for(lambda: holders("swept")).items()))
    os.kill(pid, signal.SIGKILL)
    noticed = first.stderr.readline()
    assert f"{trial.name.replace('-', ' ')}: its process ended with its Slurm job " in noticed
    assert "(FAILED); it " in noticed
    wait_for(lambda: holders("swept"))
    first.kill()
    first.wait()
    assert holders("swept")
    jobs = len([*Path("swept/slurm").glob("*/*_submitted.pkl")])
    assert finished(sweep("--resume", "swept")) == ""
    assert contents("swept") == plain
    assert len([*Path("swept/slurm").glob("*/*_submitted.pkl")]) <= max(jobs, 4)  # no second job for one at work


def test_ctrl_c_saves_trials_and_takes_back_jobs(invoke, sweep, cluster, forever):
    driver = sweep("tiny.yaml", "--out", "swept", "--slurm", "cpus-per-task=3", *forever)  # the node has four
    wait_for(lambda: holders("swept") and len(cluster.ask("squeue", "--noheader").splitlines()) == 2)
    driver.send_signal(signal.SIGINT)
    assert driver.wait(timeout=60) == 130
    assert not cluster.ask("squeue", "--noheader", "--states=PENDING,RUNNING")
    saved = [[*(trial / "checkpoints").glob("*")] for trial in trials_in("swept")]
    assert sorted(map(len, saved)) == [0, 1]


def test_time_limits_and_preemption_set_no_trial_aside(sweep, cluster, forever, invoke):
    """Slurm signals a job with a minute 55 seconds before its end, again and again; scancel stands for a preemption."""
    short = ("--slurm", "time=1", "--slurm", "signal_delay_s=55", "--set", "sweep.trials=1", *forever)
    driver = sweep("tiny.yaml", "--out", "swept", *short)
    said = [driver.stderr.readline() for _ in range(2)]
    wait_for(lambda: holders("swept"))
    cluster.ask("scancel", "--signal=TERM", cluster.ask("squeue", "--noheader", "--format=%i").split()[0])
    said.append(driver.stderr.readline())
    assert said == [
        f"warning: trial 0: its process ended by Slurm ({number}); it continues from its last checkpoint\n"
        for number in ("SIGUSR2", "SIGUSR2", "SIGTERM")
    ]
    driver.send_signal(signal.SIGTERM)
    assert driver.wait(timeout=60) == 143


def test_what_slurm_refuses_ends_the_sweep(sweep):
    driver = sweep("tiny.yaml", "--out", "swept", "--slurm", "partition=nowhere")
    _, said = driver.communicate(timeout=60)
    assert driver.returncode == 2
    assert said.endswith(
        "error: swept/trial-0: Slurm refuses its job: invalid partition specified: nowhere; Batch job submission "
        "failed: Invalid partition name specified; change its options, --slurm KEY=VALUE, and resume with: mlpkit "
        "sweep --resume swept --on slurm\n  note: the run so far is saved in swept\n"
    )
