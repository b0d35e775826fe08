"""Many processes with one run folder: one gets it, the others fail at once, and nothing is lost."""

from __future__ import annotations

import pytest

from mlpkit.errors import RunFolderError
from mlpkit.runs.folder import RunFolder

PROCESSES = 8
REFUSALS = (
    "is writing to it; wait until that is done",
    "holds a run already; resume it with mlpkit resume ",
    "already; choose another folder",
)


def race(rounds, specs, server, results, tmp_path):
    spec = tmp_path / "spec.yaml"
    spec.write_text(specs.spec_text("drawn", "sgd"), encoding="utf-8")
    assert server.wait(server.start(deed="run", spec=spec, out=tmp_path / "whole"))["code"] == 0
    expected = results(tmp_path / "whole")
    for number in range(rounds):
        out = tmp_path / f"round{number}"
        pids = [server.start(deed="run", spec=spec, out=out) for _ in range(PROCESSES)]
        ends = [server.wait(pid) for pid in pids]
        assert sorted(end["code"] for end in ends) == [0] + [2] * (PROCESSES - 1), ends
        for end in ends:
            assert end["code"] == 0 or any(refusal in end["words"] for refusal in REFUSALS), end
        assert results(out) == expected, f"round {number}"


def test_eight_processes_and_a_few_rounds(specs, server, results, tmp_path):
    race(4, specs, server, results, tmp_path)


@pytest.mark.long
def test_eight_processes_and_fifty_rounds(specs, server, results, tmp_path):
    race(50, specs, server, results, tmp_path)


def test_a_run_that_is_being_resumed_has_one_writer_too(runs, specs):
    together = runs(specs.spec_text("shuffled", "sgd"))
    folder = together.start(halt_at=3)
    with RunFolder.open(folder) as writer:
        writer.claim()
        with pytest.raises(RunFolderError, match="this process is writing to it"):
            together.resume(folder)
    assert together.resume(folder).steps == specs.STEPS
