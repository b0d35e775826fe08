"""The comparison with peers: its command, and that all contestants do the same work."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from contestants.roster import PYTORCH
from processes import finished, held_to

from mlpkit_plugins.kernels import COMPILED

ON_X86 = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="AVX2 is of x86 processors")
ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "benchmarks"


def compare(*options):
    command = [sys.executable, FOLDER / "compare.py", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def held_to_avx2(monkeypatch):
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    for name, value in held_to("avx2").items():
        monkeypatch.setenv(name, value)


def output_of(program, **limits):
    return finished([sys.executable, "-W", "error", "-c", program], **limits).stdout.strip()


def files_in_the_repository():
    return {path for folder in (ROOT, FOLDER) for path in folder.glob("[!._]*")}


def test_a_short_run_gives_table_and_json(tmp_path):
    before = files_in_the_repository()
    report = tmp_path / "report.json"
    options = ["--workload", "sgd_step", "--only", "--shape", "50,32", "--runs", "1", "--json", report]
    done = compare(*options, "--seconds", "0.01", "--warm-up", "0")
    written = json.loads(report.read_text())

    (step,) = written["comparisons"]
    assert step["about"] == {"hidden": 50, "batch_size": 32, "optimizer": "sgd"}
    ours, limit = step["figures"]
    assert (ours["name"], limit["name"]) == ("mlpkit", "limit")
    assert 0 < limit["median"] < 1  # which of the two is faster is no question for a machine that runs tests
    assert 0 < ours["median"] < 1
    assert limit["ratio"]["median"] == limit["runs"][0] / ours["runs"][0]
    assert limit["threads"] >= 1
    (verdict,) = step["verdicts"]
    assert verdict["met"] == (verdict["reached"] >= verdict["target"])
    assert written["machine"]["blas"]["name"]
    assert written["left_out"] == {}

    assert "sgd step, 784-50-50-10, minibatches of 32" in done.stdout
    assert "matrix products alone" in done.stdout
    assert ("   met\n" if verdict["met"] else "   MISSED\n") in done.stdout
    assert files_in_the_repository() == before


def test_a_peer_that_is_not_installed_is_named():
    hiding = (
        "import sys\n"
        "sys.modules['torch'] = sys.modules['jax'] = None\n"
        f"sys.path.insert(0, {str(FOLDER)!r})\n"
        "import compare\n"
        "compare.main()\n"
    )
    options = ["--workload", "sgd_step", "--only", "pytorch", "jax", "--shape", "8,4", "--runs", "1"]
    command = [sys.executable, "-c", hiding, *options, "--seconds", "0.01", "--warm-up", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "left out: pytorch: torch not installed" in done.stdout
    assert "left out: jax: jax not installed" in done.stdout
    assert "PyTorch eager" not in done.stdout


@ON_X86
def test_contestants_are_held_to_avx2_and_the_report_says_which_are_not(tmp_path):
    report = tmp_path / "report.json"
    options = ["--workload", "sgd_step", "--only", "--shape", "8,4", "--runs", "1", "--json", report]
    done = compare(*options, "--seconds", "0.01", "--warm-up", "0", "--vectors", "avx2")
    about = json.loads(report.read_text())["machine"]
    assert about["vectors"]["held_to"] == "avx2"
    assert list(about["vectors"]["not_held"]) == ["mlpkit", "JAX", "onnxruntime"]
    if COMPILED:
        assert about["products_because"] == "AVX2"
    if about["blas"]["name"] == "openblas":
        assert about["blas"]["architecture"] == "Haswell"
    assert "\nheld to avx2, except mlpkit (" in done.stdout


def test_unknown_vectors_are_refused():
    command = [sys.executable, FOLDER / "compare.py", "--vectors", "avx1024"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 2
    assert "argument --vectors: invalid choice: 'avx1024'" in done.stderr


@ON_X86
def test_numpy_is_held_to_avx2(held_to_avx2):
    dispatched = "{name for name in umath.__cpu_dispatch__ if umath.__cpu_features__[name]}"
    enabled = output_of(f"from numpy._core import _multiarray_umath as umath; print({dispatched})")
    assert "X86_V4" not in enabled
    assert "AVX512" not in enabled


@ON_X86
@pytest.mark.skipif(bool(PYTORCH.missing), reason=PYTORCH.missing)
def test_pytorch_is_held_to_avx2(held_to_avx2):
    assert output_of("import torch; print(torch.backends.cpu.get_cpu_capability())") == "AVX2"


def test_xla_is_held_to_avx2_and_to_one_thread(held_to_avx2):
    flags = "import os; print(os.environ.get('XLA_FLAGS', ''))"
    assert output_of(flags) == "--xla_cpu_max_isa=AVX2"
    assert output_of(flags, threads=1).split() == ["--xla_cpu_max_isa=AVX2", "--xla_cpu_multi_thread_eigen=false"]
