"""Compiles the kernels of the built-in components. Where that can't be done, NumPy does their work: see kernels/."""

from pathlib import Path

import numpy
from setuptools import Extension, setup

KERNELS = Path("plugins") / "mlpkit_plugins" / "kernels"
ROW_FUNCTIONS = Path("mlpkit") / "exports"

setup(
    ext_modules=[
        Extension(
            "mlpkit_plugins.kernels.compiled",
            sorted(str(path) for path in KERNELS.glob("*.c")),
            depends=sorted(str(path) for folder in (KERNELS, ROW_FUNCTIONS) for path in folder.glob("*.h")),
            include_dirs=[numpy.get_include(), str(ROW_FUNCTIONS)],
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
    ]
)
