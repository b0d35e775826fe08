"""Makes a CPython for Windows that runs under Wine, from packages of PyPI, and installs wheels into it.

    python3.11 tools/windows/wine_python.py build/windows numpy==2.0.2 dist/mlpkit-....whl
    wine build/windows/python.exe -m mlpkit --version

Needs Linux, the packages abi3info and ziglang, and 300 MB. Panda3D's wheel for Windows has the libraries of CPython,
which its games ship; the modules in Python are those of the Python that runs this script. Wine 10 lacks functions that
NumPy 2.1 and later call.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

from abi3info import DATAS, FUNCTIONS

PANDA3D = "panda3d==1.10.16"
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
LIBRARY = f"python{VERSION.replace('.', '')}"
ZIG = (sys.executable, "-m", "ziglang")
TARGET = ("-target", "x86_64-windows-gnu")
PLATFORM = ("--platform", "win_amd64", "--python-version", VERSION, "--only-binary=:all:")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "site-packages", "test", "lib-dynload", "config-*", "idlelib")
PROGRAM = """\
#include <wchar.h>
__declspec(dllimport) int Py_Main(int, wchar_t **);
int wmain(int count, wchar_t **arguments) { return Py_Main(count, arguments); }
"""


def main() -> None:
    """Make the Python."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where it goes")
    parser.add_argument("packages", nargs="*", help="what pip installs into it")
    options = parser.parse_args()
    options.folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        take_libraries(Path(scratch), options.folder)
        build_program(Path(scratch), options.folder)
    shutil.copytree(sysconfig.get_path("stdlib"), options.folder / "Lib", ignore=LEFT_OUT)
    packages = options.folder / "Lib" / "site-packages"
    packages.mkdir()
    if options.packages:
        pip("install", "--target", str(packages), *PLATFORM, *options.packages, "colorama")


def take_libraries(scratch: Path, folder: Path) -> None:
    """Take Python's libraries for Windows; modules of its standard library go into their own folder."""
    pip("download", "--no-deps", *PLATFORM, "--dest", str(scratch), PANDA3D)
    (wheel,) = scratch.glob("*.whl")
    (folder / "DLLs").mkdir()
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            path = Path(name)
            if path.parent.name == "deploy_libs" and not path.name.startswith("api-ms-"):
                place = folder / "DLLs" if path.suffix == ".pyd" else folder
                (place / path.name).write_bytes(archive.read(name))


def build_program(scratch: Path, folder: Path) -> None:
    """Build ``python.exe``, and ``python3.dll``, which passes the stable ABI on to the library of this version."""
    library, source = import_library(scratch, LIBRARY, ["Py_Main"]), scratch / "python.c"
    source.write_text(PROGRAM)
    run(*ZIG, "cc", *TARGET, "-municode", str(source), str(library), "-o", str(folder / "python.exe"))
    names = sorted(symbol.name for symbol in [*FUNCTIONS, *DATAS])
    passed_on, nothing = scratch / "python3.def", scratch / "nothing.c"
    exports = [f"{name} = {LIBRARY}.{name}" for name in names]
    passed_on.write_text("\n".join(["LIBRARY python3.dll", "EXPORTS", *exports]) + "\n")
    nothing.write_text("int nothing;\n")
    run(*ZIG, "cc", *TARGET, "-shared", str(nothing), str(passed_on), "-o", str(folder / "python3.dll"))


def import_library(scratch: Path, name: str, symbols: list[str]) -> Path:
    """Return an import library of a DLL."""
    definition, library = scratch / f"{name}.def", scratch / f"{name}.lib"
    definition.write_text("\n".join([f"LIBRARY {name}.dll", "EXPORTS", *symbols]) + "\n")
    run(*ZIG, "dlltool", "-m", "i386:x86-64", "-d", str(definition), "-l", str(library))
    return library


def pip(*arguments: str) -> None:
    """Run pip."""
    run(sys.executable, "-m", "pip", arguments[0], "--quiet", *arguments[1:])


def run(*command: str) -> None:
    """Run a command; if it fails, exit with its exit code."""
    code = subprocess.run(command, check=False).returncode
    if code:
        print(f"failed: {' '.join(command)}", file=sys.stderr)
        sys.exit(code)


if __name__ == "__main__":
    main()
