"""What the bits of a result depend on outside mlpkit: versions of Python, NumPy and BLAS, and the processor."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import numpy as np

_PROCESSORS_OF_LINUX = Path("/proc/cpuinfo")


def environment() -> dict[str, Any]:
    """Return versions of Python, NumPy and BLAS, the processor's model, and the platform, as plain data."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "numpy": np.__version__,
        "blas": _blas(),
        "processor": _processor(),
        "machine": platform.machine(),
        "platform": _platform(),
    }


def _platform() -> str:
    """Return what ``platform.platform()`` returns, which on Linux starts a process for a part that it leaves out."""
    if platform.system() != "Linux":
        return platform.platform()
    parts = (platform.system(), platform.release(), platform.machine(), "with", "".join(platform.libc_ver()))
    return "-".join(filter(None, parts))


def _blas() -> dict[str, str | None]:
    """Return name, version and architecture of the BLAS that NumPy computes with."""
    from threadpoolctl import threadpool_info  # noqa: PLC0415 - needed only when a run starts

    loaded = [
        each
        for each in threadpool_info()
        if each["user_api"] == "blas" and {"scipy.libs", "scipy"}.isdisjoint(Path(each["filepath"]).parts)
    ]  # without the library of SciPy's wheel: NumPy may use another
    loaded.sort(key=lambda library: "numpy" not in library["filepath"])
    if loaded:
        found = loaded[0]
        return {"name": found["internal_api"], "version": found["version"], "architecture": found.get("architecture")}
    # threadpoolctl doesn't know every BLAS (Accelerate on macOS); then what NumPy was built with.
    configuration: Any = np.show_config(mode="dicts")
    built = configuration["Build Dependencies"]["blas"]
    return {"name": built.get("name"), "version": built.get("version"), "architecture": None}


def _processor() -> str:
    """Return the processor's model, such as "AMD EPYC 7763", or the best that the system tells."""
    if platform.system() == "Darwin":
        import subprocess  # noqa: PLC0415 - slow to load, and needed only on macOS

        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        name = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    else:
        name = _model_name(_PROCESSORS_OF_LINUX)
    return name.strip() or platform.processor() or platform.machine()


def _model_name(cpuinfo: Path) -> str:
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:  # the file exists on Linux only
        return ""
    return next((line.partition(":")[2] for line in lines if line.startswith("model name")), "")
