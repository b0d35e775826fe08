"""The environment says what the bits of a result depend on, and nothing about where they were made."""

from __future__ import annotations

import platform
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import threadpoolctl

from mlpkit.runs import environment as module
from mlpkit.runs import json_files
from mlpkit.runs.environment import environment

if TYPE_CHECKING:
    from pathlib import Path


def test_it_is_plain_and_holds_no_path_of_the_machine() -> None:
    text = json_files.encode_pretty(environment())
    for place in (sys.prefix, sys.base_prefix, np.__path__[0], platform.node()):
        assert place not in text
    assert "/" not in text


def test_the_environment_names_what_computes() -> None:
    found = environment()
    assert found["python"] == f"{platform.python_implementation()} {platform.python_version()}"
    assert found["numpy"] == np.__version__
    assert found["machine"] == platform.machine()
    assert found["platform"] == platform.platform()
    assert found["blas"].keys() == {"name", "version", "architecture"}
    assert found["processor"]
    assert found["processor"] == found["processor"].strip()


def library(api: str, name: str, path: str) -> dict[str, str]:
    found = {"user_api": api, "internal_api": name, "version": "1", "filepath": path}
    return {**found, "architecture": "Haswell"} if name == "openblas" else found


@pytest.mark.parametrize(
    ("loaded", "expected"),
    [
        (
            [
                library("openmp", "openmp", "/x/numpy.libs/libgomp.so"),
                library("blas", "mkl", "/x/scipy.libs/libmkl.so"),
                library("blas", "blis", "/x/other.libs/libblis.so"),
                library("blas", "openblas", "/x/numpy.libs/libopenblas.so"),
            ],
            {"name": "openblas", "version": "1", "architecture": "Haswell"},
        ),
        (
            [library("blas", "mkl", "/opt/conda/lib/libmkl_rt.so")],
            {"name": "mkl", "version": "1", "architecture": None},
        ),
    ],
)
def test_the_blas_is_that_of_numpy(
    monkeypatch: pytest.MonkeyPatch, loaded: list[dict[str, str]], expected: dict[str, str | None]
) -> None:
    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: loaded)
    assert environment()["blas"] == expected


@pytest.mark.parametrize(
    "loaded",
    [
        [],
        [library("blas", "openblas", "/x/scipy.libs/libopenblas.so")],
        [library("blas", "openblas", "/x/scipy/.dylibs/libopenblas.dylib")],
    ],
)
def test_an_unrecognised_blas_is_named_as_in_numpys_build(
    monkeypatch: pytest.MonkeyPatch, loaded: list[dict[str, str]]
) -> None:
    built = {"Build Dependencies": {"blas": {"name": "accelerate", "version": "3", "lib directory": "/x"}}}
    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: loaded)
    monkeypatch.setattr(np, "show_config", lambda mode: built if mode == "dicts" else None)
    assert environment()["blas"] == {"name": "accelerate", "version": "3", "architecture": None}


def test_the_processor_is_named_by_its_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel\t\t: 1\nmodel name\t: AMD EPYC\nmodel name\t: other\n")
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(module, "_PROCESSORS_OF_LINUX", cpuinfo)
    assert environment()["processor"] == "AMD EPYC"
    cpuinfo.write_text("CPU implementer\t: 0x41\n")
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert environment()["processor"] == platform.machine()
    cpuinfo.unlink()
    assert environment()["processor"] == platform.machine()


@pytest.mark.parametrize(("told", "expected"), [("Apple M2\n", "Apple M2"), ("", "arm"), ("\n", "arm")])
def test_the_processor_of_a_mac_is_what_sysctl_says(monkeypatch: pytest.MonkeyPatch, told: str, expected: str) -> None:
    start = subprocess.run

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        assert command == ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        failing = f"import sys; sys.stdout.write({told!r}); sys.exit({told.strip() == ''})"
        return start([sys.executable, "-c", failing], **options)

    platform.platform()  # may itself start a program, and remembers its answer
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    monkeypatch.setattr(subprocess, "run", run)
    assert environment()["processor"] == expected
