"""A real Slurm on this machine, with one node and no need of rights, for as long as a test takes."""

from __future__ import annotations

import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress

from requirements import Optional
from swept_folders import wait_for

psutil = Optional("psutil")

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "sinfo")
MISSING = [name for name in PROGRAMS if shutil.which(name) is None]

SECONDS_TO_START_A_JOB = 21
"""Until a controller that has just begun takes a job for dead that its node doesn't know, and one more."""

CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/slurm
CredType=cred/slurm
AuthInfo=use_client_ids
SlurmctldPort={controller}
SlurmdPort={node}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=20
MpiDefault=none
SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000
NodeName={host} NodeAddr=127.0.0.1 CPUs=4
PartitionName=cpu Nodes=ALL Default=YES MaxTime=INFINITE
"""


class SlurmCluster:
    """A controller and a node; one at a time on a machine, since they share a socket below /run.

    Args:
        folder: where it keeps its files.

    Attributes:
        environment: the variables by which the commands of Slurm find it.
    """

    def __init__(self, folder):
        self.folder = folder
        for name in ("state", "spool"):
            (folder / name).mkdir(parents=True)
        key, configuration = folder / "slurm.key", folder / "slurm.conf"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o600)
        controller, node = free_ports(2)
        configuration.write_text(
            CONFIGURATION.format(
                host=socket.gethostname(), user=getpass.getuser(), folder=folder, controller=controller, node=node
            )
        )
        self.environment = {"SLURM_CONF": str(configuration)}
        self._begin("slurmctld", "-c")
        self._begin("slurmd")
        self._wait_until_ready()

    def controller(self):
        """The process of the controller."""
        return self._pid("slurmctld")

    def restart_controller(self):
        """Start the controller again, with all that it saved, have the node say which jobs it has, and take it back.

        A controller saves the state of jobs with a delay. A job whose end it has forgotten is listed as running until
        the node registers again: by itself after 20 pings, half an hour, and whenever slurmd begins. The number of a
        job that it has forgotten is given to another, too, and then the node is drained until it is resumed by hand.
        """
        self._begin("slurmctld")
        wait_for(lambda: self.ask("sinfo", "--noheader"))
        time.sleep(SECONDS_TO_START_A_JOB)
        node = self._pid("slurmd")
        os.kill(node, signal.SIGHUP)
        wait_for(lambda: self._pid("slurmd") not in (0, node))
        self.ask("scontrol", "update", "NodeName=ALL", "State=RESUME")
        self._wait_until_ready()

    def ask(self, *command):
        """What a command prints."""
        env = os.environ | self.environment
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60).stdout

    def close(self):
        self.ask("scancel", "--signal=KILL", "--full", f"--user={getpass.getuser()}")
        self.ask("scancel", f"--user={getpass.getuser()}")
        wait_for(lambda: not self.ask("squeue", "--noheader"))
        for name in ("slurmd", "slurmctld"):
            with suppress(psutil.NoSuchProcess):  # the test has killed it
                process = psutil.Process(self._pid(name))
                process.terminate()
                process.wait(60)

    def _begin(self, *command):
        (self.folder / f"{command[0]}.pid").unlink(missing_ok=True)
        configuration = ("-f", self.environment["SLURM_CONF"])
        subprocess.run([*command, *configuration], env=os.environ | self.environment, check=True)
        wait_for(lambda: self._pid(command[0]))

    def _pid(self, name):
        """The process of a daemon; 0 while it hasn't written it down."""
        file = self.folder / f"{name}.pid"
        return int(file.read_text().strip() or 0) if file.exists() else 0

    def _wait_until_ready(self):
        wait_for(lambda: self.ask("sinfo", "--noheader", "--format=%t").strip() in ("idle", "mix", "alloc"))


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
