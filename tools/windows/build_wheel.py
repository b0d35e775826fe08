"""Builds the wheel with kernels for Windows on x86-64, on any system, and checks the symbols of its extension.

    python tools/windows/build_wheel.py [--out dist]

Needs the packages abi3info, numpy, pefile, setuptools, wheel and ziglang. Zig's C compiler is Clang with the headers
and the C library (UCRT) of Windows. Setuptools would compile with MSVC, which has no C11 atomics without an option, and
none of GCC's attributes. NumPy's headers come from its wheel for Windows.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from distutils.core import run_setup  # setuptools provides it
from pathlib import Path

import setuptools  # noqa: F401 - before distutils
from abi3info import DATAS, FUNCTIONS

ROOT = Path(__file__).parents[2]
ZIG = (sys.executable, "-m", "ziglang")
TARGET = ("-target", "x86_64-windows-gnu")
TAGS = ("--python-tag", "cp311", "--abi-tag", "abi3", "--platform-tag", "win_amd64")
MODULE = "mlpkit_plugins/kernels/compiled.pyd"
SYSTEM = ("kernel32.dll", "api-ms-win-crt-")
"""The libraries that each Windows 10 has, by how their names begin."""


def main() -> None:
    """Build the wheel."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="the folder for the wheel")
    parser.add_argument("--extension", action="store_true", help="build and check the extension alone")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        extension = build_extension(Path(folder))
        check_extension(extension)
        print(shutil.copy(extension, options.out) if options.extension else build_wheel(extension, options.out))


def build_extension(folder: Path) -> Path:
    """Compile the kernels as ``setup.py`` declares them, link them, and return the extension."""
    os.chdir(ROOT)
    (extension,) = run_setup("setup.py", stop_after="init").ext_modules
    includes = [python_headers(folder), numpy_headers(folder), *extension.include_dirs[1:]]
    options = [f"-I{include}" for include in includes] + [
        f"-D{name}={value}" for name, value in extension.define_macros
    ]

    def compile_file(source: str) -> str:
        compiled = str(folder / f"{Path(source).stem}.o")
        run(
            *ZIG,
            "cc",
            *TARGET,
            "-Wno-pass-failed",
            *extension.extra_compile_args,
            *options,
            "-c",
            source,
            "-o",
            compiled,
        )
        return compiled

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        objects = list(threads.map(compile_file, extension.sources))
    library, linked = python_library(folder), folder / "compiled.pyd"
    run(*ZIG, "cc", *TARGET, "-shared", "-s", *objects, str(library), "-o", str(linked))
    return linked


def python_headers(folder: Path) -> Path:
    """Return a folder with the headers of this Python, but those of Windows for what they ask of the system."""
    headers = Path(shutil.copytree(sysconfig.get_path("include"), folder / "python"))
    shutil.copy(Path(__file__).with_name("pyconfig.h"), headers)
    return headers


def numpy_headers(folder: Path) -> Path:
    """Return the folder of NumPy's headers for Windows."""
    import numpy  # noqa: PLC0415 - its version is that of the wheel

    wheels = folder / "numpy"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    platform = ("--platform", "win_amd64", "--python-version", version, "--only-binary=:all:")
    run(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *platform, "--dest", str(wheels),
        f"numpy=={numpy.__version__}")  # fmt: skip
    (wheel,) = wheels.glob("*.whl")
    include = "numpy/_core/include/"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(wheels, [name for name in archive.namelist() if name.startswith(include)])
    return wheels / include


def python_library(folder: Path) -> Path:
    """Return the import library of the stable ABI."""
    definition, library = folder / "python3.def", folder / "python3.lib"
    names = [symbol.name for symbol in FUNCTIONS] + [f"{symbol.name} DATA" for symbol in DATAS]
    definition.write_text("\n".join(["LIBRARY python3.dll", "EXPORTS", *sorted(names)]) + "\n")
    run(*ZIG, "dlltool", "-m", "i386:x86-64", "-d", str(definition), "-l", str(library))
    return library


def check_extension(extension: Path) -> None:
    """Check that the extension exports its initialization, and needs only Python's stable ABI and Windows itself.

    Raises:
        SystemExit: it exports or needs something else.
    """
    import pefile  # noqa: PLC0415 - the only function that needs it

    file = pefile.PE(str(extension))
    exports = [symbol.name.decode() for symbol in file.DIRECTORY_ENTRY_EXPORT.symbols]
    imports = {entry.dll.decode().lower(): entry.imports for entry in file.DIRECTORY_ENTRY_IMPORT}
    if exports != ["PyInit_compiled"]:
        sys.exit(f"expected only PyInit_compiled as a symbol; exported are {', '.join(exports)}")
    strange = [name for name in imports if name != "python3.dll" and not name.startswith(SYSTEM)]
    if strange or "python3.dll" not in imports:
        sys.exit(f"expected imports from python3.dll and {', '.join(SYSTEM)}; found {', '.join(imports)}")
    print(f"{extension.name}: {extension.stat().st_size:,} bytes, {len(imports['python3.dll'])} symbols of Python's")


def build_wheel(extension: Path, out: Path) -> Path:
    """Return the pure wheel with the extension added, under the name of a wheel for Windows."""
    with tempfile.TemporaryDirectory() as folder:
        run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, str(ROOT),
            MLPKIT_PURE="1")  # fmt: skip
        (pure,) = Path(folder).glob("*.whl")
        run(sys.executable, "-m", "wheel", "unpack", "--dest", folder, str(pure))
        (unpacked,) = (path for path in Path(folder).iterdir() if path.is_dir())
        shutil.copy(extension, unpacked / MODULE)
        (description,) = unpacked.glob("*.dist-info/WHEEL")
        text = description.read_text("utf-8")
        description.write_text(text.replace("Root-Is-Purelib: true", "Root-Is-Purelib: false"), "utf-8")
        pure.unlink()
        run(sys.executable, "-m", "wheel", "pack", "--dest-dir", folder, str(unpacked))
        (packed,) = Path(folder).glob("*.whl")
        run(sys.executable, "-m", "wheel", "tags", *TAGS, "--remove", str(packed))
        (wheel,) = Path(folder).glob("*.whl")
        return Path(shutil.move(wheel, out / wheel.name))


def run(*command: str, **variables: str) -> None:
    """Run a command with more environment variables; if it fails, exit with its exit code."""
    _exit_on_failure(command, subprocess.run(command, env={**os.environ, **variables}, check=False).returncode)


def _exit_on_failure(command: Sequence[str], code: int) -> None:
    if code:
        print(f"failed: {' '.join(command)}", file=sys.stderr)
        sys.exit(code)


if __name__ == "__main__":
    main()
