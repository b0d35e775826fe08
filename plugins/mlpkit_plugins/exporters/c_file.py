"""A model as one file in C99, and its computation with the compiler at hand."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import wrap
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np

from mlpkit import Array, EngineMissingError, Exporter, ExportError, NotExportableError
from mlpkit.graph import LOGITS, Feed, ModelGraph, evaluate, probe_rows, provenance_line
from mlpkit_plugins.exporters.c.program import Program, program, signature
from mlpkit_plugins.exporters.c.step import Operand
from mlpkit_plugins.exporters.c.syntax import (
    INDENT,
    LINE,
    array_definition,
    comment,
    declaration,
    identifier,
    literal,
    needed,
    pieces,
    text_literal,
    text_of,
    wrapped,
)

FEW: Final = 4
"""Rows in the test of a file."""

STACK: Final = 2048
"""The approximate bytes of stack that functions take."""

HEADERS: Final = """\
#include <math.h>
#include <stddef.h>
#include <string.h>"""

ROUND_EACH_OPERATION: Final = """\
/* A compiler that fuses a multiplication with an addition changes results. */
#if defined(__FAST_MATH__)
#error "compile this file without -ffast-math"
#elif defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("fp-contract=off")
#else
#pragma STDC FP_CONTRACT OFF
#endif"""


class CFile(Exporter):
    """A function in C99, for programs and microcontrollers.

    The file is its own header, and its name is the prefix of its names. It needs no heap, and no library but libm. With
    a C compiler, which also proves it, it includes a test. Networks compute in float32.

    Source: ISO/IEC 9899:1999.
    """

    ending = ".c"
    shows_values = True
    quantizes = True

    def write(self, model: ModelGraph, file: Path) -> None:
        """Write a model as one file in C99, with a test on artificial rows if there is a C compiler."""
        if model.graph.dtype != np.float32:
            raise NotExportableError(f"the network computes in {model.graph.dtype}; C files compute in float32 alone")
        name, written = c_name(file), _program(model)
        feeds = {each: rows[:FEW] for each, rows in probe_rows(model, None).items()}
        try:
            expected = _compute(_source(model, written, name), name, written, feeds, written.outputs)
        except EngineMissingError:
            test = ""
        else:
            test = _own_test(written, name, feeds, expected)
        file.write_text(_source(model, written, name, test), "ascii")

    def compute(
        self, file: Path, model: ModelGraph, feeds: Mapping[str, Array], names: Collection[str]
    ) -> dict[str, Array]:
        """Compute with the file, using the C compiler at hand."""
        return compute_c(file, model, feeds, names)


def compute_c(
    file: Path, model: ModelGraph, feeds: Mapping[str, Array], names: Collection[str], machine: Machine | None = None
) -> dict[str, Array]:
    """Compute rows with a file in C, by default with the compiler at hand.

    The evaluator computes values that the file leaves out, which are constant or unused. Errors are as of
    ``Exporter.compute``.
    """
    written = _program(model)
    computed = _compute(file.read_text("ascii"), c_name(file), written, feeds, names, machine)
    if computed.keys() >= set(names):
        return computed
    known = evaluate(model.graph, feeds)
    return {name: computed[name] if name in computed else known[name] for name in names}


def _program(model: ModelGraph) -> Program:
    """Return a program whose outputs are those of the model, and the logits."""
    return program(model.graph, {LOGITS: model.logits, **model.graph.outputs}, quantized=model.quantized)


def c_name(file: Path) -> str:
    """Return the prefix of the names in a file: the file's name without its suffix."""
    return identifier(file.stem)


def _source(model: ModelGraph, written: Program, name: str, test: str = "") -> str:
    """Return the text of a file for a program, whose names have a prefix, with or without a test."""
    notes = {feed.name: _note(feed) for feed in model.graph.feeds.values()}
    function = f"{signature(name)}\n{{\n{written.statements}\n}}"
    parts = [
        _first_comment(written, name, test=bool(test), quantized=model.quantized),
        f"/* {provenance_line(model.provenance)} */",
        _declarations(written, name, notes | _notes_of_outputs(model)),
        f"#ifndef {name.upper()}_DECLARATIONS",
        ROUND_EACH_OPERATION,
        HEADERS,
        *needed(function),
        *(array_definition(array, elements) for array, elements in written.arrays.items()),
        function,
        *filter(None, [test]),
        "#endif",
    ]
    return "\n\n".join(parts) + "\n"


def _first_comment(written: Program, name: str, *, test: bool, quantized: bool) -> str:
    macro = name.upper()
    constants = sum(_bytes(array) for array in written.arrays.values())
    lines = [
        f"{name}.c: a network trained with mlpkit. In your program:",
        "",
        f"    #define {macro}_DECLARATIONS",
        f'    #include "{name}.c"',
        "",
        f"    static float work[{macro}_WORK];",
        f"    {name}_inputs in;    (fill it in)",
        f"    {name}_outputs out;",
        f"    {name}_predict(&in, &out, work);",
        "",
        f"Compile this file once by itself, as C99, and link with libm: cc -std=c99 -O2 {name}.c -lm",
        *([f"Its own test: cc -std=c99 -D{macro}_TEST {name}.c -lm && ./a.out"] if test else []),
        "",
        f"Flash, without code: {constants:,} bytes.",
        f"RAM: {4 * written.work:,} bytes of work memory, {_structure_bytes(written.inputs):,} of inputs, "
        f"{_structure_bytes(written.outputs):,} of outputs, {written.stack + STACK:,} of stack.",
        f"Multiplications by weights: {written.multiplications:,}.",
        *(["Weights are rounded to integers of eight bits, with a scale for each output unit."] if quantized else []),
        "",
        "Results have the same bits on every machine; on 32-bit x86, only with -std=c99 or SSE2.",
    ]
    return comment("\n".join(lines))


def _bytes(array: Any) -> int:
    if array.dtype.kind == "U":
        return sum(8 + 1 + len(text.encode()) for text in array.ravel())
    return int(array.nbytes)


def _structure_bytes(members: Mapping[str, Operand]) -> int:
    return sum(
        operand.size * (8 if operand.dtype.kind == "U" else operand.dtype.itemsize) for operand in members.values()
    )


def _declarations(written: Program, name: str, notes: Mapping[str, str]) -> str:
    """Return the part of the file that serves as its header."""
    macro = name.upper()
    return "\n\n".join(
        [
            f"#ifndef {macro}_WORK\n#include <stdint.h>",
            f"/* How many numbers the work memory holds. */\n#define {macro}_WORK {max(1, written.work)}",
            _structure(f"{name}_inputs", written.inputs, notes),
            _structure(f"{name}_outputs", written.outputs, notes),
            f"{signature(name)};",
            "#endif",
        ]
    )


def _structure(name: str, members: Mapping[str, Operand], notes: Mapping[str, str]) -> str:
    lines = []
    for text, operand in members.items():
        member = operand.name.split("->")[1]
        line = declaration(operand.dtype, member, None if operand.size == 1 else operand.size)
        note = ": ".join(filter(None, ["" if member == text else ascii(text)[1:-1], notes.get(text, "")]))
        short = f"{line} {comment(note)}" if note else line
        above = comment("\n".join(wrap(note, LINE - len(INDENT) - len(comment(""))))).splitlines()
        lines += [short] if len(INDENT + short) <= LINE else [*above, line]
    return "\n".join(["typedef struct {", *(INDENT + line for line in lines), f"}} {name};"])


def _notes_of_outputs(model: ModelGraph) -> dict[str, str]:
    """Return the names of several targets as the note of an output, in ASCII."""
    names = model.target_names or ()
    if len(names) < 2:
        return {}
    text = ascii(", ".join(names))[1:-1]
    return {output: text for output, value in model.graph.outputs.items() if value == model.prediction}


def _note(feed: Feed) -> str:
    """Return the description of an input, in ASCII."""
    axes = " x ".join(map(str, feed.shape)) if len(feed.shape) > 1 else ""
    choices = ", ".join(map(text_literal, feed.choices))
    return "; ".join(filter(None, [axes, ascii(feed.meaning)[1:-1], choices]))


def _own_test(program: Program, name: str, feeds: Mapping[str, Array], expected: Mapping[str, Array]) -> str:
    """Return a test in C of rows with expected outputs by name: a ``main`` that returns 1 if a result is wrong."""
    known = {output: program.outputs[output] for output in expected}
    rows = len(next(iter(feeds.values())))
    inputs = [_test_structure(program.inputs, feeds, row) for row in range(rows)]
    outputs = [_test_structure(known, expected, row) for row in range(rows)]
    checks = [f"{INDENT * 2}wrong |= {_difference(output, operand)};" for output, operand in known.items()]
    parts = [
        f"#ifdef {name.upper()}_TEST\n#include <stdio.h>",
        *([pieces()["differs"].strip()] if any("differs(" in check for check in checks) else []),
        _test_structures(f"{name}_inputs test_inputs", inputs),
        _test_structures(f"{name}_outputs test_outputs", outputs),
        "\n".join(
            [
                "int main(void)",
                "{",
                f"    static float work[{name.upper()}_WORK];",
                "    int wrong = 0;",
                f"    for (size_t i = 0; i < {rows}; i++) {{",
                f"        const {name}_outputs *expected = &test_outputs[i];",
                f"        {name}_outputs result, *out = &result;",
                f"        {name}_predict(&test_inputs[i], out, work);",
                *checks,
                "    }",
                f'    puts(wrong ? "{name}: wrong results" : "{name}: right results");',
                "    return wrong;",
                "}",
                "#endif",
            ]
        ),
    ]
    return "\n\n".join(parts)


def _test_structures(what: str, structures: list[str]) -> str:
    return f"static const {what}[{len(structures)}] = {{\n" + "\n".join(structures) + "\n};"


def _test_structure(members: Mapping[str, Operand], values: Mapping[str, Array], row: int) -> str:
    """Return a structure with the values of a row."""
    lines = [_member(operand, values[name][row]) for name, operand in members.items()]
    return "\n".join([f"{INDENT}{{", ",\n".join(lines), f"{INDENT}}},"])


def _member(operand: Operand, value: Any) -> str:
    dtype = str if operand.dtype.kind == "U" else operand.dtype  # texts may be longer than in the operand's dtype
    elements = [literal(element) for element in np.asarray(value, dtype).ravel()]
    name = f"{INDENT * 2}.{operand.name.split('->')[1]}"
    return f"{name} = {elements[0]}" if operand.size == 1 else f"{name} = {{\n{wrapped(elements, 3)}\n{INDENT * 2}}}"


def _difference(output: str, operand: Operand) -> str:
    """Return the condition that an output is wrong."""
    x, expected = operand.pointer, operand._replace(name=operand.name.replace("out->", "expected->")).pointer
    if operand.dtype.kind == "U":
        return f"strcmp({operand.name}, {operand.name.replace('out->', 'expected->')}) != 0"
    if operand.dtype == np.float32 and output != LOGITS:
        return f"differs({x}, {expected}, {operand.size})"
    return f"memcmp({x}, {expected}, {operand.size} * sizeof *({x})) != 0"


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


def _compute(
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
