"""Too few file descriptors, too little memory, no threads: a message that says so, and exit code 1."""

from __future__ import annotations

import errno
import sys

import pytest

from mlpkit.system import GET_MEMORY, NO_TEMPORARY_FILE, NO_THREADS, TOO_MANY_FILES, shortage

LIMITED = """\
import resource, sys
kind, most = sys.argv[1], int(sys.argv[2])
sys.argv[:3] = ["mlpkit"]
resource.setrlimit(getattr(resource, kind), (most, most))
from mlpkit.cli.main import main
main()
"""
VERBS = [("--help",), ("check", "tiny.yaml"), ("plugins",), ("run", "tiny.yaml")]


@pytest.fixture
def limited(mlpkit, program):
    """Return a function that runs the program in a process that may have only so much of something."""

    def run(kind, most, *arguments):
        program[:] = [sys.executable, "-c", LIMITED, kind, str(most)]
        return mlpkit(*arguments)

    whole = list(program)
    yield run
    program[:] = whole


def expect_message(done):
    assert "Traceback" not in done.err
    assert "internal error" not in done.err
    assert done.code in (0, 1)
    assert bool(done.code) == (done.err != "")
    assert done.code == 0 or done.err.splitlines()[-1].startswith("error: ")


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
@pytest.mark.parametrize("descriptors", [4, 5, 6, 8])
def test_few_descriptors(descriptors, verb, limited):
    expect_message(limited("RLIMIT_NOFILE", descriptors, *verb))


def test_what_needs_more_descriptors_says_so(limited):
    done = limited("RLIMIT_NOFILE", 4, "plugins")
    assert (done.code, done.out, done.err) == (1, "", f"error: {TOO_MANY_FILES}\n")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps to RLIMIT_AS")
@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
@pytest.mark.parametrize("megabytes", [25, 60, 140, 155, 160, 165, 170, 175])
def test_little_memory(megabytes, verb, limited):
    done = limited("RLIMIT_AS", megabytes * 10**6, *verb)
    if "OpenBLAS" not in done.err and "thread-local data" not in done.err:  # words of BLAS, of C
        expect_message(done)


def chained(error, cause):
    error.__cause__ = cause
    return error


def test_each_shortage_is_known_by_what_python_numpy_or_the_system_raise():
    numpy = chained(ImportError("IMPORTANT: PLEASE READ THIS"), ImportError("x.so: failed to map segment from shared"))
    for error, expected in [
        (MemoryError(), f"not enough memory; {GET_MEMORY}"),
        (MemoryError("unable to allocate 40 GiB"), f"not enough memory: unable to allocate 40 GiB; {GET_MEMORY}"),
        (OSError(errno.EMFILE, "Too many open files"), TOO_MANY_FILES),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), f"not enough memory; {GET_MEMORY}"),
        (FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"), NO_TEMPORARY_FILE),
        (ImportError("libx.so: cannot open shared object file: Too many open files"), TOO_MANY_FILES),
        (numpy, f"not enough memory; {GET_MEMORY}"),
        (RuntimeError("can't start new thread"), NO_THREADS),
        (OSError(errno.ENOENT, "No such file or directory"), ""),
        (ValueError("Too many open files"), ""),
        (RuntimeError("something else"), ""),
    ]:
        assert shortage(error) == expected
