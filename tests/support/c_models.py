"""Models as files in C, and the machines that compute with them."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import numpy as np
from requirements import require

from mlpkit import Graph, Value, Values
from mlpkit.graph import ModelGraph
from mlpkit.graph.model_graph import bare_network
from mlpkit_plugins.exporters.c_file import Machine

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from mlpkit import Sequential

STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror")

MACHINES = {
    "gcc": Machine(("gcc", *STRICT, "-O2")),
    "gcc, not optimized": Machine(("gcc", *STRICT, "-O0")),
    "gcc, for this processor": Machine(("gcc", *STRICT, "-O3", "-march=native")),
    "gcc, GNU's C": Machine(("gcc", "-std=gnu99", "-O3", "-march=native")),
    "clang": Machine(("clang", *STRICT, "-O2")),
    "clang, for this processor": Machine(("clang", *STRICT, "-O3", "-march=native")),
    "clang, GNU's C": Machine(("clang", "-std=gnu99", "-O3", "-march=native")),
    "32 bits, SSE": Machine(("gcc", *STRICT, "-O2", "-m32", "-msse2", "-mfpmath=sse")),
    "32 bits, x87": Machine(("gcc", *STRICT, "-O2", "-m32", "-mfpmath=387")),
    "ARM": Machine(("arm-linux-gnueabihf-gcc", *STRICT, "-O2", "-static"), ("qemu-arm",)),
    "s390x, big-endian": Machine(("s390x-linux-gnu-gcc", *STRICT, "-O2", "-static"), ("qemu-s390x",), ">"),
}
"""What a file must give the same bits on."""


def machine(name: str, folder: Path) -> Machine:
    """Return one of ``MACHINES``; the test is skipped if it isn't installed.

    Args:
        name: its name.
        folder: an empty folder.
    """
    found = MACHINES[name]
    for tool in (found.compiler[0], *found.runner[:1]):
        require("compiler" if tool == "gcc" else tool, shutil.which(tool) is not None, f"{tool} is not installed")
    source = folder / "probe.c"
    source.write_text("#include <math.h>\n#include <stdio.h>\nint main(void) { return 0; }\n", encoding="ascii")
    require(
        "compiler" if name == "gcc" else name,
        compiles(found, source),
        f"{' '.join(found.compiler)} compiles no program",
    )
    return found


def compiles(machine: Machine, *sources: Path, options: tuple[str, ...] = ()) -> bool:
    """Return whether files compile and link to ``program`` in the folder of the first one."""
    command = [*machine.compiler, *options, *map(str, sources), "-o", str(sources[0].parent / "program"), "-lm"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def model_of(network: Sequential) -> ModelGraph:
    """Return a network's graph with all that an exporter needs."""
    return bare_network(network, {"name": "network"})


def model_with(graph: Graph, outputs: Mapping[str, Value]) -> ModelGraph:
    """Return a graph written by hand as a model, whose logits are its first output."""
    graph.outputs.update(outputs)
    first = next(iter(outputs.values()))
    return ModelGraph(graph, Values((1,)), first, first, first, None, None, {"name": "by hand"})


def logits_of(network: Sequential, x: NDArray[Any]) -> NDArray[Any]:
    """Return what the loss takes when a network predicts."""
    replica = network.replicas[0]
    with network.evaluating():
        replica.set_training(False)
        logits = np.array(replica.forward(x))
        return logits if network.scaled is None else network.scaled.values(logits)


def bits(array: NDArray[Any]) -> list[Any]:
    """Return an array as what can be compared bit by bit."""
    unsigned: NDArray[Any] = np.ascontiguousarray(array).view(np.uint32)
    return unsigned.tolist()
