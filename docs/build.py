"""Builds the documentation's site; a warning or a broken link is an error.

    python docs/build.py                writes build/site, whose first page is build/site/index.html
    python docs/build.py --to FOLDER    writes elsewhere

It needs the extra ``docs``. The site works from disk and below any address. A version is a folder of its name: built at
each tag into the same place, the versions stand beside each other, and every page lets readers choose among them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sphinx.cmd.build import build_main
from website.contents import HOME, INDEX, list_for_models
from website.playground import write_playground
from website.versions import LIST, list_versions

from mlpkit import __version__
from mlpkit.registry.discovery import installed_plugins
from mlpkit.registry.registry import Registry
from mlpkit.verbs.ask.schema import json_schema

ROOT: Final = Path(__file__).resolve().parents[1]
SETTINGS: Final = ROOT / "docs/website"
BROWSER: Final = "docs/browser"
"""The page that trains in the browser."""
PLAYGROUND: Final = "docs/playground"
"""The playground, which runs in the browser, too."""
PAGES: Final = ROOT / "docs/generated_pages.py"
"""Writes the pages that come from code."""
STRICT: Final = ("--fail-on-warning", "--keep-going", "--nitpicky", "--quiet")


def build(folder: Path) -> int:
    """Write this version of the site into a folder, and return the exit code."""
    site = folder / __version__
    shutil.rmtree(site, ignore_errors=True)
    subprocess.run([sys.executable, str(PAGES)], check=True)
    with TemporaryDirectory() as doctrees:
        exit_code = build_main([*STRICT, "-j", "auto", "-c", str(SETTINGS), "-d", doctrees, str(ROOT), str(site)])
    if exit_code == 0:
        shutil.copy(site / HOME.replace(".md", ".html"), site / "index.html")
        (site / "schema.json").write_text(schema(), encoding="utf-8")
        (site / LIST).write_text(list_for_models((ROOT / INDEX).read_text("utf-8")), encoding="utf-8")
        shutil.copytree(ROOT / BROWSER, site / BROWSER)  # with the wheel that it needs, if that is there
        write_playground(site / PLAYGROUND)
        list_versions(folder)
    return int(exit_code)


def schema() -> str:
    """Return the JSON Schema of specs, as ``mlpkit schema`` prints it without other plugins."""
    built_in = Registry([plugin for plugin in installed_plugins() if plugin.built_in])
    return json.dumps(json_schema(built_in), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Build the site, and return the exit code."""
    match arguments:
        case []:
            folder = ROOT / "build/site"
        case ["--to", to]:
            folder = Path(to)
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    if exit_code := build(folder):
        return exit_code
    sys.stdout.write(f"{folder / 'index.html'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
