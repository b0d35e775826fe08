"""C99 as text: names, literals, types and arrays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np

from mlpkit import Array

INDENT: Final = "    "

LINE: Final = 120
"""The most characters of a line."""

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
"""Keywords of C and C++, lower-case macros, and names that every exported function uses."""

MACRO: Final = re.compile(r"[A-Z]+(?![a-z])")
"""The start of macros that aren't in ``KEYWORDS``, such as ``NULL``, ``INT64_MIN``, ``PRId64`` and ``I``."""

LONGEST_NAME: Final = 60
"""The most characters of a name; C distinguishes at least 63."""

TYPES: Final = {
    "float32": "float",
    "float64": "double",
    "int64": "int64_t",
    "int32": "int32_t",
    "uint8": "uint8_t",
    "bool": "uint8_t",
    "str": "const char *",
}
"""The C type of each dtype of values; texts are pointers."""

TYPES_OF_ARRAYS: Final = {**TYPES, "int8": "int8_t"}
"""The C type of each dtype of constant arrays; weights may be 8-bit integers."""


def identifier(text: str) -> str:
    """Convert a text to letters, digits and ``_``; the result may be a keyword or the name of a macro."""
    plain = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")[:LONGEST_NAME] or "x"
    return f"_{plain}" if plain[0].isdigit() else plain


class Names:
    """Unique names in C, none of which is taken already."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = {*taken}

    def new(self, text: str) -> str:
        """Return a new name similar to any text; ``_`` is appended to keywords and possible macros."""
        plain = identifier(text)
        stem = f"{plain}_" if plain in KEYWORDS or MACRO.match(plain) else plain
        name, count = stem, 2
        while name in self.taken:
            name, count = f"{stem}_{count}", count + 1
        self.taken.add(name)
        return name


def type_of(dtype: np.dtype[Any]) -> str:
    """Return the C type of an element, or raise ``KeyError``."""
    return TYPES_OF_ARRAYS["str" if dtype.kind in "UO" else dtype.name]


def declaration(dtype: np.dtype[Any], name: str, size: int | None = None) -> str:
    """Return the declaration of a variable, or of an array of ``size`` elements, such as ``float x[3];``."""
    type_name = type_of(dtype)
    space = "" if type_name.endswith("*") else " "
    return f"{type_name}{space}{name}{'' if size is None else f'[{size}]'};"


def literal(value: Any) -> str:
    """Return a number or a text as an exact literal."""
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
    if abs(value) < 1000 and value * 8 == int(value * 8):
        return repr(value) + suffix
    digits, exponent = value.hex().split("p")
    return f"{digits.rstrip('0').rstrip('.') if '.' in digits else digits}p{exponent}{suffix}"


def text_literal(text: str) -> str:
    """Return a text as an ASCII literal of its UTF-8 bytes, with octal escapes where needed."""
    return '"' + "".join(_character(byte) for byte in text.encode()) + '"'


def _character(byte: int) -> str:
    character = chr(byte)
    if character in '"\\?':
        return f"\\{character}"
    return character if 32 <= byte < 127 else f"\\{byte:03o}"


def array_definition(name: str, array: Array) -> str:
    """Return the definition of a constant array of numbers or texts."""
    type_name = type_of(array.dtype)
    const = "const char *const " if type_name.endswith("*") else f"const {type_name} "
    elements = [literal(element) for element in array.ravel()]
    return f"static {const}{name}[{array.size}] = {{\n{wrapped(elements)}\n}};"


def wrapped(words: Iterable[str], depth: int = 1) -> str:
    """Join words with commas, in lines of at most ``LINE`` characters, at a level of indentation."""
    lines, line = [], ""
    for word in words:
        if line and depth * len(INDENT) + len(line) + len(word) + 1 > LINE:
            lines.append(line.rstrip())
            line = ""
        line += f"{word}, "
    lines.append(line.rstrip(", "))
    return "\n".join(depth * INDENT + each for each in lines)


def comment(text: str) -> str:
    """Return a text as a C comment of one or several lines."""
    lines = text.replace("*/", "* /").replace("/*", "/ *").splitlines()
    return "/* " + "\n * ".join(lines).replace(" \n", "\n") + " */"


NAME: Final = re.compile(r"^(?:static .*?(\w+)\(|} (\w+);|enum (.*))", re.MULTILINE)
"""The definitions in a piece: a function, a type, or constants."""


def text_of(name: str) -> str:
    """Return the text of a file in C that ships with mlpkit."""
    return (files("mlpkit_plugins.exporters") / name).read_text("utf-8")


@cache
def pieces() -> dict[str, str]:
    """Return the pieces by the names that they define, in their order.

    A piece is a function or a type with the comment above it; an empty line separates pieces.
    """
    texts = map(text_of, ("row_functions.h", "c_functions.h"))
    return {name: piece for text in texts for piece in text.split("\n\n") for name in _defined(piece)}


def _defined(piece: str) -> Iterator[str]:
    for function, type_name, constants in NAME.findall(piece):
        yield from filter(None, (function, type_name, *re.findall(r"(\w+) =", constants)))


def words(text: str) -> set[str]:
    """Return the names that a C text uses, without comments and members of structures."""
    return set(re.findall(r"[A-Za-z_]\w*", re.sub(r"/\*.*?\*/|(->|\.)[A-Za-z_]\w*", "", text, flags=re.DOTALL)))


def needed(text: str) -> list[str]:
    """Return the pieces that a C text uses, directly or indirectly, in their order."""
    known, wanted, open_words = pieces(), set[str](), words(text)
    while new := (open_words & known.keys()) - wanted:
        wanted |= new
        open_words = {word for name in new for word in words(known[name])}
    return list(dict.fromkeys(piece.strip() for name, piece in known.items() if name in wanted))
