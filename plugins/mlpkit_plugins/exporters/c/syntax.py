"""C99 as text: names, literals, types and arrays."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlpkit import Array

INDENT: Final = "    "

LINE: Final = 120
"""Characters of a line at most."""

KEYWORDS: Final = frozenset(
    (
        *("alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case"),
        *("catch", "char", "class", "co_await", "co_return", "co_yield", "compl", "complex", "concept", "const"),
        *("const_cast", "consteval", "constexpr", "constinit", "continue", "decltype", "default", "delete", "do"),
        *("double", "dynamic_cast", "else", "enum", "errno", "explicit", "export", "extern", "false", "far"),
        *("float", "for", "friend", "goto", "huge", "i386", "if", "imaginary", "inline", "int", "interface"),
        *("linux", "long", "math_errhandling", "mips", "mutable", "namespace", "near", "new", "noexcept"),
        *("noreturn", "not", "not_eq", "nullptr", "operator", "or", "or_eq", "private", "protected", "public"),
        *("register", "reinterpret_cast", "requires", "restrict", "return", "short", "signed", "sizeof", "small"),
        *("sparc", "static", "static_assert", "static_cast", "stderr", "stdin", "stdout", "struct", "sun"),
        *("switch", "template", "this", "thread_local", "throw", "true", "try", "typedef", "typeid", "typename"),
        *("typeof", "typeof_unqual", "union", "unix", "unsigned", "using", "virtual", "void", "volatile"),
        *("wchar_t", "while", "xor", "xor_eq"),
        *("in", "out", "work"),
    )
)
"""Keywords of C and C++, macros without capitals, and names that every exported function uses."""

MACRO: Final = re.compile(r"[A-Z]+(?![a-z])")
"""How macros begin that aren't in ``KEYWORDS``: ``NULL``, ``INT64_MIN``, ``PRId64``, ``I``; ``Age`` doesn't."""

LONGEST_NAME: Final = 60
"""Characters; C tells at least 63 apart."""

TYPES: Final = {
    "float32": "float",
    "float64": "double",
    "int64": "int64_t",
    "int32": "int32_t",
    "uint8": "uint8_t",
    "bool": "uint8_t",
    "str": "const char *",
}
"""The type in C of each dtype that a value may have; texts are pointers."""

TYPES_OF_ARRAYS: Final = {**TYPES, "int8": "int8_t"}
"""The same of arrays that don't change: weights may be integers of eight bits."""


def identifier(text: str) -> str:
    """Return letters, digits and ``_`` that are like a text, and may be a keyword or the name of a macro."""
    plain = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")[:LONGEST_NAME] or "x"
    return f"_{plain}" if plain[0].isdigit() else plain


class Names:
    """Names in C, each given once.

    Args:
        taken: names that can't be given.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = {*taken}

    def new(self, text: str) -> str:
        """Return a name that is like a text and not yet taken; one that could be a keyword or a macro ends in ``_``.

        Args:
            text: any text, such as the path of a parameter or the name of a column.
        """
        plain = identifier(text)
        stem = f"{plain}_" if plain in KEYWORDS or MACRO.match(plain) else plain
        name, count = stem, 2
        while name in self.taken:
            name, count = f"{stem}_{count}", count + 1
        self.taken.add(name)
        return name


def type_of(dtype: np.dtype[Any]) -> str:
    """Return the type in C of an element.

    Raises:
        KeyError: C has none.
    """
    return TYPES_OF_ARRAYS["str" if dtype.kind in "UO" else dtype.name]


def declaration(dtype: np.dtype[Any], name: str, size: int | None = None) -> str:
    """Return the declaration of a variable, or of an array of that many elements, such as ``float x[3];``."""
    type_name = type_of(dtype)
    space = "" if type_name.endswith("*") else " "
    return f"{type_name}{space}{name}{'' if size is None else f'[{size}]'};"


def literal(value: Any) -> str:
    """Return a number or a text as a literal that keeps each of its bits."""
    if isinstance(value, str | bytes):
        return text_literal(value if isinstance(value, str) else value.decode())
    if isinstance(value, np.float32 | np.float64):
        return float_literal(float(value), "f" if isinstance(value, np.float32) else "")
    return "INT64_MIN" if value == np.iinfo(np.int64).min else str(int(value))


def float_literal(value: float, suffix: str) -> str:
    """Return a number in decimal if that is short and exact, otherwise in hexadecimal."""
    if not np.isfinite(value):
        name = "NAN" if np.isnan(value) else "-INFINITY" if value < 0 else "INFINITY"
        return name if suffix else f"(double){name}"
    short = abs(value) < 1000 and value * 8 == int(value * 8)
    return (repr(value) if short else _short_hex(value)) + suffix


def _short_hex(value: float) -> str:
    """Return a number in hexadecimal without the zeros at its end."""
    digits, exponent = value.hex().split("p")
    return f"{digits.rstrip('0').rstrip('.')}p{exponent}" if "." in digits else f"{digits}p{exponent}"


def text_literal(text: str) -> str:
    """Return a text as a literal in ASCII: its UTF-8 bytes, those that C can't show as octal escapes."""
    return '"' + "".join(_character(byte) for byte in text.encode()) + '"'


def _character(byte: int) -> str:
    character = chr(byte)
    if character in '"\\?':
        return f"\\{character}"
    return character if 32 <= byte < 127 else f"\\{byte:03o}"


def array_definition(name: str, array: Array) -> str:
    """Return the definition of an array that doesn't change.

    Args:
        name: its name.
        array: its elements: numbers, or texts.
    """
    type_name = type_of(array.dtype)
    const = "const char *const " if type_name.endswith("*") else f"const {type_name} "
    elements = [literal(element) for element in array.ravel()]
    return f"static {const}{name}[{array.size}] = {{\n{wrapped(elements)}\n}};"


def wrapped(words: Iterable[str], depth: int = 1) -> str:
    """Return words with commas between them, in lines that are indented and not too long.

    Args:
        words: the words.
        depth: how far the lines are indented.
    """
    lines, line = [], ""
    for word in words:
        if line and depth * len(INDENT) + len(line) + len(word) + 1 > LINE:
            lines.append(line.rstrip())
            line = ""
        line += f"{word}, "
    lines.append(line.rstrip(", "))
    return "\n".join(depth * INDENT + each for each in lines)


def comment(text: str) -> str:
    """Return a text as a comment of C, of one line or of several."""
    lines = text.replace("*/", "* /").replace("/*", "/ *").splitlines()
    return "/* " + "\n * ".join(lines).replace(" \n", "\n") + " */"
