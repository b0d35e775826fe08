"""The process that runs a submission: it gets inputs, returns arrays, and knows neither expected values nor marks.

``mlpkit grade`` starts it as a script, with NumPy and without mlpkit. Three walls surround the submission: a hook that
ends the process at each forbidden action and names it; limits of the system; and on Linux a filter that leaves the
process no system call but those for memory, time and its two pipes.
"""

from __future__ import annotations

import builtins
import importlib
import json
import os
import platform
import sys
import types
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import IO, Any, Final, NoReturn

import numpy as np

ALLOWED: Final = (
    *("__future__", "abc", "collections", "contextlib", "copy", "dataclasses", "enum", "functools", "itertools"),
    *("math", "numbers", "numpy", "operator", "random", "string", "time", "typing", "warnings"),
)
"""What a submission may import."""

PRELOADED: Final = ("numpy.fft", "numpy.linalg", "numpy.ma", "numpy.random", "numpy.typing", "collections.abc")

HARMLESS: Final = (
    *("compile", "exec", "builtins.", "object.", "array.", "gc.", "time.sleep", "sys._getframe", "sys.excepthook"),
    *("sys.unraisablehook", "cpython.", "setopencodehook"),
)
"""Events of Python that a submission may cause, by their beginnings."""

FILE: Final = "submission.py"
LONGEST_MESSAGE: Final = 300
LARGEST_HEADER: Final = 2**20
MOST_ELEMENTS: Final = 2**20
"""Elements of a result, ten times as many as a right one has."""

NO_NEW_PRIVILEGES, SET_FILTER, FILTER_MODE = 38, 22, 2
ALLOW, DENY = 0x7FFF0000, 0x00050001
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
SYSTEM_CALLS: Final = {
    "x86_64": (
        0xC000003E,
        *(0, 1, 3, 5, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 27, 28, 35, 39, 60, 131, 186, 202, 219, 228, 230, 231, 318),
    ),
    "aarch64": (
        0xC00000B7,
        *(57, 62, 63, 64, 80, 93, 94, 98, 101, 113, 115, 124, 128, 132, 134, 135, 139, 172, 178, 214, 215, 216, 222),
        *(226, 232, 233, 278),
    ),
}
"""By processor: its mark, and the calls for memory, time, locks, the process's own signals, and open files."""


class WrongAnswerError(Exception):
    """What a submission returned or defines isn't what was asked for."""


class Wall:
    """Ends the process at the first forbidden action, and tells the parent."""

    def __init__(self, answers: IO[bytes]) -> None:
        self.answers = answers
        self.up = False
        self._end = os._exit

    def refuse(self, what: str) -> NoReturn:
        """End the process; nothing in the submission can catch it."""
        write_frame(self.answers, {"refused": what[:LONGEST_MESSAGE]}, [])
        self._end(3)
        raise SystemExit  # the line above never returns

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Judge an event of Python."""
        if not self.up or event.startswith(HARMLESS):
            return
        if event == "import":
            self.judge_import(str(arguments[0]))
        else:
            self.refuse(f"{event} {arguments[0]!r}" if arguments else event)

    def judge_import(self, name: str) -> None:
        """Refuse a module that isn't allowed."""
        if name.partition(".")[0] not in ALLOWED:
            self.refuse(f"import {name}")


def read_frame(stream: IO[bytes], most: int = 2**30) -> tuple[Any, list[np.ndarray[Any, Any]]]:
    """Read a document and arrays.

    Raises:
        ValueError: the stream ended, or holds something else.
    """
    length = int.from_bytes(_read(stream, 8), "big")
    if not 0 < length <= LARGEST_HEADER:
        raise ValueError("not a header")
    document, layouts = json.loads(_read(stream, length))
    arrays = []
    for dtype, shape in layouts:
        if dtype not in ("float64", "int64") or not all(isinstance(each, int) and each >= 0 for each in shape):
            raise ValueError("not an array")
        size = 8
        for each in shape:
            size *= each
        most -= size
        if most < 0:
            raise ValueError("too large")
        arrays.append(np.frombuffer(bytearray(_read(stream, size)), dtype).reshape(shape))
    return document, arrays


def write_frame(stream: IO[bytes], document: Any, arrays: Sequence[np.ndarray[Any, Any]]) -> None:
    """Write a document and arrays of float64 or int64."""
    header = json.dumps([document, [[str(each.dtype), each.shape] for each in arrays]]).encode()
    stream.write(len(header).to_bytes(8, "big") + header)
    for each in arrays:
        stream.write(np.ascontiguousarray(each).tobytes())
    stream.flush()


def _read(stream: IO[bytes], size: int) -> bytes:
    parts = []
    while size > 0:
        part = stream.read(min(size, 2**20))
        if not part:
            raise ValueError("the stream ended")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def main(memory: int, seconds: int) -> None:
    """Run a submission behind the walls, request by request, until the parent closes the pipe."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    for name in (*ALLOWED, *PRELOADED):
        importlib.import_module(name)
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    missing = [*limit(memory, seconds), *filter_system_calls()]
    wall = Wall(answers)
    sys.addaudithook(wall.hook)
    write_frame(answers, {"missing": missing}, [])
    echoed = read_frame(requests)[1]
    write_frame(answers, {}, echoed)
    (source, *_), _ = read_frame(requests)
    try:
        code = compile(source, FILE, "exec")  # before the walls: Python looks for a file with a wrong line
        wall.up = True
        namespace = load(code, wall)
        write_frame(answers, {}, [])
    except BaseException as error:
        write_frame(answers, {"error": in_words(error)}, [])
        return
    while True:
        try:
            steps, arrays = read_frame(requests)
        except ValueError:
            return
        try:
            results = [plain(*each) for each in follow(steps, arrays, namespace)]
        except BaseException as error:
            write_frame(answers, {"error": in_words(error)}, [])
        else:
            write_frame(answers, {}, results)


def load(code: types.CodeType, wall: Wall) -> dict[str, Any]:
    """Run the submission's file, and return its names."""

    def guarded(name: str, *more: Any, **named: Any) -> Any:
        wall.judge_import(name)
        return __import__(name, *more, **named)

    inside = {**vars(builtins), "__import__": guarded}
    module = types.ModuleType("submission")
    vars(module)["__builtins__"] = inside
    sys.modules["submission"] = module
    exec(code, vars(module))
    return vars(module)


def follow(steps: Iterable[Sequence[Any]], arrays: Sequence[Any], names: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    """Take the steps of a request, and yield what they return, each with a name.

    A step is ``make`` (build the submission's class), ``call`` (a method of that object), ``do`` (the same, for what it
    changes), ``get`` (an attribute), ``argument`` (an array that was passed, as it is now), or ``item`` (of a
    dictionary that was passed). Arguments are numbers, texts, arrays by position, or dictionaries of arrays.
    """
    made: Any = None
    dictionaries: dict[str, dict[str, Any]] = {}

    def argument(value: Any) -> Any:
        if not isinstance(value, dict):
            return tuple(value) if isinstance(value, list) else value
        ((kind, of),) = value.items()
        if kind == "array":
            return arrays[of]
        name, positions = of
        return dictionaries.setdefault(name, {key: arrays[place] for key, place in positions.items()})

    for action, name, *rest in steps:
        if action == "make":
            made = lookup(names, name)(**{key: argument(value) for key, value in rest[0].items()})
        elif action in ("call", "do"):
            function = attribute(made, name)
            given, times = [argument(value) for value in rest[0]], rest[1] if len(rest) > 1 else 1
            for _ in range(times):
                result = function(*given)
            if action == "call":
                yield f"{name}()", result
        elif action == "get":
            yield f"self.{name}", attribute(made, name)
        else:
            yield name, arrays[rest[0]] if action == "argument" else dictionaries[rest[0]][rest[1]]


def lookup(names: dict[str, Any], name: str) -> Callable[..., Any]:
    """Return the class or function that the exercise asks for."""
    if not callable(names.get(name)):
        raise WrongAnswerError(f"the file defines no {name}")
    found: Callable[..., Any] = names[name]
    return found


def attribute(made: Any, name: str) -> Any:
    """Return an attribute of the submission's object."""
    try:
        return getattr(made, name)
    except AttributeError:
        raise WrongAnswerError(f"{type(made).__name__} has no {name}") from None


def plain(name: str, value: Any, array: Callable[..., Any] = np.array) -> np.ndarray[Any, Any]:
    """Return a result as an array of float64."""
    if value is None:
        raise WrongAnswerError(f"{name} is None, expected an array of numbers")
    try:
        found: np.ndarray[Any, Any] = array(value, dtype=np.float64, subok=False, order="C")
    except (TypeError, ValueError):
        raise WrongAnswerError(f"{name} is not an array of numbers, but {type(value).__name__}") from None
    if found.size > MOST_ELEMENTS:
        raise WrongAnswerError(f"{name} has {found.size:,} elements, far too many")
    return found


def in_words(error: BaseException) -> str:
    """Return an error of the submission with its line."""
    if isinstance(error, WrongAnswerError):
        return str(error)[:LONGEST_MESSAGE]
    line, trace = 0, error.__traceback__
    while trace is not None:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == FILE else line
        trace = trace.tb_next
    try:
        line, text = (error.lineno or 0, error.msg) if isinstance(error, SyntaxError) else (line, str(error))
    except BaseException:
        text = ""
    place = f" in line {line}" if line else ""
    return f"{type(error).__name__}{place}: {text}"[:LONGEST_MESSAGE]


def limit(memory: int, seconds: int) -> list[str]:
    """Limit memory, processor time, files and processes; return what the system can't limit."""
    try:
        resource: Any = importlib.import_module("resource")
    except ImportError:  # Windows has none
        return ["memory", "processor time"]
    limits = {"AS": memory, "CPU": seconds, "FSIZE": 0, "NPROC": 0, "CORE": 0, "NOFILE": 0}
    for name, most in limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))
    return []


def filter_system_calls() -> list[str]:
    """Leave this process the system calls that it needs; return what the system can't filter."""
    system, machine = sys.platform, platform.machine()
    if system != "linux" or machine not in SYSTEM_CALLS:
        return ["system calls"]
    import ctypes  # noqa: PLC0415 - only Linux needs it

    processor, *allowed = SYSTEM_CALLS[machine]
    lines = [(LOAD, 0, 0, 4), (EQUAL, 1, 0, processor), (RETURN, 0, 0, DENY), (LOAD, 0, 0, 0)]
    lines += [(EQUAL, len(allowed) - place, 0, number) for place, number in enumerate(allowed)]
    lines += [(RETURN, 0, 0, DENY), (RETURN, 0, 0, ALLOW)]
    code = b"".join(
        operation.to_bytes(2, sys.byteorder) + bytes((yes, no)) + value.to_bytes(4, sys.byteorder)
        for operation, yes, no, value in lines
    )
    program = ctypes.create_string_buffer(code, len(code))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("lines", ctypes.c_void_p))

    libc = ctypes.CDLL(None)
    found = Program(len(lines), ctypes.cast(program, ctypes.c_void_p))
    done = libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
    done = done and libc.prctl(SET_FILTER, FILTER_MODE, ctypes.byref(found), 0, 0) == 0
    return [] if done else ["system calls"]


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
