"""The test inside a file in C: a few artificial rows and the expected results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mlpkit import Array
from mlpkit.graph import LOGITS
from mlpkit_plugins.exporters.c.program import Program
from mlpkit_plugins.exporters.c.step import Operand
from mlpkit_plugins.exporters.c.syntax import INDENT, literal, pieces, wrapped


def own_test(program: Program, name: str, feeds: Mapping[str, Array], expected: Mapping[str, Array]) -> str:
    """Return a test in C of rows with expected outputs by name: a ``main`` that returns 1 if a result is wrong."""
    known = {output: program.outputs[output] for output in expected}
    rows = len(next(iter(feeds.values())))
    inputs = [_structure(program.inputs, feeds, row) for row in range(rows)]
    outputs = [_structure(known, expected, row) for row in range(rows)]
    checks = [f"{INDENT * 2}wrong |= {_difference(output, operand)};" for output, operand in known.items()]
    parts = [
        f"#ifdef {name.upper()}_TEST\n#include <stdio.h>",
        *([pieces()["differs"].strip()] if any("differs(" in check for check in checks) else []),
        _structures(f"{name}_inputs test_inputs", inputs),
        _structures(f"{name}_outputs test_outputs", outputs),
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


def _structures(what: str, structures: list[str]) -> str:
    return f"static const {what}[{len(structures)}] = {{\n" + "\n".join(structures) + "\n};"


def _structure(members: Mapping[str, Operand], values: Mapping[str, Array], row: int) -> str:
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
