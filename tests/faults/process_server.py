"""Forks a process for each command, and says how it ended: whole Python processes cost too much to kill by hundreds.

Reads one JSON object per line, and answers each with one. The functions below define what a fork can do.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import mlpkit
import mlpkit.verbs.run.resume
import mlpkit.verbs.run.run
from mlpkit.runs.folder import RunFolder

HERE = Path(__file__).parent
PLUGIN = HERE / "acme.py"
sys.path.insert(0, str(HERE))


def run(spec: str, out: str) -> None:
    """Train a spec."""
    mlpkit.run(mlpkit.load_spec(spec, plugins=[PLUGIN]), out)


def resume(out: str) -> None:
    """Go on with a run."""
    mlpkit.resume(out, plugins=[PLUGIN])


def run_dying(spec: str, out: str, call: int) -> None:
    """Train a spec; the process is killed at the nth call of the system."""
    from failing_calls import failing_call

    with failing_call("kill", call):
        run(spec, out)


def save_dying(directory: str, call: int) -> None:
    """Save a checkpoint over earlier ones; the process is killed at the nth call of the system."""
    import numpy as np
    from failing_calls import failing_call

    with RunFolder(Path(directory)) as folder, failing_call("kill", call):
        folder.checkpoints.save(3, {"x": np.full(100, 3.0)}, {"step": 3}, keep=2)


DEEDS = {deed.__name__: deed for deed in (run, resume, run_dying, save_dying)}


def fork(deed: str, **arguments: Any) -> tuple[int, int]:
    """Start a process, and return its number and where its last words can be read."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    code = 0
    try:
        DEEDS[deed](**arguments)
    except mlpkit.MlpkitError as error:
        code = error.exit_code
        os.write(writing, str(error).encode())
    except BaseException as error:
        code = 99
        os.write(writing, repr(error).encode())
    os._exit(code)


def main() -> None:
    """Answer commands until there are no more."""
    words: dict[int, int] = {}
    for line in sys.stdin:
        command = json.loads(line)
        if "wait" in command:
            pid = command["wait"]
            _, status = os.waitpid(pid, 0)
            with os.fdopen(words.pop(pid), encoding="utf-8") as pipe:
                answer = {"code": os.waitstatus_to_exitcode(status), "words": pipe.read()}
        else:
            pid, reading = fork(**command)
            words[pid] = reading
            answer = {"pid": pid}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
