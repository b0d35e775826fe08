"""Compiles the kernels of the built-in components.

Without a C compiler, NumPy does their work. MLPKIT_PURE=1 leaves them out, for a wheel that any platform can install.
"""

import os
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

KERNELS = Path("plugins") / "mlpkit_plugins" / "kernels"
ROW_FUNCTIONS = Path("plugins") / "mlpkit_plugins" / "exporters"
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
    cmdclass={"build_ext": ParallelBuild},
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if STABLE_ABI and not PURE else {},
)
