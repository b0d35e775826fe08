"""Slurm jobs, submitted with submitit, that each train a trial of a sweep."""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from submitit import Job, SlurmExecutor, SlurmJob
from submitit.core.utils import FailedJobError

from mlpkit import StopRequest, TrainingEnd, UsageError, WorkersLostError
from mlpkit.engines import real_path
from mlpkit_plugins.engines.remote_workers import NOT_BEGUN, RemoteWorkers, TrialCall

MOST_JOBS: Final = 16
"""The default number of jobs at once."""

SECONDS_BETWEEN_CHECKS: Final = 0.5
"""Seconds between checks for results in the jobs' folders."""

SECONDS_BETWEEN_QUESTIONS: Final = 5.0
"""Seconds between queries for the user's jobs; a job that is missing twice without a result has died."""

SECONDS_OF_PATIENCE: Final = 600.0
"""Seconds without an answer from Slurm before the sweep fails, long enough for a restart of its controller."""

SECONDS_TO_SAVE: Final = 60.0
"""Seconds for jobs to save their trials when the driver fails."""

OWN_FOLDER: Final = "slurm"
"""The subfolder of the sweep's folder for the jobs' output and submitit's files, with a folder for each trial."""

OWN_SETTINGS: Final = frozenset(
    (
        *("array", "chdir", "error", "job_name", "nodes", "no_requeue", "ntasks", "ntasks_per_node", "open_mode"),
        *("output", "requeue", "signal", "wrap"),
    )
)
"""Options of sbatch that mlpkit sets."""

DELAY: Final = "signal_delay_s"
"""submitit's setting for the seconds before a job's time limit at which it saves its trial."""


@dataclass(eq=False)
class _Sent:
    """A trial for Slurm: its job, once submitted, and whether that was missing at the last query."""

    directory: Path
    call: TrialCall
    end: Future[TrainingEnd]
    job: Job[TrainingEnd] | None = None
    missing: bool = False

    @property
    def folder(self) -> Path:
        """The folder of submitit's files for the trial's jobs."""
        return real_path(self.directory.parent) / OWN_FOLDER / self.directory.name

    @property
    def job_name(self) -> str:
        """The name of its jobs in Slurm."""
        return f"{real_path(self.directory.parent).name}-{self.directory.name}"


class SlurmWorkers(RemoteWorkers):
    """Slurm jobs that train one trial each.

    The jobs of a killed driver continue, and the next driver in the same folder takes them over. SIGTERM stops a job,
    and Slurm announces its time limit with SIGUSR2; then the trial saves a checkpoint.
    """

    worker = "Slurm job"

    def __init__(self, settings: Mapping[str, object] | None = None, most: int | None = None) -> None:
        super().__init__()
        self._settings = _checked({key.replace("-", "_"): value for key, value in (settings or {}).items()})
        self.count = most or MOST_JOBS
        self.threads = int(str(self._settings.get("cpus_per_task", 1)))
        if shutil.which("sbatch") is None or shutil.which("srun") is None:
            raise UsageError("the engine slurm needs the commands of Slurm, sbatch and srun; start it on a login node")
        self._answered_at, self._asked_at = time.monotonic(), float("-inf")
        if self._jobs_of_user() is None:
            raise UsageError("Slurm doesn't answer on this machine; start the sweep on a login node")
        self._sent: list[_Sent] = []
        self._stopping = self._ended = False
        self._wake = threading.Event()
        self._watch = threading.Thread(target=self._look_after_jobs, name="Slurm jobs", daemon=True)
        self._watch.start()

    def _send(self, call: TrialCall, end: Future[TrainingEnd]) -> None:
        """Submit a job for a trial, or take over the job of an earlier driver.

        The end's exception is a ``UsageError`` if Slurm refuses the job, and a ``WorkersLostError`` if it doesn't
        answer any more.
        """
        call.arguments.pop("timeout", None)  # the time limit ends a job that hangs
        self._sent.append(_Sent(Path(call.directory), call, end))
        self._wake.set()

    def stop(self) -> None:
        """Ask all trials to stop after their current steps, and cancel waiting jobs."""
        self._stopping = True
        self._wake.set()

    def shutdown(self) -> None:
        """End the jobs."""
        self.stop()
        wait([sent.end for sent in [*self._sent]], SECONDS_TO_SAVE)
        self._ended = True
        self._watch.join(SECONDS_TO_SAVE)

    def _look_after_jobs(self) -> None:
        """Submit jobs and collect their results until the end."""
        while not self._ended:
            self._wake.wait(SECONDS_BETWEEN_CHECKS)
            self._wake.clear()
            try:
                self._look()
            except Exception as error:  # the driver must never wait forever
                while self._sent:  # the driver may add trials meanwhile
                    self._sent.pop().end.set_exception(error)
            time.sleep(SECONDS_BETWEEN_CHECKS / 10)  # the driver may call ``stop`` repeatedly

    def _look(self) -> None:
        for sent in [*self._sent]:
            if sent.job is None:
                self._hand_in(sent)
            elif sent.job.paths.result_pickle.exists():
                self._take_end(sent, self._result(sent.job))
        between = SECONDS_BETWEEN_CHECKS if self._stopping else SECONDS_BETWEEN_QUESTIONS
        if self._sent and time.monotonic() - self._asked_at >= between:
            self._look_for_missing()
            if self._stopping:
                self._stop_jobs()
            self._asked_at = time.monotonic()

    def _hand_in(self, sent: _Sent) -> None:
        """Submit a trial, unless an earlier driver has submitted it, or the sweep stops."""
        if self._stopping:
            self._take_end(sent, TrainingEnd(stopped=NOT_BEGUN))
            return
        jobs = self._jobs_of_user()
        if jobs is None:
            return
        left = [job for job in _unfinished(sent.folder) if (job, sent.job_name) in jobs]
        if left:
            sent.job = SlurmJob(sent.folder, left[-1])
            return
        executor = SlurmExecutor(sent.folder)
        executor.update_parameters(job_name=sent.job_name, **_submitit_parameters(self._settings))
        call = sent.call._replace(directory=str(real_path(sent.directory)))
        try:
            job = executor.submit(_train, self._here, call)
            sent.job = SlurmJob(sent.folder, job.job_id)
        except FailedJobError as error:
            if self._jobs_of_user() is not None:  # otherwise it is submitted when Slurm answers
                self._sent.remove(sent)
                sent.end.set_exception(self._refusal(sent, error))

    def _refusal(self, sent: _Sent, error: FailedJobError) -> UsageError:
        """Return the error with Slurm's reason to refuse a trial's job, and how to resume."""
        reason = "; ".join(line.removeprefix("sbatch: error: ") for line in str(error).splitlines() if line.strip())
        remedy = f"change its options, --slurm KEY=VALUE, and resume with: {self._resume_command()} --on slurm"
        return UsageError(f"{sent.directory}: Slurm refuses its job: {reason}; {remedy}")

    def _look_for_missing(self) -> None:
        """Find the trials whose jobs have ended without a result."""
        jobs = self._jobs_of_user()
        if jobs is None:
            return
        listed = {number for number, _ in jobs}
        for sent in [*self._sent]:
            if sent.job is None or sent.job.job_id in listed:
                sent.missing = False
            elif not sent.missing:
                sent.missing = True  # its result may appear late on a network disk
            elif not sent.job.paths.result_pickle.exists():
                self._take_end(sent, TrainingEnd(stopped=NOT_BEGUN) if self._stopping else _death(sent.job))

    def _stop_jobs(self) -> None:
        """Cancel waiting jobs, and ask running jobs to save their trials."""
        jobs = [sent.job.job_id for sent in self._sent if sent.job is not None]
        if jobs:
            _asked(["scancel", "--quiet", "--state=PENDING", *jobs])
            _asked(["scancel", "--quiet", "--state=RUNNING", "--signal=TERM", *jobs])

    def _result(self, job: Job[TrainingEnd]) -> TrainingEnd:
        """Return the end of a trial whose job has left a result."""
        error = job.exception()
        if error is None:
            end: TrainingEnd = job.result()
            return end
        return self._failed(next((line for line in reversed(str(error).splitlines()) if "Error" in line), str(error)))

    def _take_end(self, sent: _Sent, end: TrainingEnd) -> None:
        self._sent.remove(sent)
        sent.end.set_result(end)

    def _jobs_of_user(self) -> set[tuple[str, str]] | None:
        """Return numbers and names of the user's waiting and running jobs; None if Slurm doesn't answer now."""
        user = os.getuid()  # type: ignore[attr-defined,unused-ignore] # on Windows, which has no Slurm
        answer = _asked(["squeue", "--noheader", f"--user={user}", "--format=%i %j"])
        if answer is not None:
            self._answered_at = time.monotonic()
            return {(number, name) for number, _, name in (line.partition(" ") for line in answer.splitlines())}
        if time.monotonic() - self._answered_at >= SECONDS_OF_PATIENCE:
            raise WorkersLostError(
                f"Slurm hasn't answered for {SECONDS_OF_PATIENCE / 60:.0f} minutes; its jobs continue; resume with "
                "mlpkit sweep --resume when it answers"
            )
        return None


def _checked(settings: dict[str, object]) -> dict[str, object]:
    """Return the settings of jobs, or raise ``UsageError``: mlpkit sets an option itself, or a number is wrong."""
    for key in OWN_SETTINGS & settings.keys():
        raise UsageError(f"Slurm's {key.replace('_', '-')} is set by mlpkit itself; leave it out")
    for key in ("cpus_per_task", DELAY):
        if not str(settings.get(key, 1)).isdecimal() or int(str(settings.get(key, 1))) < 1:
            raise UsageError(f"Slurm's {key.replace('_', '-')}: expected 1 or more, got {settings[key]!r}")
    return settings


def _submitit_parameters(settings: Mapping[str, object]) -> dict[str, Any]:
    """Return the settings of jobs for submitit; options of sbatch are passed unchanged.

    Slurm never requeues a job, so that at most one job trains a trial.
    """
    cores = f"--cpus-per-task={settings.get('cpus_per_task', 1)}"  # srun doesn't inherit it from its job
    delay = int(str(settings.get(DELAY, 90)))
    of_sbatch = {key: value for key, value in settings.items() if key != DELAY}
    return {
        "time": None,  # the partition's limit
        "wckey": None,
        "signal_delay_s": delay,
        "srun_args": [cores],
        "additional_parameters": {"no_requeue": True, **of_sbatch},
    }


def _unfinished(folder: Path) -> list[str]:
    """Return the numbers of a trial's jobs without a result."""
    jobs = [path.name.partition("_")[0] for path in folder.glob("*_submitted.pkl")]
    return [job for job in sorted(jobs, key=int) if not SlurmJob(folder, job).paths.result_pickle.exists()]


def _death(job: Job[TrainingEnd]) -> TrainingEnd:
    """Return the end of a trial whose job has died."""
    about = _asked(["scontrol", "show", "job", job.job_id, "--oneliner"]) or ""
    state = next((word.removeprefix("JobState=") for word in about.split() if word.startswith("JobState=")), "")
    which = f"its Slurm job {job.job_id}{state and f' ({state})'}"
    return TrainingEnd(failure=f"{which} ended without a result", death=f"with {which}")


def _asked(command: Sequence[str]) -> str | None:
    """Return the output of a Slurm command; None if it fails."""
    with suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    return None


def _train(here: str, call: TrialCall) -> TrainingEnd:
    """In a job: train a trial until a signal stops it, or announces its time limit or preemption."""
    stop = StopRequest()
    for name in ("SIGTERM", "SIGUSR1", "SIGUSR2"):
        signal.signal(
            signal.Signals[name], lambda received, frame: stop.stop(f"Slurm ({signal.Signals(received).name})")
        )
    os.chdir(here)
    return call.function(Path(call.directory), **call.arguments, stop=stop)
