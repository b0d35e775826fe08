"""How much memory this process may have."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mlpkit import system

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has cgroups, and keeps to ulimit -v")


@pytest.fixture
def cgroup(tmp_path, monkeypatch):
    """Return a function that puts this process into a cgroup, from its line in /proc and the files there are."""

    def be_in(line, **limits):
        (tmp_path / "own").write_text(f"9:cpu,cpuacct:/a\n{line}\n")
        for file, limit in limits.items():
            path = tmp_path / "cgroup" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{limit}\n")

    monkeypatch.setattr(system, "OWN_CGROUP", tmp_path / "own")
    monkeypatch.setattr(system, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(system, "address_limit", lambda: None)
    return be_in


@pytest.mark.parametrize(
    ("line", "files", "expected"),
    [
        ("0::/a/b", {"a/b/memory.max": 300, "a/memory.max": "max", "memory.max": 400}, 300),
        ("0::/a/b", {"a/b/memory.max": "max", "a/memory.max": 200}, 200),
        ("0::/", {"memory.max": 100}, 100),
        ("0::/../other", {"memory.max": 100}, 100),
        ("4:memory:/docker/a", {"memory/memory.limit_in_bytes": 500}, 500),
        ("4:memory:/a", {"memory/a/memory.limit_in_bytes": 500, "memory/memory.limit_in_bytes": 2**63 - 4096}, 500),
    ],
)
def test_the_least_limit_of_a_cgroup_and_those_around_it_counts(line, files, expected, cgroup):
    cgroup(line, **files)
    assert system.memory_limit() == expected


@linux
def test_without_a_limit_it_is_the_memory_of_the_machine(cgroup):
    cgroup("0::/a", **{"a/memory.max": "max"})
    assert system.memory_limit() == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@linux
def test_a_limit_of_addresses_counts():
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (123456789, 123456789));"
        "from mlpkit.system import memory_limit; print(memory_limit())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "123456789\n"
