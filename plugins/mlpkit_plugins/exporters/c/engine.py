"""Compiles a file in C with the compiler at hand, and runs it on rows."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np

from mlpkit import Array, EngineMissingError, ExportError
from mlpkit_plugins.exporters.c.program import Program, signature
from mlpkit_plugins.exporters.c.step import Operand
from mlpkit_plugins.exporters.c.syntax import INDENT, text_of

ByteOrder: TypeAlias = Literal["=", "<", ">"]

STANDARD: Final = ("-std=c99", "-O2")


class Machine(NamedTuple):
    """Compiles a file and runs it.

    Args:
        compiler: the command of the compiler, with its options.
        runner: the command that runs programs for another processor; empty for this processor.
        byte_order: ``<`` for a little-endian processor, ``>`` for a big-endian one, ``=`` for this processor.
    """

    compiler: tuple[str, ...]
    runner: tuple[str, ...] = ()
    byte_order: ByteOrder = "="


HELPERS: Final = text_of("program_helpers.h")
"""Further functions of the program."""


EMPTY_PROGRAM: Final = f"""\
#define WIDTH 1
#include <math.h>
#include <stdint.h>
{HELPERS}
int main(void)
{{
    return 0;
}}
"""
"""A program without a model, which any working compiler can compile."""


def compute(
    source: str,
    name: str,
    written: Program,
    feeds: Mapping[str, Array],
    wanted: Collection[str],
    machine: Machine | None = None,
) -> dict[str, Array]:
    """Compute rows with a file in C, whose names have a prefix, by default with the compiler at hand.

    Values inside the model are set and read between the paragraphs of the file's function; the result leaves out wanted
    values that the file doesn't compute. Errors are as of ``Exporter.compute``.
    """
    width = _longest_text(written, feeds) + 1
    inputs = [each for each in written.inputs if each in feeds]
    outputs = [each for each in wanted if each in written.outputs]
    inside = sorted((set(feeds) | set(wanted)) - {*inputs, *outputs}, key=lambda each: written.after.get(each, 0))
    read, shown = ([each for each in inside if each in some and each in written.places] for some in (feeds, wanted))
    text = _instrumented(source, name, written, read, shown) if inside else source
    program = f"#define WIDTH {width}\n{HELPERS}\n{text}\n{_main(name, written, inputs, outputs)}"
    rows = len(next(iter(feeds.values())))
    fed = [(feeds[each], written.inputs.get(each) or written.places[each]) for each in (*inputs, *read)]
    computed = [written.places[each] for each in shown] + [written.outputs[each] for each in outputs]
    machine = machine or Machine((*shlex.split(os.environ.get("CC") or "cc"), *STANDARD))
    returned = _run(program, machine, rows, _packed(fed, rows, width, machine.byte_order))
    return dict(zip((*shown, *outputs), _unpacked(returned, computed, rows, width, machine.byte_order), strict=True))


def _longest_text(written: Program, feeds: Mapping[str, Array]) -> int:
    """Return the bytes of the longest input or output text."""
    arrays = [each for each in (*written.arrays.values(), *feeds.values()) if each.dtype.kind in "UO"]
    return max((len(str(text).encode()) for array in arrays for text in array.ravel()), default=0)


def _instrumented(source: str, name: str, written: Program, read: list[str], shown: list[str]) -> str:
    """Let a file's function read and write values after the paragraphs that compute them."""
    before, begin, rest = source.partition(f"{signature(name)}\n{{\n")
    body, end, after = rest.partition("\n}\n")
    paragraphs = body.split("\n\n")
    if not end or len(paragraphs) != len(written.paragraphs):
        raise ExportError(f"{name}_predict computes different steps from the graph")
    for value in reversed(list(dict.fromkeys([*read, *shown]))):
        lines = [_reading(written.places[value])] if value in read else []
        lines += [_writing(written.places[value])] if value in shown else []
        paragraphs.insert(written.after[value], "\n".join(INDENT + line for line in lines))
    return before + begin + "\n\n".join(paragraphs) + end + after


def _main(name: str, written: Program, inputs: list[str], outputs: list[str]) -> str:
    """Return a main function that computes rows; their number is its argument."""
    texts = [each for each in written.inputs.values() if each.dtype.kind == "U"]
    lines = [
        f"static {name}_inputs inputs, *in = &inputs;",
        f"static {name}_outputs outputs, *out = &outputs;",
        f"static float work[{name.upper()}_WORK];",
        *(_each(text, f'{text.at("i")} = "";') for text in texts),
        "(void)count;",
        "for (long row = atol(arguments[1]); row > 0; row--) {",
        *(_reading(written.inputs[each]) for each in inputs),
        f"{name}_predict(in, out, work);",
        *(_writing(written.outputs[each]) for each in outputs),
        "}",
        "return 0;",
    ]
    return "\n".join(["int main(int count, char **arguments)", "{", *lines, "}"]) + "\n"


def _each(operand: Operand, statement: str) -> str:
    return f"for (size_t i = 0; i < {operand.size}; i++) {{ {statement} }}"


def _reading(operand: Operand) -> str:
    if operand.dtype.kind == "U":
        return _each(operand, f"{operand.at('i')} = read_text();")
    return f"read_numbers((void *){operand.pointer}, {operand.size} * sizeof *({operand.pointer}));"


def _writing(operand: Operand) -> str:
    if operand.dtype.kind == "U":
        return _each(operand, f"write_text({operand.at('i')});")
    return f"write_numbers({operand.pointer}, {operand.size} * sizeof *({operand.pointer}));"


def _run(program: str, machine: Machine, rows: int, stdin: bytes) -> bytes:
    """Compile a program and run it; return its output, or raise ``EngineMissingError`` or ``ExportError``."""
    if shutil.which(machine.compiler[0]) is None:
        raise EngineMissingError(f"there is no C compiler {machine.compiler[0]}; install one, or name it in CC")
    try:
        return _output(program, machine, rows, stdin)
    except ExportError as error:
        if not _works(machine):
            nor = "and it can't compile and run an empty program either; name another compiler in CC"
            raise EngineMissingError(f"{error}, {nor}") from error
        raise


def _works(machine: Machine) -> bool:
    try:
        _output(EMPTY_PROGRAM, machine, 0, b"")
    except ExportError:
        return False
    return True


def _output(program: str, machine: Machine, rows: int, stdin: bytes) -> bytes:
    with TemporaryDirectory(prefix="mlpkit-") as folder:
        binary = Path(folder) / "program"
        binary.write_bytes(_compiled(program, machine.compiler))
        binary.chmod(0o700)
        return _done([*machine.runner, str(binary), str(rows)], stdin, "can't run the file")


@lru_cache(maxsize=4)
def _compiled(program: str, compiler: tuple[str, ...]) -> bytes:
    """Return a compiled program; a proof runs the same program on many rows."""
    with TemporaryDirectory(prefix="mlpkit-") as folder:
        source, binary = Path(folder) / "program.c", Path(folder) / "program"
        source.write_text(program, "ascii")
        _done([*compiler, str(source), "-o", str(binary), "-lm"], b"", "can't compile the file")
        return binary.read_bytes()


def _done(command: list[str], stdin: bytes, failure: str) -> bytes:
    """Return the output of a command, or raise ``ExportError`` if it fails."""
    try:
        process = subprocess.run(command, input=stdin, capture_output=True, check=False)
    except OSError as error:  # such as a program for another processor
        raise ExportError(f"{command[0]} {failure}: {error.strerror}") from error
    if process.returncode:
        lines = process.stderr.decode(errors="replace").strip().splitlines()
        reason = next((line for line in lines if "error" in line.lower()), f"it ended with {process.returncode}")
        raise ExportError(f"{command[0]} {failure}: {reason}")
    return process.stdout


def _packed(feeds: list[tuple[Array, Operand]], rows: int, width: int, byte_order: ByteOrder) -> bytes:
    """Return rows in the program's input format."""
    packed = np.zeros(rows, _layout([operand for _, operand in feeds], width, byte_order))
    for position, (array, operand) in enumerate(feeds):
        values = np.char.encode(array.astype(str), "utf-8") if operand.dtype.kind == "U" else array
        packed[f"f{position}"] = values.reshape(rows, *operand.shape)
    return packed.tobytes()


def _unpacked(returned: bytes, operands: list[Operand], rows: int, width: int, byte_order: ByteOrder) -> list[Array]:
    """Return the arrays in the program's output, or raise ``ExportError`` if that has the wrong length."""
    layout = _layout(operands, width, byte_order)
    if len(returned) != rows * layout.itemsize:
        raise ExportError(f"the file gives {len(returned)} bytes for {rows} rows; expected {rows * layout.itemsize}")
    unpacked = np.frombuffer(returned, layout)
    arrays = [unpacked[f"f{position}"] for position in range(len(operands))]
    return [
        np.char.decode(array, "utf-8", "replace") if operand.dtype.kind == "U" else array.astype(operand.dtype)
        for array, operand in zip(arrays, operands, strict=True)
    ]


def _layout(operands: list[Operand], width: int, byte_order: ByteOrder) -> np.dtype[Any]:
    """Return the dtype of a row, without gaps."""
    return np.dtype(
        [
            (f"f{position}", f"S{width}" if each.dtype.kind == "U" else each.dtype.newbyteorder(byte_order), each.shape)
            for position, each in enumerate(operands)
        ]
    )
