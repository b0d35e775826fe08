"""The engines of sweeps as processes that a test may kill."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import slurm_cluster
from requirements import Optional
from swept_folders import holders, wait_for

psutil = Optional("psutil")

MPIEXEC = shutil.which("mpiexec", path=str(Path(sys.executable).parent)) or shutil.which("mpiexec")

SWEEP = """\
sweep:
  search:
    training.optimizer.learning_rate: {low: 0.001, high: 0.5, log: true}
    layers.Affine1.units: {low: 4, high: 16}
  trials: 3
"""
LONGER = ("--set=training.iterations=3000", "--set=training.evaluate_every=500", "--set=training.checkpoint.every=250")
"""Options for trials that are long enough to be killed."""


def missing(*modules):
    """What isn't installed of some modules."""
    return [name for name in modules if importlib.util.find_spec(name) is None]


class Engine:
    """Processes on this machine: the trials' own, and the driver.

    Args:
        folder: where it may keep files.
        environment: that of its processes.
        program: the command that starts mlpkit.
    """

    options = ("--workers", "2")

    def __init__(self, folder, environment, program):
        self.folder, self.environment, self.program = folder, environment, program

    @staticmethod
    def lacks():
        """What it needs, and isn't there."""
        return []

    def command(self, *words):
        """The command of a sweep."""
        return [*self.program, "sweep", *words, *self.options]

    def victims(self, driver, swept):
        """The processes to kill, by what they are."""
        return {"driver": [driver.pid], "trial": [*holders(swept).values()]}

    def repair(self):
        """Replace what was killed."""

    def close(self):
        """End it."""


class Dask(Engine):
    """A scheduler and two workers."""

    lacks = staticmethod(lambda: missing("distributed"))

    def __init__(self, *args):
        super().__init__(*args)
        self._started, self._clusters = [], 0
        self.repair()

    @property
    def options(self):
        return ("--on", "dask", "--scheduler", self._address)

    def victims(self, driver, swept):
        trials = [*holders(swept).values()]
        workers = []
        for pid in trials:
            with suppress(psutil.NoSuchProcess):
                workers.append(psutil.Process(pid).ppid())
        return {"driver": [driver.pid], "trial": trials, "worker": workers, "scheduler": [self._scheduler.pid]}

    def repair(self):
        if self._started and self._scheduler.poll() is None:
            return
        self._clusters += 1
        file = self.folder / f"scheduler-{self._clusters}.json"
        found = ("--scheduler-file", str(file), "--no-dashboard")
        self._scheduler = self._begin("distributed.cli.dask_scheduler", *found, "--port", "0")
        for _ in range(2):
            self._begin("distributed.cli.dask_worker", *found, "--nthreads", "1", "--death-timeout", "20")
        wait_for(file.exists)

        def ready():
            from distributed import Client

            with Client(scheduler_file=str(file), set_as_default=False) as client:
                return client.scheduler.address if len(client.nthreads()) == 2 else ""

        self._address = wait_for(ready)

    def close(self):
        for process in self._started:
            end_with_children(process)

    def _begin(self, *command):
        settings = {"cwd": self.folder, "env": self.environment, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen([sys.executable, "-m", *command], **settings)
        self._started.append(process)
        return process


class Mpi(Engine):
    """Three ranks, of which two train."""

    options = ("--on", "mpi")

    @staticmethod
    def lacks():
        return missing("mpi4py") + ([] if MPIEXEC else ["mpiexec"])

    def command(self, *words):
        return [MPIEXEC, "-n", "3", *super().command(*words)]

    def victims(self, driver, swept):
        trials = {*holders(swept).values()}
        with suppress(psutil.NoSuchProcess):
            of_it = psutil.Process(driver.pid).children(recursive=True)
            ranks = [each.pid for each in of_it if each.pid not in trials and "--on" in each.cmdline()[:-1]]
            return {"driver": [driver.pid, *ranks[:1]], "trial": [*trials], "worker": ranks[1:]}
        return {}


class Slurm(Engine):
    """A controller and a node with four cores."""

    options = ("--on", "slurm", "--workers", "2")

    @staticmethod
    def lacks():
        return missing("submitit") + slurm_cluster.MISSING

    def __init__(self, folder, environment, program):
        self.cluster = slurm_cluster.SlurmCluster(folder / "slurm")
        super().__init__(folder, environment | self.cluster.environment, program)

    def victims(self, driver, swept):
        return {**super().victims(driver, swept), "scheduler": [self.cluster.controller()]}

    def repair(self):
        if not is_alive(self.cluster.controller()):
            self.cluster.restart_controller()

    def close(self):
        self.cluster.close()


ENGINES = {"local": Engine, "dask": Dask, "mpi": Mpi, "slurm": Slurm}


def is_alive(pid):
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def end_with_children(process):
    """Kill a process, and those that it started: some of these would be started again."""
    with suppress(psutil.NoSuchProcess):
        for each in (*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)):
            with suppress(psutil.NoSuchProcess):
                each.kill()
    process.wait()
