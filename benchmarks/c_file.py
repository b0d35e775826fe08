"""Times models as C files, a row at a time on one thread; and what rounding their weights to eight bits changes.

    python benchmarks/c_file.py [mnist_3layer mnist_fast mnist_lenet] [--int8] [--table FOLDER] [--json]

By default against onnxruntime, onnx2c and emlearn: microseconds a row of the same network on the same encoded rows, in
turns, and bytes of the compiled file. onnxruntime's time has the cost of a call from Python.

With ``--int8``, the C file with rounded weights against the exact one: metrics on the test split, rows with another
label, bytes of flash, and the ratio of the times. A table is a folder with ``train.csv.gz``, ``test.csv.gz`` and
``table.json``, which names the target; it is trained with the spec that ``mlpkit init --data`` writes.

Times are the processor's, since other programs may be running.
"""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from report import add_names, parser_of, print_report
from rounds import interleaved, ratio, seconds_of
from sweep_gain import first_spec

import mlpkit
from mlpkit.graph.model_graph import bare_network
from mlpkit.graph.quantization import with_int8_weights
from mlpkit_plugins.exporters.c_file import CFile
from mlpkit_plugins.exporters.onnx_file import OnnxFile

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mlpkit.graph import ModelGraph

SPECS: Final = Path(__file__).parents[1] / "specs"
NAMES: Final = ("mnist_3layer", "mnist_fast", "mnist_lenet")
ROWS: Final = 500
FAST: Final = ("-std=c99", "-O3", "-march=native", "-D_POSIX_C_SOURCE=199309L")
SMALL: Final = ("-std=c99", "-Os")
FLASH: Final = re.compile(r"Flash, without code: ([\d,]+) bytes")

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
            const float first = *(float *)&out;"""

ONNX2C_CALL: Final = """
            static float logits[1][10], prediction[1][10];
            entry((void *)rows[row], logits, prediction);
            const float first = prediction[0][0];"""

EMLEARN_CALL: Final = """
            float out[10];
            eml_net_predict_proba(&model, rows[row], {features}, out, 10);
            const float first = out[0];"""


def trained(spec: Path, folder: Path, options: argparse.Namespace) -> tuple[Any, NDArray[Any]]:
    """Train a spec, and return the network and encoded rows of the test split."""
    steps = {"training.iterations": options.steps, "training.epochs": None} if options.steps else {}
    loaded = mlpkit.load_spec(spec, overrides=steps)
    run = mlpkit.run(loaded, directory=folder / "run", quiet=True)
    x = np.resize(mlpkit.load_data(loaded, "test")[0], (ROWS, *run.network.input_shape))
    (folder / "rows").write_bytes(x.tobytes())
    return run.network, x


def against_others(spec: Path, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return the microseconds a row and the bytes of each contestant that is there."""
    network, x = trained(spec, folder, options)
    model = bare_network(network, {"name": "network"})
    timers: dict[str, Callable[[], float]] = {"onnxruntime": onnxruntime_timer(model, x, folder)}
    sizes = {"onnxruntime": f"{(folder / 'model.onnx').stat().st_size:,} (the model alone)"}
    for name, make in {"mlpkit": mlpkit_source, "onnx2c": onnx2c_source, "emlearn": emlearn_source}.items():
        try:
            source, call, flags = make(model, network, folder, options)
        except (ImportError, OSError, ValueError, subprocess.CalledProcessError) as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
            continue
        timers[name], sizes[name] = compiled(name, source, call, x[0].size, flags, folder)
    times = interleaved(timers, options.rounds)
    return {
        name: {"us": statistics.median(each), "ratio": ratio(each, times["mlpkit"]).median, "bytes": sizes[name]}
        for name, each in times.items()
    }


def rounded(spec: Path, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return what changes if the weights of a C file are rounded to eight bits."""
    network, x = trained(spec, folder, options)
    rounding = mlpkit.export(folder / "run", folder / "int8.c", quantize="int8").rounding
    assert rounding is not None
    metric = next((name for name in ("accuracy", "r2") if name in rounding.before), "loss")
    models = {
        "exact": bare_network(network, {}),
        "int8": replace(bare_network(with_int8_weights(network)[0], {}), quantized=True),
    }
    timers, flash = {}, {}
    for name, model in models.items():
        source, call, flags = mlpkit_source(model, network, folder, options)
        timers[name], _ = compiled(name, source, call, x[0].size, flags, folder)
        size = FLASH.search(source)
        assert size is not None
        flash[name] = int(size[1].replace(",", ""))
    times = interleaved(timers, options.rounds)
    return {
        "metric": metric,
        "exact": rounding.before[metric],
        "int8": rounding.after[metric],
        "relabelled": rounding.relabelled,
        "rows": rounding.rows,
        "flash": flash,
        "time": ratio(times["int8"], times["exact"]).median,
    }


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


def compiled(
    name: str, source: str, call: str, features: int, flags: list[str], folder: Path
) -> tuple[Callable[[], float], str]:
    """Compile a contestant; return what times it, and the bytes of code and constants if it is compiled for size."""
    program = TIMED.format(rows=ROWS, features=features, call=call.format(features=features))
    stem = folder / f"{name}_timed"
    stem.with_suffix(".c").write_text(source + program, "utf-8")
    (folder / "alone.c").write_text(source, "utf-8")
    for command in (
        ["cc", *FAST, *flags, stem.with_suffix(".c"), "-o", stem, "-lm"],
        ["cc", *SMALL, *flags, "-c", folder / "alone.c", "-o", folder / "alone.o"],
    ):
        subprocess.run(command, check=True, capture_output=True)
    sizes = subprocess.run(["size", folder / "alone.o"], check=True, capture_output=True, text=True).stdout
    text, data, memory = map(int, sizes.splitlines()[1].split()[:3])

    def timer() -> float:
        done = subprocess.run([stem, folder / "rows"], check=True, capture_output=True, text=True)
        return float(done.stdout)

    return timer, f"{text + data:,}" + (f", {memory:,} of static memory" if memory else "")


def onnxruntime_timer(model: ModelGraph, rows: NDArray[Any], folder: Path) -> Callable[[], float]:
    """Return what times onnxruntime."""
    import onnxruntime  # noqa: PLC0415 - an extra

    OnnxFile().write(model, folder / "model.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
    session.run(None, {"x": rows})
    singles = [rows[index : index + 1] for index in range(ROWS)]

    def predict() -> None:
        for row in singles:
            session.run(["prediction"], {"x": row})

    return lambda: seconds_of(predict, time.process_time) * 1e6 / ROWS


def main() -> None:
    """Measure each spec and table, and print the results."""
    parser = parser_of(__doc__, rounds=7)
    add_names(parser, "names", NAMES)
    parser.add_argument("--int8", action="store_true", help="compare rounded weights with exact ones")
    parser.add_argument("--table", action="append", default=[], type=Path, metavar="FOLDER", help="with --int8")
    parser.add_argument("--steps", type=int, help="steps of a training (default: those of the spec)")
    parser.add_argument("--onnx2c", help="the program onnx2c, if it isn't on the path", default="onnx2c")
    options = parser.parse_args()
    found, lines = {}, []
    measure = rounded if options.int8 else against_others
    for each in [*options.names, *map(Path.resolve, options.table)]:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            name, spec = (
                (each, SPECS / f"{each}.yaml") if isinstance(each, str) else (each.name, first_spec(each, folder))
            )
            found[name] = measure(spec, folder, options)
    for name, result in found.items():
        lines.append(name)
        if options.int8:
            lines += [f"  {key:11} {value}" for key, value in result.items()]
        else:
            lines += [
                f"  {side:12}{each['us']:9.1f} us a row, ratio {each['ratio']:6.2f}, bytes {each['bytes']}"
                for side, each in result.items()
            ]
    print_report(options, found, lines)


if __name__ == "__main__":
    main()
