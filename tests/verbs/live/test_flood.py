"""A training under ``--live`` ends well, and its page answers, among clients that only occupy it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("vl_convert")
FLOOD = Path(__file__).parents[2] / "support" / "flood.py"
DESCRIPTORS = 32
LIMITED = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({DESCRIPTORS}, {DESCRIPTORS}))
from mlpkit.cli.main import main
sys.exit(main())
"""
SPEC = """\
mlpkit: 1
data: {{csv: {{file: table.csv, target: y, validation: 0.3, test: 0}}}}
layers: [Affine: {{units: 8}}, Relu, Affine: {{units: 3}}, SoftmaxWithLoss]
training: {{optimizer: sgd, batch_size: 20, seconds: {seconds}, evaluate_every: 20000, checkpoint: {{every: 20000}}}}
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts descriptors in /proc")
@pytest.mark.parametrize(
    ("seconds", "silent", "slow", "honest"),
    [(3, 100, 20, 5), pytest.param(120, 1000, 200, 50, marks=pytest.mark.long)],
)
def test_a_run_ends_well_among_silent_slow_and_honest_connections(seconds, silent, slow, honest, tmp_path):
    (tmp_path / "table.csv").write_text("a,b,y\n" + "".join(f"{i},{i * 7 % 13},{i % 3}\n" for i in range(300)))
    (tmp_path / "spec.yaml").write_text(SPEC.format(seconds=seconds))
    command = [sys.executable, "-c", LIMITED, "run", "spec.yaml", "--live", "--out", "run", "--no-report"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        address = re.match(r"live page: http://127\.0\.0\.1:(\d+)/([\w-]+)/", run.stderr.readline())
        clients = [sys.executable, str(FLOOD), *address.groups(), str(silent), str(slow), str(honest)]
        with subprocess.Popen(clients, stdout=subprocess.PIPE, text=True) as flood:
            out, err = run.communicate(timeout=seconds + 60)
            answered = json.loads(flood.communicate(timeout=60)[0])

    assert answered["read"] >= honest
    assert len(answered["others"]) <= honest  # at most the last answer of each
    assert run.returncode == 0, err
    assert "saved in run" in out
    assert (tmp_path / "run" / "model.safetensors").is_file()
