"""What the system has too little of for mlpkit, explained without opening a file, and with hardly any memory."""

from __future__ import annotations

import errno
from collections.abc import Iterator

FILES = "too many open files; close some, or raise the limit, as with: ulimit -n 256"
MEMORY = "close other programs, raise the limit (ulimit -v), or try a smaller batch_size, or fewer units"
THREADS = "no thread can be started; there is too little memory, or there are too many processes (ulimit -v, ulimit -u)"
TEMPORARY = (
    "can't create a temporary file: no space is left, or too many files are open; free some space, or close some files"
)
ERRORS = {errno.EMFILE: FILES, errno.ENFILE: FILES, errno.ENOMEM: f"not enough memory; {MEMORY}"}
LOADING = {
    "Too many open files": FILES,
    "failed to map segment": f"not enough memory; {MEMORY}",
    "annot allocate memory": f"not enough memory; {MEMORY}",
    "can't start new thread": THREADS,
}
"""What the loader of libraries and the threads of Python say, in exceptions that have no number."""


def shortage(error: BaseException) -> str:
    """Return what is missing, and what to do, if that is what an exception is about; otherwise nothing."""
    return next(filter(None, map(_shortage, _with_causes(error))), "")


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _shortage(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        detail = f": {error}" if str(error) else ""
        return f"not enough memory{detail}; {MEMORY}"
    if isinstance(error, FileNotFoundError) and "No usable temporary directory" in str(error):
        return TEMPORARY
    if isinstance(error, OSError):
        return ERRORS.get(error.errno or 0, "")
    if isinstance(error, ImportError | RuntimeError):
        text = str(error)
        return next((message for sign, message in LOADING.items() if sign in text), "")
    return ""
