"""Compiles the kernels of the built-in components, and writes the pages that come from code.

Without a C compiler, NumPy does their work. MLPKIT_PURE=1 leaves them out, for a wheel that any platform can install.
"""

import os
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Command, Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

KERNELS = Path("plugins") / "mlpkit_plugins" / "kernels"
ROW_FUNCTIONS = Path("plugins") / "mlpkit_plugins" / "exporters"
PAGES = Path("docs") / "generated_pages.py"
STABLE_ABI = not sysconfig.get_config_var("Py_GIL_DISABLED")
"""Whether one wheel serves all later versions of Python; free-threaded ones have no such interface."""


class ParallelBuild(build_ext):
    """Compiles as many files at once as there are cores."""

    def build_extensions(self) -> None:
        """Compile all extensions."""
        compile_in_turn = self.compiler.compile

        def compile_at_once(sources: list[str], *args: object, **options: object) -> list[str]:
            with ThreadPoolExecutor(os.cpu_count()) as threads:
                objects = threads.map(lambda source: compile_in_turn([source], *args, **options), sources)
                return [path for paths in objects for path in paths]

        self.compiler.compile = compile_at_once
        super().build_extensions()


class BuildWithPages(build_py):
    """Builds a wheel, or an editable install, with the pages that come from code."""

    def run(self) -> None:
        """Write the pages and copy everything."""
        write_pages(self)
        super().run()


class SdistWithPages(sdist):
    """Builds an sdist with the pages that come from code."""

    def run(self) -> None:
        """Write the pages and pack everything."""
        write_pages(self)
        super().run()


def write_pages(command: Command) -> None:
    """Write the pages that come from code, unless this is an sdist, which has the pages and not what writes them."""
    if not PAGES.is_file():
        return
    command.run_command("egg_info")  # its entry point leads to the built-in components
    path = [".", "plugins", *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
    subprocess.run([sys.executable, "-B", str(PAGES)], check=True, env=environment)
    command.reinitialize_command("egg_info")  # it lists the files, so it must run again


def kernels() -> Extension:
    """Return the kernels as one extension module."""
    import numpy  # noqa: PLC0415 - a pure wheel is built without it

    return Extension(
        "mlpkit_plugins.kernels.compiled",
        sorted(str(path) for path in KERNELS.glob("*.c")),
        depends=sorted(str(path) for folder in (KERNELS, ROW_FUNCTIONS) for path in folder.glob("*.h")),
        include_dirs=[numpy.get_include(), str(ROW_FUNCTIONS)],
        define_macros=[("Py_LIMITED_API", "0x030b0000")] if STABLE_ABI else [],
        py_limited_api=STABLE_ABI,
        extra_compile_args=[
            "-std=c11",
            "-O3",
            "-g0",  # Python's flags ask for debug information, a third of the compiler's time and 9/10 of the file
            "-ffp-contract=off",  # no fused multiply-add: the kernels round as NumPy does, to the same bits
            "-fno-math-errno",
            "-fno-trapping-math",
            "-fvisibility=hidden",  # another library may have functions of the same names
        ],
        optional=True,
    )


PURE = os.environ.get("MLPKIT_PURE") == "1"
setup(
    ext_modules=[] if PURE else [kernels()],
    cmdclass={"build_ext": ParallelBuild, "build_py": BuildWithPages, "sdist": SdistWithPages},
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if STABLE_ABI and not PURE else {},
)
