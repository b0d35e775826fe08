"""A model as one file in C beside onnxruntime, onnx2c and emlearn: microseconds a row, and bytes of the compiled file.

All compute the probabilities of the same network for the same encoded rows, one at a time, in turns, on one thread.
Times are the processor's, since other programs may be running.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from machine import heading, machine

import mlpkit
from mlpkit.graph.model_graph import bare_network
from mlpkit_plugins.exporters.c_file import CFile
from mlpkit_plugins.exporters.onnx_file import OnnxFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mlpkit.graph import ModelGraph

SPECS: Final = ("mnist_3layer", "mnist_fast", "mnist_lenet")
ROWS: Final = 500
ROUNDS: Final = 7
FAST: Final = ("-std=c99", "-O3", "-march=native", "-D_POSIX_C_SOURCE=199309L")
SMALL: Final = ("-std=c99", "-Os")

TIMED: Final = """
#include <stdio.h>
#include <time.h>

static float rows[{rows}][{features}];

int main(int count, char **arguments)
{{
    struct timespec begin, end;
    FILE *file = fopen(arguments[1], "rb");
    volatile float sink = 0.0f;
    if (count != 2 || file == NULL || fread(rows, sizeof rows, 1, file) != 1) {{
        return 2;
    }}
    for (int warm = 1; warm >= 0; warm--) {{
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
        for (int row = 0; row < {rows}; row++) {{
            {call}
            sink = sink + first;
        }}
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    }}
    printf("%g\\n", ((end.tv_sec - begin.tv_sec) * 1e6 + (end.tv_nsec - begin.tv_nsec) / 1e3) / {rows});
    return 0;
}}
"""
"""A program that prints the microseconds of a row; its call sets ``first`` to an output."""

MLPKIT_CALL: Final = """
            static float work[MODEL_WORK];
            static model_inputs in;
            static model_outputs out;
            memcpy(in.x, rows[row], sizeof in.x);
            model_predict(&in, &out, work);
            const float first = out.prediction[0];"""

ONNX2C_CALL: Final = """
            static float logits[1][10], prediction[1][10];
            entry((void *)rows[row], logits, prediction);
            const float first = prediction[0][0];"""

EMLEARN_CALL: Final = """
            float out[10];
            eml_net_predict_proba(&model, rows[row], {features}, out, 10);
            const float first = out[0];"""


def main() -> None:
    """Print a table for each spec."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--iterations", type=int, default=300, help="steps that the networks are trained for")
    parser.add_argument("--onnx2c", help="the program onnx2c, if it isn't on the path", default="onnx2c")
    arguments = parser.parse_args()
    print(heading(machine()))
    for spec in SPECS:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{spec}\n{table(measured(spec, Path(folder), arguments))}\n")


def measured(spec: str, folder: Path, arguments: argparse.Namespace) -> dict[str, tuple[list[float], str]]:
    """Return the microseconds a row of each round, and the size in bytes, of each contestant that is there."""
    loaded = mlpkit.load_spec(f"specs/{spec}.yaml", overrides={"training.iterations": arguments.iterations})
    network = mlpkit.run(loaded).network
    model = bare_network(network, {"name": spec})
    rows = images(loaded, network.input_shape)
    (folder / "rows").write_bytes(rows.tobytes())
    makers = {"mlpkit, .c": mlpkit_source, "onnx2c": onnx2c_source, "emlearn, loadable": emlearn_source}
    timers: dict[str, Callable[[], float]] = {"onnxruntime": onnxruntime_timer(model, rows, folder)}
    sizes = {"onnxruntime": f"{(folder / 'model.onnx').stat().st_size:,} (the model alone)"}
    for name, make in makers.items():
        try:
            source, call, options = make(model, network, folder, arguments)
        except (ImportError, OSError, ValueError, subprocess.CalledProcessError) as error:
            print(f"{name} is left out: {error}")
            continue
        program = TIMED.format(rows=ROWS, features=rows[0].size, call=call.format(features=rows[0].size))
        timers[name], sizes[name] = compiled(name, source, program, options, folder)
    times: dict[str, list[float]] = {name: [] for name in timers}
    for _ in range(ROUNDS):
        for name, timer in timers.items():
            times[name].append(timer())
    return {name: (found, sizes[name]) for name, found in times.items()}


def images(spec: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return images of the test set, encoded."""
    split = spec.data().open(spec.seed)["test"]
    x, t = np.empty((ROWS, *shape), np.float32), np.empty(ROWS, np.int64)
    split.take(np.arange(ROWS), (x, t))
    return x


def mlpkit_source(model: ModelGraph, _: Any, folder: Path, __: argparse.Namespace) -> tuple[str, str, list[str]]:
    """Return the file that mlpkit writes, the call, and the compiler's options."""
    CFile().write(model, folder / "model.c")
    return (folder / "model.c").read_text("ascii"), MLPKIT_CALL, []


def onnx2c_source(_: ModelGraph, __: Any, folder: Path, arguments: argparse.Namespace) -> tuple[str, str, list[str]]:
    """Return the file that onnx2c writes, the call, and the compiler's options."""
    if shutil.which(arguments.onnx2c) is None:
        raise FileNotFoundError("onnx2c is not installed")
    done = subprocess.run([arguments.onnx2c, folder / "model.onnx"], capture_output=True, check=True, text=True)
    return done.stdout, ONNX2C_CALL, ["-std=gnu99"]


def emlearn_source(model: ModelGraph, network: Any, _: Path, __: argparse.Namespace) -> tuple[str, str, list[str]]:
    """Return the file that emlearn writes, the call, and the compiler's options."""
    import emlearn.net  # noqa: PLC0415 - may be missing

    if {node.operator for node in model.graph.nodes} - {"Gemm", "Relu", "Softmax"}:
        raise ValueError("it knows dense layers only")
    weights = [array for path, array in network.parameters.items() if path.endswith(".W")]
    biases = [array for path, array in network.parameters.items() if path.endswith(".b")]
    activations = ["relu"] * (len(weights) - 1) + ["softmax"]
    source = emlearn.net.c_generate_net_loadable(activations, weights, biases, "model")
    return source, EMLEARN_CALL, [f"-I{Path(emlearn.__file__).parent}"]


def compiled(name: str, source: str, program: str, options: list[str], folder: Path) -> tuple[Callable[[], float], str]:
    """Compile a contestant; return what times it, and the bytes of code and constants if it is compiled for size."""
    stem = folder / name.partition(",")[0]
    stem.with_suffix(".c").write_text(source + program, "utf-8")
    (folder / "alone.c").write_text(source, "utf-8")
    subprocess.run(["cc", *FAST, *options, stem.with_suffix(".c"), "-o", stem, "-lm"], check=True, capture_output=True)
    subprocess.run(
        ["cc", *SMALL, *options, "-c", folder / "alone.c", "-o", folder / "alone.o"], check=True, capture_output=True
    )
    sizes = subprocess.run(["size", folder / "alone.o"], check=True, capture_output=True, text=True).stdout
    text, data, memory = map(int, sizes.splitlines()[1].split()[:3])

    def timer() -> float:
        done = subprocess.run([stem, folder / "rows"], check=True, capture_output=True, text=True)
        return float(done.stdout)

    return timer, f"{text + data:,}" + (f", {memory:,} of static memory" if memory else "")


def onnxruntime_timer(model: ModelGraph, rows: NDArray[Any], folder: Path) -> Callable[[], float]:
    """Return what times onnxruntime, a row at a time on one thread, with the cost of a call from Python."""
    import onnxruntime  # noqa: PLC0415 - an extra

    OnnxFile().write(model, folder / "model.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
    session.run(None, {"x": rows})
    singles = [rows[index : index + 1] for index in range(ROWS)]

    def timer() -> float:
        begin = time.process_time()
        for row in singles:
            session.run(["prediction"], {"x": row})
        return (time.process_time() - begin) * 1e6 / ROWS

    return timer


def table(found: dict[str, tuple[list[float], str]]) -> str:
    """Return a table: the median of the rounds, its ratio to mlpkit's in the same round, and the size."""
    ours = found["mlpkit, .c"][0]
    lines = [f"{'':20} {'us a row':>9} {'ratio':>7}  bytes"]
    for name, (times, size) in found.items():
        ratio = statistics.median(theirs / own for theirs, own in zip(times, ours, strict=True))
        lines.append(f"{name:20} {statistics.median(times):9.1f} {ratio:7.2f}  {size}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
