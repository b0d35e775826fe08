"""The machine and software of a timing."""

from __future__ import annotations

import json
import os
from typing import Any

from mlpkit.runs.environment import environment
from mlpkit.system import available_cores
from mlpkit_plugins.kernels import COMPILED, PRODUCTS_BY, PRODUCTS_BY_REASON


def machine() -> dict[str, Any]:
    """Return processor, cores, load, versions of Python, NumPy and BLAS, and what computes kernels, as plain data."""
    load = round(os.getloadavg()[0], 2)
    kernels = "compiled" if COMPILED else "NumPy"
    products = {"products": PRODUCTS_BY, "products_because": PRODUCTS_BY_REASON}
    return {**environment(), "cores": available_cores(), "load": load, "kernels": kernels, **products}


def heading(about: dict[str, Any]) -> str:
    """Return lines that describe what ``machine`` returned."""
    blas = about["blas"]
    return (
        f"{about['processor']}, {about['cores']} cores, load {about['load']}, {about['platform']}\n"
        f"{about['python']}, NumPy {about['numpy']}, {blas['name']} {blas['version']} ({blas['architecture']}), "
        f"{about['kernels']} kernels, products by {about['products']} "
        f"({about['products_because']})\n"
    )


if __name__ == "__main__":
    print(json.dumps(machine()))
